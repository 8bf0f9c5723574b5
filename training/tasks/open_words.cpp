#include "training/tasks/open_words.h"

#include <algorithm>
#include <filesystem>

#include "data/error.h"
#include "training/run_folder.h"
#include "training/serving/fasttext.h"
#include "training/small_file.h"
#include "training/tasks/registry.h"

namespace semblance {
namespace {

bool is_model(const std::string& path) {
  std::error_code failure;
  return std::filesystem::is_directory(path, failure) || is_small_model(path);
}

}  // namespace

WordVectors open_word_vectors(const std::string& path, const VectorFileOptions& options, const Notice& notice,
                              std::shared_ptr<const WordPiece>* pieces) {
  if (!is_model(path)) return WordVectors::load(path, options, notice);
  const auto opened = open_model(path, "best", at::kCPU, "has a table of words", notice,
                                 [](const auto& kind) { return kind.has_word_vectors; });
  if (const auto* cuts = dynamic_cast<const Tokenizes*>(opened.model.get()); cuts && pieces)
    *pieces = cuts->pipeline().word_piece();
  auto vectors = dynamic_cast<const WordTableModel&>(*opened.model).word_vectors();
  if (options.limit > 0) vectors = vectors.first(options.limit);
  return vectors;
}

std::shared_ptr<WordEncoder> open_word_encoder(const std::string& run, int64_t dim, const Notice& notice) {
  auto encoder = open_fasttext_words(run);
  if (!encoder) {
    auto opened = open_model(run, "best", at::kCPU, "encodes words", notice,
                             [](const auto& kind) { return kind.encodes_words; });
    const std::shared_ptr<ServedModel> model = std::move(opened.model);
    encoder = std::dynamic_pointer_cast<WordEncoder>(model);
  }
  if (dim > 0 && encoder->dim() != dim)
    throw Error(ErrorKind::Model, "{}: expected a model of {} dimensions, found {}", run, dim,
                encoder->dim());
  return encoder;
}

std::shared_ptr<const NgramTable> open_ngram_table(const std::string& run, const Notice& notice) {
  auto opened = open_model(run, "best", at::kCPU, "has character n-grams", notice,
                           [](const auto& kind) { return kind.encodes_words; });
  return std::dynamic_pointer_cast<const NgramTable>(
      std::shared_ptr<const ServedModel>(std::move(opened.model)));
}

bool encodes_words(const std::string& path, const Notice& notice) {
  if (!is_model(path)) return false;
  const auto checkpoint = find_checkpoint(path, "best", notice).second;
  return std::ranges::any_of(
      task_kinds(), [&](const auto& kind) { return kind.name == checkpoint.task && kind.encodes_words; });
}

}  // namespace semblance
