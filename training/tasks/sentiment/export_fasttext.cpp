#include "training/tasks/sentiment/export_fasttext.h"

#include <algorithm>
#include <vector>

#include "data/error.h"
#include "data/vectors/fasttext_writer.h"
#include "models/module_access.h"
#include "training/tasks/sentiment/task.h"

namespace semblance {
namespace {

// Why fastText cannot say what the job does; empty where it can.
std::string obstacle(const SentimentJob& job, const ClassifierSetup& setup) {
  const auto& model = job.model;
  if (model.kind != ClassifierKind::Mean)
    return fmt::format("--model mean, whose one layer it has, found {}", enum_name(model.kind));
  if (model.pooling != ClassifierPooling::Mean) return "--pooling mean, found padded-mean";
  if (model.token_weights != TokenWeights::None) return "--token-weights none, found others";
  if (model.max_length > 0) return fmt::format("--max-length 0, found {}", model.max_length);
  if (setup.features.vocabulary().has_unknown()) return "unknown words to be left out, found --unknown-word";
  if (job.ngrams.all_buckets() == 0) return "";
  if (job.ngrams.hash != NgramHash::FastText)
    return "n-grams hashed as fastText's, found others: train with --hash fasttext --min-ngram-count 0, or "
           "without "
           "n-grams";
  if (job.ngrams.min_count > 0)
    return fmt::format(
        "a row for every bucket, since fastText leaves no n-gram out of a text: train with "
        "--min-ngram-count 0; found --min-ngram-count {}",
        job.ngrams.min_count);
  return "";
}

bool is_plain(const TextOptions& text) {
  return text.tokenizer == Tokenizer::Whitespace && !text.nfc && !text.lowercase && !text.strip_punctuation &&
         text.stopwords == "none" && text.min_word_length == 1;
}

std::vector<std::string> labels_for_fasttext(const std::vector<std::string>& classes) {
  std::vector<std::string> labels;
  for (const auto& name : classes) {
    auto label = std::string(kFastTextLabelPrefix) + name;
    std::ranges::replace_if(label, [](char c) { return static_cast<unsigned char>(c) <= ' '; }, '_');
    if (std::ranges::find(labels, label) != labels.end())
      throw Error(ErrorKind::Usage, "fasttext: expected labels that differ without blanks, found '{}' twice",
                  label);
    labels.push_back(std::move(label));
  }
  return labels;
}

at::Tensor tensor_named(SentimentTask& task, std::string_view name) {
  for (const auto& [its_name, tensor] : model_tensors(task.module()))
    if (its_name == name) return tensor.detach();
  throw Error(ErrorKind::Internal, "expected {} in a classifier, found none", name);
}

}  // namespace

Json write_fasttext_classifier(SentimentTask& task, const SentimentJob& job, const std::string& output,
                               const Notice& notice) {
  const auto& setup = task.setup();
  if (const auto why = obstacle(job, setup); !why.empty())
    throw Error(ErrorKind::Usage, "fasttext: expected {}", why);
  const auto& vocabulary = setup.features.vocabulary();
  const int32_t first = vocabulary.first_word(), end = vocabulary.size();
  for (int32_t id = first; id < end; ++id)
    if (const auto word = vocabulary.word(id);
        word == kFastTextLineEnd || word.starts_with(kFastTextLabelPrefix))
      throw Error(ErrorKind::Usage, "fasttext: expected words that it takes for words, found '{}'", word);
  const auto labels = labels_for_fasttext(setup.labels.classes);
  const bool binary = is_binary(setup.loss) && !setup.labels.multi_label;
  const int64_t buckets = job.ngrams.all_buckets(), dim = setup.dim;
  const bool has_chars = job.ngrams.longest_chars > 0;

  FastTextWriter writer(
      output,
      {.dim = dim + 1,
       .classifier = true,
       .loss = setup.labels.multi_label ? FastTextModel::Loss::OneVsAll : FastTextModel::Loss::Softmax,
       .epochs = job.training.epochs,
       .buckets = buckets,
       .word_ngrams = job.ngrams.longest,
       .shortest = has_chars ? job.ngrams.shortest_chars : 0,
       .longest = job.ngrams.longest_chars},
      end - first, static_cast<int64_t>(labels.size()));
  for (int32_t id = first; id < end; ++id)
    writer.add_entry(vocabulary.word(id), std::max<int64_t>(1, vocabulary.count(id)), false);
  for (const auto& label : labels) writer.add_entry(label, 1, true);
  writer.begin_input();
  std::vector<float> row(static_cast<size_t>(dim) + 1);
  const auto add_rows = [&](const at::Tensor& values, const float* last) {
    const auto rows = values.detach().cpu().contiguous();
    for (int64_t i = 0; i < rows.size(0); ++i) {
      std::copy_n(rows.const_data_ptr<float>() + i * dim, dim, row.begin());
      row.back() = last ? last[i] : 1;
      writer.add_row(row);
    }
  };
  constexpr int64_t kAtOnce = 65536;
  for (int64_t at = first; at < setup.features.rows(); at += kAtOnce)
    add_rows(task.network().rows(at, std::min(kAtOnce, setup.features.rows() - at)), nullptr);
  const auto& [weight, bias] =
      std::pair{tensor_named(task, "layers.0.weight"), tensor_named(task, "layers.0.bias")};
  writer.begin_output(static_cast<int64_t>(labels.size()));
  if (binary) writer.add_row(std::vector<float>(row.size()));
  add_rows(weight, bias.cpu().contiguous().const_data_ptr<float>());
  writer.finish();
  if (!is_plain(job.text))
    notice(fmt::format(
        "{}: takes the words that `semblance tokens` prints for a text; fastText has no cleaning of its "
        "own",
        output));
  return {{"output", output},   {"format", "fasttext"},    {"words", end - first},
          {"buckets", buckets}, {"labels", labels.size()}, {"dim", dim + 1}};
}

}  // namespace semblance
