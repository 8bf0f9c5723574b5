#include "training/tasks/export_fasttext.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "data/error.h"
#include "data/text/ngrams.h"
#include "data/vectors/fasttext_writer.h"

namespace semblance {
namespace {

// Rows of n-grams by fastText's hash. Few n-grams share one of eight times as many buckets; there the
// commoner stays.
class Buckets {
 public:
  Buckets(const NgramTable* ngrams, const WordVectors& vectors) : dim_(vectors.dim()) {
    if (!ngrams) return;
    shortest_ = ngrams->shortest();
    longest_ = ngrams->longest();
    if (ngrams->dim() != dim_)
      throw Error(ErrorKind::Usage, "--oov: expected n-grams of {} dimensions, found {}", dim_,
                  ngrams->dim());
    count_ = std::max<int64_t>(8 * ngrams->size(), 1);
    std::vector<int64_t> occurrences(static_cast<size_t>(ngrams->size()));
    for (int64_t id = 0; id < vectors.size(); ++id)
      ngrams->for_each_of(vectors.word(id), [&](int32_t row) { ++occurrences[static_cast<size_t>(row)]; });
    rows_.assign(static_cast<size_t>(count_), -1);
    for (int32_t row = 0; row < ngrams->size(); ++row) {
      auto& place = rows_[fasttext_hash(ngrams->fasttext_name(row)) % static_cast<uint64_t>(count_)];
      shared_ += place >= 0;
      if (place < 0 || occurrences[static_cast<size_t>(row)] > occurrences[static_cast<size_t>(place)])
        place = row;
    }
    table_ = ngrams;
  }

  int64_t count() const { return count_; }
  int64_t shared() const { return shared_; }
  int64_t shortest() const { return shortest_; }
  int64_t longest() const { return longest_; }
  /// Empty: zeros.
  std::span<const float> row(int64_t bucket) const {
    const int32_t row = rows_[static_cast<size_t>(bucket)];
    return row < 0 ? std::span<const float>() : table_->row(row);
  }

  // own = (n + 1) · vector − Σ rows of the word's n n-grams
  void own_row(std::string_view word, std::span<const float> vector, std::vector<double>& sum,
               std::vector<float>& own) const {
    sum.assign(vector.size(), 0);
    int64_t n = 0;
    if (count_ > 0 && word != kFastTextLineEnd)
      for_each_char_ngram(word, '<', '>', static_cast<size_t>(shortest_), static_cast<size_t>(longest_),
                          [&](std::string_view ngram) {
                            ++n;
                            const auto of_ngram = row(
                                static_cast<int64_t>(fasttext_hash(ngram) % static_cast<uint64_t>(count_)));
                            for (size_t d = 0; d < of_ngram.size(); ++d)
                              sum[d] += static_cast<double>(of_ngram[d]);
                          });
    own.resize(vector.size());
    for (size_t d = 0; d < own.size(); ++d)
      own[d] = static_cast<float>(static_cast<double>(n + 1) * static_cast<double>(vector[d]) - sum[d]);
  }

 private:
  const NgramTable* table_ = nullptr;
  int64_t dim_, count_ = 0, shared_ = 0, shortest_ = 0, longest_ = 0;
  std::vector<int32_t> rows_;
};

}  // namespace

Json write_fasttext_vectors(const WordVectors& vectors, const NgramTable* ngrams, const std::string& output,
                            const Notice& notice) {
  const Buckets buckets(ngrams, vectors);
  FastTextWriter writer(output,
                        {.dim = vectors.dim(),
                         .buckets = buckets.count(),
                         .shortest = buckets.shortest(),
                         .longest = buckets.longest()},
                        vectors.size(), 0);
  // The order of the file is that of frequency, which is all that is known of it.
  for (int64_t id = 0; id < vectors.size(); ++id)
    writer.add_entry(vectors.word(id), vectors.size() - id, false);
  writer.begin_input();
  std::vector<double> sum;
  std::vector<float> own;
  for (int64_t id = 0; id < vectors.size(); ++id) {
    buckets.own_row(vectors.word(id), vectors.vector(id), sum, own);
    writer.add_row(own);
  }
  const std::vector<float> zeros(static_cast<size_t>(vectors.dim()));
  for (int64_t bucket = 0; bucket < buckets.count(); ++bucket) {
    const auto row = buckets.row(bucket);
    writer.add_row(row.empty() ? zeros : row);
  }
  writer.begin_output(vectors.size());  // what skip-gram predicts with: nothing is known of it
  for (int64_t id = 0; id < vectors.size(); ++id) writer.add_row(zeros);
  writer.finish();
  Json report = {
      {"output", output}, {"format", "fasttext"}, {"vectors", vectors.size()}, {"dim", vectors.dim()}};
  if (!ngrams) return report;
  report["ngrams"] = ngrams->size();
  report["sharing_a_bucket"] = buckets.shared();
  if (buckets.shared() > 0)
    notice(fmt::format("{}: {} of {} n-grams share a bucket with a commoner one, whose vector is taken",
                       output, buckets.shared(), ngrams->size()));
  return report;
}

}  // namespace semblance
