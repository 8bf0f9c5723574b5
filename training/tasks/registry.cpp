#include "training/tasks/registry.h"

#include <algorithm>
#include <concepts>
#include <tuple>

#include "training/serving/text_encoder.h"
#include "training/serving/word_encoder.h"
#include "training/tasks/dssm/model.h"
#include "training/tasks/dssm/static_folder.h"
#include "training/tasks/sentiment/fasttext_model.h"
#include "training/tasks/sentiment/model.h"
#include "training/tasks/trigram/model.h"
#include "training/tasks/word2vec/model.h"

namespace semblance {
namespace {

// What a task's job and model say of themselves.
template <class OwnJob, class Model>
constexpr TaskKind kind() {
  TaskKind kind{.name = OwnJob::kTask,
                .input = OwnJob::kInput,
                .make_job = []() -> std::unique_ptr<Job> { return std::make_unique<OwnJob>(); },
                .train = [](const Job& job, RunRequest& request) -> Json {
                  return train_model(dynamic_cast<const OwnJob&>(job), request);
                },
                .open = [](const Checkpoint& checkpoint, const std::string& source,
                           c10::Device device) -> std::unique_ptr<ServedModel> {
                  return std::make_unique<Model>(checkpoint, source, device);
                },
                .make_evaluation = nullptr,
                .predicts = std::derived_from<Model, Classifier>,
                .encodes_texts = std::derived_from<Model, TextEncoder>,
                .encodes_words = std::derived_from<Model, WordEncoder>,
                .has_word_vectors = std::derived_from<Model, WordTableModel>,
                .tokenizes = std::derived_from<Model, Tokenizes>};
  if constexpr (std::derived_from<Model, Evaluable>)
    kind.make_evaluation = []() -> std::unique_ptr<Sections> {
      return std::make_unique<typename Model::Evaluation>();
    };
  return kind;
}

constexpr TaskKind kKinds[] = {
    kind<SentimentJob, SentimentModel>(),
    kind<TrigramJob, TrigramModel>(),
    kind<DssmJob, DssmModel>(),
    kind<Word2VecJob, Word2VecModel>(),
};

}  // namespace

std::span<const TaskKind> task_kinds() {
  return kKinds;
}

std::string task_names() {
  std::string names;
  for (const auto& kind : kKinds) (names += names.empty() ? "" : ", ") += kind.name;
  return names;
}

const TaskKind& find_task(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &TaskKind::name);
  if (found == std::end(kKinds))
    throw Error(ErrorKind::Usage, "train: expected one of {}, found '{}'", task_names(), name);
  return *found;
}

namespace {

// Nothing to train: classifiers that fastText has trained.
OpenedModel open_fasttext(const std::string& path, std::string_view verb,
                          const std::function<bool(const TaskKind&)>& can) {
  const TaskKind kind{.name = "fasttext",
                      .input = "",
                      .make_job = nullptr,
                      .train = nullptr,
                      .open = nullptr,
                      .make_evaluation = []() -> std::unique_ptr<Sections> {
                        return std::make_unique<FastTextServed::Evaluation>();
                      },
                      .predicts = true,
                      .encodes_texts = false,
                      .encodes_words = false,
                      .has_word_vectors = false,
                      .tokenizes = false};
  if (!can(kind))
    throw Error(ErrorKind::Model, "{}: expected a model that {}, found one of fastText", path, verb);
  OpenedModel opened{
      .location = {{}, path}, .checkpoint = {}, .model = std::make_unique<FastTextServed>(path)};
  opened.checkpoint.task = kind.name;
  return opened;
}

}  // namespace

std::pair<CheckpointLocation, Checkpoint> find_checkpoint(const std::string& run, const std::string& choice,
                                                          const Notice& notice) {
  if (is_static_folder(run)) return {{run, ""}, read_static_folder(run, notice)};
  auto location = locate_checkpoint(run, choice, notice);
  auto checkpoint = read_checkpoint(location.path(), CheckpointPart::ModelOnly);
  return {std::move(location), std::move(checkpoint)};
}

OpenedModel open_model(const std::string& run, const std::string& choice, c10::Device device,
                       std::string_view verb, const Notice& notice,
                       const std::function<bool(const TaskKind&)>& can) {
  if (is_fasttext_model(run)) return open_fasttext(run, verb, can);
  OpenedModel opened;
  std::tie(opened.location, opened.checkpoint) = find_checkpoint(run, choice, notice);
  const auto source = opened.location.path().string();
  const TaskKind* found = nullptr;
  std::string names;
  for (const auto& kind : kKinds) {
    if (!can(kind)) continue;
    if (kind.name == opened.task()) found = &kind;
    (names += names.empty() ? "" : " or ") += kind.name;
  }
  if (!found)
    throw Error(ErrorKind::Model, "{}: expected a model that {} ({}), found one of {}", source, verb, names,
                opened.task());
  opened.model = found->open(opened.checkpoint, source, device);
  return opened;
}

}  // namespace semblance
