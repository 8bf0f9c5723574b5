#include "training/tasks/trigram/data.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/error.h"
#include "data/fingerprint.h"
#include "data/io/line_reader.h"
#include "data/tensors.h"
#include "data/vectors/word_vectors.h"
#include "training/serving/unknown_words.h"
#include "training/tasks/open_words.h"

namespace semblance {
namespace {

// The known words to learn from: all, or those of --words.
std::vector<int64_t> choose_words(const KnownWordOptions& options, const WordVectors& vectors,
                                  const Notice& notice) {
  std::vector<int64_t> chosen;
  if (options.words.empty()) {
    chosen.resize(static_cast<size_t>(vectors.size()));
    std::iota(chosen.begin(), chosen.end(), int64_t{0});
    return chosen;
  }
  LineReader lines{ByteStream(options.words)};
  UnknownWords unknown;
  for (std::string_view line; lines.next(line);) {
    if (line.empty()) continue;
    if (const int64_t id = vectors.find(line); id >= 0)
      chosen.push_back(id);
    else
      unknown.add(line);
  }
  unknown.report(options.words + ": without a vector", notice);
  std::ranges::sort(chosen);
  const auto repeated = std::ranges::unique(chosen);
  chosen.erase(repeated.begin(), repeated.end());
  if (chosen.empty())
    throw Error(ErrorKind::Data, "{}: expected words of {}, found none", options.words, options.vectors);
  return chosen;
}

// Words at even distances: with a share of 0.1 the first of every ten.
bool is_held_out(size_t i, double share) {
  const auto taken = [&](size_t words) { return std::ceil(static_cast<double>(words) * share - 1e-9); };
  return taken(i + 1) > taken(i);
}

std::unique_ptr<VectorDataset> make_dataset(const WordVectors& vectors, std::span<const int64_t> words,
                                            const NgramIndex& index, UnknownWords& unknown,
                                            bool keep_unknown) {
  RaggedIds ids;
  std::vector<float> targets;
  for (const int64_t word : words) {
    const size_t before = ids.values.size();
    index.append_ids(vectors.word(word), ids.values);
    if (ids.values.size() == before) {
      unknown.add(vectors.word(word));
      if (!keep_unknown) continue;
    }
    ids.close_row();
    const auto vector = vectors.vector(word);
    targets.insert(targets.end(), vector.begin(), vector.end());
  }
  if (ids.size() == 0) return nullptr;
  const auto rows = ids.size();
  return std::make_unique<VectorDataset>(std::move(ids), float_tensor(targets).view({rows, vectors.dim()}));
}

}  // namespace

TrigramData prepare_data(const TrigramJob& job, const Notice& notice) {
  if (job.data.vectors.empty())
    throw Error(ErrorKind::Usage, "--vectors: expected a file of word vectors, found none");
  NgramIndex index(job.index);
  const auto vectors = open_word_vectors(job.data.vectors, job.file, notice);
  const auto words = choose_words(job.data, vectors, notice);
  std::vector<int64_t> training, held_out;
  for (size_t i = 0; i < words.size(); ++i)
    (is_held_out(i, job.data.held_out) ? held_out : training).push_back(words[i]);
  if (training.empty())
    throw Error(ErrorKind::Data, "{}: expected words to learn from, found {}, held out (--held-out)",
                job.data.vectors, held_out.size());
  // From the words that are trained on alone: what held-out words have besides is as unknown as in use.
  for (const int64_t word : training) index.add(vectors.word(word));

  UnknownWords without_ngrams, unknown;
  auto train = make_dataset(vectors, training, index, without_ngrams, false);
  if (!train)
    throw Error(ErrorKind::Data, "{}: expected words with n-grams of {} characters, found none",
                job.data.vectors, job.index.lengths);
  auto validation = make_dataset(vectors, held_out, index, unknown, true);
  without_ngrams.report("too short to have an n-gram, not trained on", notice);
  unknown.report("held out and without a known n-gram, which count as zero vectors", notice);

  Fingerprint fingerprint;
  for (const auto* part : {train.get(), validation.get()}) {
    if (!part) continue;
    fingerprint.add(std::span(part->ids().values));
    fingerprint.add(std::span(part->ids().offsets));
    fingerprint.add(
        std::span(part->targets().const_data_ptr<float>(), static_cast<size_t>(part->targets().numel())));
  }
  notice(fmt::format("{} words to train on, {} held out; {} character n-grams, {} dimensions", train->size(),
                     validation ? validation->size() : 0, index.size(), vectors.dim()));
  auto mean = train->targets().mean(0, /*keepdim=*/false, at::kDouble).to(at::kFloat);
  Texts held_out_words;
  for (const int64_t word : held_out) held_out_words.push_back(vectors.word(word));
  return {.train = std::move(train),
          .held_out = std::move(validation),
          .held_out_words = std::move(held_out_words),
          .setup = {.index = std::move(index),
                    .dim = vectors.dim(),
                    .mean = std::move(mean),
                    .data_fingerprint = fingerprint.digest()}};
}

}  // namespace semblance
