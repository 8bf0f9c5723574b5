#include "models/word2vec.h"

#include <torch/nn/cloneable.h>
#include <torch/types.h>

#include <cmath>

#include "models/blocks.h"
#include "models/embedding_bag.h"
#include "models/huge_pages.h"
#include "models/layer_summary.h"

namespace semblance {
namespace {

class Word2VecImpl : public torch::nn::Cloneable<Word2VecImpl>, public Word2VecNetwork {
 public:
  explicit Word2VecImpl(const Word2VecNetworkOptions& network_options) : options(network_options) { reset(); }

  void reset() override {
    TORCH_CHECK(options.rows > 0 && options.dim > 0, "Word2Vec: rows and dim must be positive");
    input_ = register_parameter("input", empty_table({options.rows, options.dim}));
    output_ = register_parameter("output", empty_table({options.rows, options.dim}));
    const torch::NoGradGuard no_gradient;
    const auto rows = static_cast<double>(options.rows), dim = static_cast<double>(options.dim);
    const double width = options.full_softmax ? 1 / std::sqrt(rows) : 0.5 / dim;
    input_.uniform_(-width, width);
    if (options.full_softmax)
      output_.uniform_(-1 / std::sqrt(dim), 1 / std::sqrt(dim));
    else
      output_.zero_();
  }

  torch::nn::Module& module() override { return *this; }
  torch::Tensor& input() override { return input_; }
  torch::Tensor& output() override { return output_; }
  torch::Tensor forward(const torch::Tensor& ids, const torch::Tensor& offsets) override {
    const auto hidden = embedding_bag(input_, ids, offsets, BagPooling::Mean, /*sparse_gradient=*/false);
    return linear(hidden, output_, /*bias=*/torch::zeros({options.rows}, hidden.options()));
  }

  std::vector<LayerSummary> summary() const override {
    return {{"embedding", batch_shape({options.dim}), input_.numel(), true},
            {"linear", batch_shape({options.rows}), output_.numel(), true}};
  }

  Word2VecNetworkOptions options;

 private:
  torch::Tensor input_, output_;
};

}  // namespace

std::shared_ptr<Word2VecNetwork> make_word2vec(const Word2VecNetworkOptions& options) {
  return std::make_shared<Word2VecImpl>(options);
}

}  // namespace semblance
