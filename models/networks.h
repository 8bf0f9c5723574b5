// The networks as everything outside models/ sees them: options, an interface, and functions that make them.
// The modules themselves stand in embedding_bag.h, text_classifier.h and dssm_encoder.h, whose LibTorch
// headers take ten seconds to compile.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/activation.h"
#include "models/packed_table.h"

namespace torch::nn {
class Module;
}

namespace semblance {

/// A line of a model's summary, as Keras prints it.
struct LayerSummary {
  std::string layer;
  std::string output_shape;  ///< "[batch, 10]"
  int64_t parameters = 0;
  bool trainable = false;  ///< whether it has parameters, and training changes them
};

/// A module that makes a vector of each bag of ids. Not to be shared between threads while it is
/// trained.
class Network {
 public:
  virtual ~Network() = default;
  virtual torch::nn::Module& module() = 0;
  /// ids [n] and offsets [bags + 1] as embedding_bag takes them. Returns [bags, outputs].
  virtual at::Tensor forward(const at::Tensor& ids, const at::Tensor& offsets) = 0;
  /// The embedding, float [rows, dim], or int8 where it is packed; live.
  virtual at::Tensor& table() = 0;
  /// `count` rows of it from `first` on: float [count, dim].
  virtual at::Tensor rows(int64_t first, int64_t count) const = 0;
  /// Its layers in order.
  virtual std::vector<LayerSummary> summary() const = 0;
};

enum class BagPooling { Sum, Mean };

/// How much each row of a bag counts.
enum class RowWeighting {
  None,
  IdfMean,  ///< by its idf: Σ idf · row / Σ idf
  TfIdf,    ///< by tf · idf, of length 1 over the different rows: Σ idf · row / √Σ (tf · idf)²
};

/// What torch.nn.Embedding has beside its size (row 2.15).
struct EmbeddingOptions {
  double max_norm =
      0;  ///< a row longer than that is scaled down to it, in the table, when looked up; 0: none is
  bool scale_by_frequency = false;  ///< a row's gradient is divided by how often the batch names it
  bool zero_padding = false;        ///< row 0, padding, is zero and has no gradient; a mean counts it
};

struct EmbeddingBagOptions {
  int64_t rows = 0;
  int64_t dim = 0;
  BagPooling pooling = BagPooling::Mean;  ///< where there is no weighting
  RowWeighting weighting = RowWeighting::None;
  at::Tensor idf = {};  ///< of each row, float [rows]; undefined: 1, until a checkpoint is loaded
  bool sparse_gradient = false;
  double init_std = 1;  ///< rows start normally distributed around zero; torch.nn.EmbeddingBag has 1
  EmbeddingOptions embedding = {};
  PackedTable packed = {};  ///< the rows, where they are not to be trained
};

std::shared_ptr<Network> make_embedding_bag(const EmbeddingBagOptions& options);

struct TextClassifierOptions {
  int64_t vocabulary = 0;  ///< rows of the embedding that belong to words
  int64_t ngram_rows =
      0;            ///< rows after them; they start at zero, so that an n-gram never trained on adds nothing
  int64_t dim = 0;  ///< columns of the embedding
  int64_t outputs = 1;               ///< logits a text
  std::vector<int64_t> hidden = {};  ///< widths of the hidden layers; none: one linear layer
  Activation activation = Activation::Relu;
  double activation_slope = 0.01;
  double dropout = 0;       ///< after each hidden layer; of the pooled vector where there is none
  int64_t flat_length = 0;  ///< 0: the mean of the embeddings; else texts of so many ids, side by side
  bool linear = false;      ///< no embedding: each row holds its words' weights for the outputs, from zero on
  RowWeighting weighting = RowWeighting::None;
  at::Tensor idf = {};  ///< as in EmbeddingBagOptions
  bool sparse_gradient = false;
  double init_std = 1;
  EmbeddingOptions embedding = {};
  PackedTable packed = {};  ///< as in EmbeddingBagOptions
};

class ClassifierNetwork : public Network {
 public:
  /// The logits of some outputs alone, int64 [some], ascending and different: [batch, some]. Other rows of
  /// the last layer have no gradient. Throws std::logic_error for a linear model, which has no last layer.
  virtual at::Tensor forward_some(const at::Tensor& ids, const at::Tensor& offsets,
                                  const at::Tensor& outputs) = 0;
  /// What each of `count` rows of the table from `first` on adds to the logits of a text that is that row
  /// alone, bias left out: [count, outputs]. Throws std::logic_error where it is not linear in them: hidden
  /// layers, flat.
  virtual at::Tensor row_logits(int64_t first, int64_t count) const = 0;
};

std::shared_ptr<ClassifierNetwork> make_text_classifier(const TextClassifierOptions& options);

struct DssmEncoderOptions {
  int64_t rows = 0;                      ///< of the embedding: words, then hashed n-grams
  int64_t dim = 0;                       ///< columns of the embedding
  std::vector<int64_t> projection = {};  ///< widths of the layers after it; none: the mean itself
  Activation activation = Activation::Tanh;
  double alpha = 0.05;  ///< the temperature of the loss, or its first value
  bool learn_alpha = false;
  RowWeighting weighting = RowWeighting::None;
  at::Tensor idf = {};  ///< as in EmbeddingBagOptions
  bool sparse_gradient = false;
  double init_std = 1;
  EmbeddingOptions embedding = {};
  PackedTable packed = {};  ///< as in EmbeddingBagOptions
};

class DssmNetwork : public Network {
 public:
  /// Width of a text's vector.
  virtual int64_t dim() const = 0;
  /// The temperature: float32 [], on the CPU if it is not learnt.
  virtual at::Tensor alpha() const = 0;
};

std::shared_ptr<DssmNetwork> make_dssm_encoder(const DssmEncoderOptions& options);

}  // namespace semblance
