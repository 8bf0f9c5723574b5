#include "training/tasks/word2vec/model.h"

#include <array>

#include "data/text/vocabulary.h"
#include "training/measures/word_sets.h"
#include "training/serving/word_table.h"
#include "training/tasks/word2vec/task.h"

namespace semblance {

Word2VecModel::Word2VecModel(const Checkpoint& checkpoint, const std::string& source, c10::Device) {
  build_model(source, [&] {
    stored_job_from_json(job_, checkpoint.config);
    constexpr auto kFile = Word2VecSetup::kVocabularyFile;
    Word2VecSetup setup{.vocabulary = Vocabulary::parse(checkpoint.files.at(kFile), source + "/" + kFile)};
    expect_room(checkpoint, setup.vocabulary.size(), std::array{job_.model.dim});
    Word2VecTask task(job_, std::move(setup), at::kCPU);
    load_weights(task.module(), checkpoint, source);
    layers_ = task.network().summary();
    const auto& vocabulary = task.setup().vocabulary;
    vectors_ = word_rows(
        vocabulary, task.network().input().narrow(0, vocabulary.first_word(), vocabulary.words()), source);
  });
}

Json Word2VecModel::evaluate(std::span<const std::string> paths, const Notice&,
                             const std::function<void(int64_t)>&) {
  if (paths.size() != 1) throw Error(ErrorKind::Usage, "expected one set of words, found {}", paths.size());
  Json report = {{"task", Word2VecJob::kTask}};
  report.update(evaluate_word_set(vectors_, paths[0], evaluation_.words));
  report["task"] = Word2VecJob::kTask;
  return report;
}

}  // namespace semblance
