#include "training/tasks/sentiment/data.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

#include "data/error.h"
#include "data/fingerprint.h"
#include "data/readers/label_cells.h"
#include "data/readers/labelled_texts.h"
#include "data/split.h"
#include "data/text/unicode.h"
#include "models/parallel.h"
#include "training/tasks/sentiment/loss.h"
#include "training/tasks/sentiment/trial.h"
#include "training/text_cache.h"

namespace semblance {
namespace {

std::array<double, 3> training_shares(const DataOptions& data) {
  return split_shares(data.split, !data.valid.empty(), !data.test.empty());
}

void check_labels(const LabelledTexts& texts, const LabelSet& labels, const std::string& path,
                  const Notice& notice) {
  const auto& classes = labels.classes;
  if (classes.size() < 2)
    throw Error(ErrorKind::Data, "{}: expected at least two classes, found only '{}'", path,
                classes.empty() ? "" : classes[0]);
  if (!labels.multi_label && classes.size() > 100 &&
      classes.size() > static_cast<size_t>(texts.labels.size()) / 2)
    throw Error(
        ErrorKind::Data,
        "{}: expected few different labels, found {} in {} rows, such as '{:.40}'; is --label-column right?",
        path, classes.size(), texts.labels.size(), classes[0]);
  if (const auto alike = labels.alike(); !alike.empty())
    notice(fmt::format(
        "warning: {}: {} class(es) are another one written differently, such as '{}' beside '{}'; write "
        "them alike if they "
        "are to be one",
        path, alike.size(), alike[0].second, alike[0].first));
}

bool has_letter_or_number(std::string_view word) {
  for (size_t i = 0; i < word.size();)
    if (character_properties(decode_utf8(word, i)).letter_or_number) return true;
  return false;
}

// Where most letters are of a script that puts no blanks between words, "words" are whole sentences.
bool mostly_unspaced(const TokenizedTexts& tokens) {
  int64_t long_runs = 0, counted = 0;
  Bulk<char> is_word, unspaced;
  for (int32_t word = 0; word < tokens.words.size(); ++word) {
    is_word.push_back(has_letter_or_number(tokens.words[word]));
    unspaced.push_back(is_unspaced(tokens.words[word]));
  }
  for (const int32_t word : tokens.tokens.values) {
    counted += is_word[static_cast<size_t>(word)];
    long_runs += unspaced[static_cast<size_t>(word)];
  }
  return long_runs * 2 > counted;
}

// What a log tells of a job: what training without options hangs on.
std::string description(const SentimentJob& job, const TextFacts& facts) {
  const auto chars = job.ngrams.longest_chars == 0
                         ? std::string("none")
                         : fmt::format("{}-{}", job.ngrams.shortest_chars, job.ngrams.longest_chars);
  return fmt::format(
      "{} texts of {:.0f} words: model {}, word n-grams to {}, character n-grams {}, {} epochs of {}, {} lr "
      "{:g}, {}",
      facts.texts, facts.mean_length, enum_name(job.model.kind), job.ngrams.longest, chars,
      job.training.epochs, job.training.batch_size, enum_name(job.training.optimizer),
      job.training.learning_rate, enum_name(job.training.schedule));
}

// Many texts may say all with their words, and n-grams are what a training then takes most of its time for:
// a trial of both decides.
void choose_ngrams(SentimentJob& job, const std::function<void(Job&)>& given, const TokenizedTexts& tokens,
                   const RaggedIds& labels, std::span<const int64_t> rows, const ClassifierSetup& setup) {
  SentimentJob words = job;
  words.ngrams.longest = 1;
  words.ngrams.longest_chars = 0;
  given(words);
  if (words.ngrams.all_buckets() == job.ngrams.all_buckets()) return;
  if (try_job(words, tokens, labels, rows, setup.labels) > try_job(job, tokens, labels, rows, setup.labels))
    job.ngrams = words.ngrams;
}

TextFacts facts_of(const TokenizedTexts& tokens, const LabelSet& labels) {
  const int64_t texts = tokens.tokens.size();
  return {.texts = texts,
          .classes = static_cast<int64_t>(labels.classes.size()),
          .mean_length = static_cast<double>(tokens.tokens.values.size()) / static_cast<double>(texts),
          .multi_label = labels.multi_label,
          .unspaced = mostly_unspaced(tokens)};
}

// Texts from which nothing can be learnt are an error; where it is some of them, their number is told.
void check_texts(const LabelledTexts& texts, const TokenizedTexts& tokens, const SentimentJob& job,
                 const std::string& path, const Notice& notice) {
  const int64_t rows = tokens.tokens.size();
  // What is left of an emoji may be a mark alone.
  Bulk<char> has_letter;
  for (int32_t word = 0; word < tokens.words.size(); ++word)
    has_letter.push_back(job.text.tokenizer != Tokenizer::Words || has_letter_or_number(tokens.words[word]));
  const int64_t blank = texts.blank;
  int64_t wordless = 0;
  for (int64_t row = 0; row < rows; ++row)
    wordless += std::ranges::none_of(tokens.tokens[row],
                                     [&](int32_t word) { return has_letter[static_cast<size_t>(word)]; });
  const auto remedy = job.text.tokenizer == Tokenizer::Words
                          ? "; --tokenizer whitespace takes everything between blanks for words"
                          : "";
  if (blank == rows)
    throw Error(ErrorKind::Data,
                "{}: expected texts, found {} rows whose texts are all empty; is --text-column "
                "right?",
                path, rows);
  if (wordless == rows)
    throw Error(ErrorKind::Data, "{}: expected texts with words, found no word in any of {}{}", path, rows,
                remedy);
  int64_t equal = 1;
  while (equal < rows && std::ranges::equal(tokens.tokens[equal], tokens.tokens[0])) ++equal;
  if (rows > 1 && equal == rows)
    throw Error(ErrorKind::Data, "{}: expected different texts, found {} times the same words", path, rows);
  if (wordless > 0)
    notice(fmt::format("warning: {}: {} of {} texts have no word ({} are empty){}", path, wordless, rows,
                       blank, wordless > blank ? remedy : ""));
}

// A class that a part lacks is not measured there.
void tell_absent_classes(const LabelledDataset* part, const LabelSet& labels, std::string_view name,
                         const std::string& path, const Notice& notice) {
  if (!part) return;
  std::vector<int64_t> rows(static_cast<size_t>(part->size()));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  const auto counts = count_classes(part->labels(), rows, labels.classes.size());
  const auto absent = std::ranges::count(counts, 0);
  if (absent == 0) return;
  const auto first = static_cast<size_t>(std::ranges::find(counts, 0) - counts.begin());
  notice(
      fmt::format("warning: {}: {} of {} classes have no text in the {} part, such as '{}'; --stratify gives "
                  "each part its share of every class",
                  path, absent, labels.classes.size(), name, labels.classes[first]));
}

Split split_stratified(std::span<const int64_t> groups, const RaggedIds& labels, const LabelSet& set,
                       const SentimentJob& job) {
  if (set.multi_label)
    throw Error(ErrorKind::Usage, "--stratify: expected one label per text, found sets of labels");
  return split_rows(groups, training_shares(job.data), static_cast<uint64_t>(job.training.seed),
                    labels.values);
}

Split split_texts(const TokenizedTexts& tokens, const RaggedIds& labels, const LabelSet& set,
                  const SentimentJob& job) {
  auto groups = tokens.duplicate_groups();
  if (job.data.split_duplicates) std::iota(groups.begin(), groups.end(), int64_t{0});
  return job.data.stratify
             ? split_stratified(groups, labels, set, job)
             : split_rows(groups, training_shares(job.data), static_cast<uint64_t>(job.training.seed));
}

std::string fingerprint(const LabelledDataset& train, const LabelledDataset* valid,
                        const Vocabulary& vocabulary) {
  Fingerprint fingerprint;
  for (const auto* data : {&train, valid}) {
    if (!data) continue;
    for (const auto* ids : {&data->texts(), &data->labels()}) {
      fingerprint.add(std::span(ids->values));
      fingerprint.add(std::span(ids->offsets));
    }
  }
  fingerprint.add(vocabulary.serialize());
  return fingerprint.digest();
}

}  // namespace

namespace {

// As LabelledDataset takes it.
int64_t classes_in_sets(const LabelSet& labels) {
  return labels.multi_label ? static_cast<int64_t>(labels.classes.size()) : 0;
}

}  // namespace

std::unique_ptr<LabelledDataset> make_dataset(RaggedIds texts, const RaggedIdsView& labels,
                                              std::span<const int64_t> rows, const ClassifierSetup& setup,
                                              const SentimentJob& job) {
  if (rows.empty()) return nullptr;
  return std::make_unique<LabelledDataset>(std::move(texts), select_rows<RaggedIds>(labels, rows),
                                           classes_in_sets(setup.labels), collation_of(job.model));
}

Collation collation_of(const ClassifierOptions& model) {
  using Shape = Collation::Shape;
  const bool fixed = model.kind == ClassifierKind::Flat ||
                     (model.pooling == ClassifierPooling::PaddedMean && model.max_length > 0);
  return {.shape = fixed                                            ? Shape::Fixed
                   : model.pooling == ClassifierPooling::PaddedMean ? Shape::Longest
                                                                    : Shape::Ragged,
          .max_length = model.max_length,
          .padding = model.padding,
          .truncation = model.truncation};
}

RowWeighting weighting_of(const ClassifierOptions& model) {
  if (model.kind == ClassifierKind::Linear) return RowWeighting::TfIdf;
  return model.token_weights == TokenWeights::Idf ? RowWeighting::IdfMean : RowWeighting::None;
}

void check_options(const SentimentJob& job) {
  const auto usage = [](auto format, const auto&... args) {
    throw Error(ErrorKind::Usage, fmt::format(fmt::runtime(format), args...));
  };
  if (job.data.train.empty()) usage("--train: expected a file of labelled texts, found none");
  training_shares(job.data);
  check_embedding(job.model.embedding, job.start);
  if (job.model.kind == ClassifierKind::Flat && job.model.max_length == 0)
    usage("--max-length: expected a length for --model flat, found 0");
  if (job.model.kind == ClassifierKind::Flat && job.model.pooling == ClassifierPooling::PaddedMean)
    usage("--pooling: expected mean with --model flat, which does not pool, found padded-mean");
  if (job.model.kind == ClassifierKind::Linear && job.model.pooling == ClassifierPooling::PaddedMean)
    usage("--pooling: expected mean with --model linear, which does not pad, found padded-mean");
  if (job.model.kind == ClassifierKind::Linear && !job.start.vectors.empty())
    usage("--vectors: expected none with --model linear, which has no embedding, found {}",
          job.start.vectors);
  if (job.model.kind == ClassifierKind::Linear && job.model.loss == LossChoice::Sampled)
    usage("--loss: expected another than sampled with --model linear, whose every weight is of all classes");
  if (job.start.freeze && !job.start.vectors.empty() && job.ngrams.all_buckets() > 0)
    usage("--freeze: expected an embedding of words alone, found one of n-grams too");
  if (job.model.kind == ClassifierKind::Linear && job.training.weight_decay != 0)
    usage("--weight-decay: expected 0 with --model linear, whose penalty is --linear-c, found {}",
          job.training.weight_decay);
  const bool padded =
      job.model.kind == ClassifierKind::Flat || job.model.pooling == ClassifierPooling::PaddedMean;
  if (job.model.embedding.zero_padding && !padded)
    usage("--zero-padding: expected --pooling padded-mean or --model flat, found a model without padding");
  if (job.model.kind == ClassifierKind::Linear &&
      (job.model.embedding.max_norm > 0 || job.model.embedding.scale_by_frequency))
    usage("--max-norm, --scale-grad-by-freq: expected neither with --model linear, which has no embedding");
  if (padded) {
    if (job.model.token_weights != TokenWeights::None)
      usage("--token-weights: expected none with a model of padded texts, found {}",
            enum_name(job.model.token_weights));
    if (job.ngrams.longest > 1)
      usage("--ngrams: expected 1 with a model of padded texts, found {}", job.ngrams.longest);
    if (job.ngrams.longest_chars > 0)
      usage("--char-ngrams: expected 0 with a model of padded texts, found {}", job.ngrams.longest_chars);
  }
}

namespace {

// What of the options has to do with how files are laid out.
InputOptions layout_options(InputOptions input) {
  input.table.bad_rows = BadRows::Error;
  return input;
}

}  // namespace

MeasuredTexts read_for_measuring(std::span<const std::string> paths, const InputOptions& layout,
                                 const ClassifierSetup& setup, const SentimentJob& job,
                                 const Notice& notice) {
  Expected trained;
  // Options that differ from the training's tell of another layout.
  if (setup.layout && options_to_json(layout_options(layout)) == options_to_json(layout_options(job.input)))
    trained.layout = &*setup.layout;
  trained.knows_label = setup.labels.lookup();
  auto known = read_known_texts(paths, layout, trained, setup.labels, notice);
  const int threads = compute_threads();
  auto& usable = known.numbered.usable;
  auto data = make_dataset(
      setup.features.encode(setup.features.tokenize(known.texts.texts, threads), usable, threads),
      known.numbered.labels, usable, setup, job);
  return {.data = std::move(data),
          .skipped = known.skipped,
          .texts = std::move(known.texts.texts),
          .rows = std::move(usable)};
}

MeasuredTexts read_validation(const ClassifierSetup& setup, const SentimentJob& job, const Notice& notice) {
  if (!job.data.valid.empty()) return read_for_measuring(job.data.valid, job.input, setup, job, notice);
  auto texts = read_labelled_texts(job.data.train, job.input);
  const auto numbered = number_labels(texts, setup.labels);
  if (static_cast<int64_t>(numbered.usable.size()) != texts.texts.size())
    throw Error(ErrorKind::Data, "{}: expected the texts trained on, found the label '{}'",
                job.data.train.front(), numbered.unknown);
  const int threads = compute_threads();
  const auto tokens = setup.features.tokenize(texts.texts, threads);
  auto rows = split_texts(tokens, numbered.labels, setup.labels, job).valid;
  auto data = make_dataset(setup.features.encode(tokens, rows, threads), numbered.labels, rows, setup, job);
  return {.data = std::move(data), .texts = std::move(texts.texts), .rows = std::move(rows)};
}

std::vector<float> count_ngrams(const ClassifierSetup& setup, const SentimentJob& job) {
  const auto& features = setup.features;
  std::vector<float> counts(static_cast<size_t>(features.ngram_rows()));
  try {
    const auto texts = read_labelled_texts(job.data.train, job.input);
    for (const int32_t id : features.encode(texts.texts, compute_threads()).ids.values)
      if (id >= features.vocabulary().size())
        ++counts[static_cast<size_t>(id - features.vocabulary().size())];
  } catch (const Error&) {
    counts.assign(counts.size(), 1);
  }
  return counts;
}

namespace {

SentimentData make_data(SentimentJob& job, const std::function<void(Job&)>& given,
                        const StartVectors& vectors, const Notice& notice) {
  SentimentData data{.train = {},
                     .valid = {},
                     .test = {},
                     .setup = {.features = {job.text, job.ngrams, vectors.word_piece()}}};
  auto& setup = data.setup;
  const auto& path = job.data.train.front();
  const int threads = compute_threads();
  TextTokenizer tokenizer(setup.features.pipeline(), threads);
  const auto texts = read_labelled_texts(job.data.train, job.input, {}, &tokenizer);
  texts.report.tell(path, notice);
  setup.layout = texts.layout;
  setup.labels = LabelSet(texts);
  check_labels(texts, setup.labels, path, notice);
  const auto labels = number_labels(texts, setup.labels).labels;
  auto tokens = tokenizer.take();
  check_texts(texts, tokens, job, path, notice);
  const auto split = split_texts(tokens, labels, setup.labels, job);
  const auto facts = facts_of(tokens, setup.labels);
  if (given) {
    const auto cut_by = job.text.tokenizer;
    job.choose_defaults(facts);
    if (cut_by == Tokenizer::WordPiece) job.text.tokenizer = cut_by;
    given(job);
    if (facts.texts > SentimentJob::kManyTexts) choose_ngrams(job, given, tokens, labels, split.train, setup);
    notice(description(job, facts));
  }
  check_options(job);
  if (facts.unspaced && job.ngrams.longest_chars == 0)
    notice(
        fmt::format("warning: {}: most words are runs of letters of a script without blanks between words; "
                    "--char-ngrams 3 --min-char-ngrams 1 learns from their parts",
                    path));
  setup.features.set_ngrams(job.ngrams);
  setup.dim = vectors.dim(job.model.dim, kDefaultDim);
  setup.loss = choose_loss(job.model.loss, setup.labels);

  setup.features.set_vocabulary(vectors.vocabulary(tokens, split.train, job.vocabulary));
  setup.class_counts = count_classes(labels, split.train, setup.labels.classes.size());
  const auto& counts = setup.class_counts;
  setup.class_weights = choose_class_weights(job.model.class_weights, counts, setup.labels.multi_label);
  const auto held_out = [&](std::span<const int64_t> rows) {
    return make_dataset(setup.features.encode(tokens, rows, threads), labels, rows, setup, job);
  };
  data.train =
      make_dataset(setup.features.fit(tokens, split.train, threads), labels, split.train, setup, job);
  data.valid = held_out(split.valid);
  data.test = held_out(split.test);
  if (!data.train)
    throw Error(ErrorKind::Data, "{}: expected texts to train on, found too few for --split", path);
  if (std::ranges::count_if(counts, [](int64_t count) { return count > 0; }) < 2)
    throw Error(ErrorKind::Data,
                "{}: expected at least two classes in the training part, found one; check --split", path);
  if (weighting_of(job.model) != RowWeighting::None)
    setup.idf = inverse_document_frequencies(data.train->texts(), setup.features.rows());
  if (!job.data.valid.empty())
    data.valid = read_for_measuring(job.data.valid, job.input, setup, job, notice).data;
  if (!job.data.test.empty())
    data.test = read_for_measuring(job.data.test, job.input, setup, job, notice).data;
  for (const auto& [name, part] :
       {std::pair{"training", data.train.get()}, std::pair{"validation", data.valid.get()},
        std::pair{"test", data.test.get()}})
    tell_absent_classes(part, setup.labels, name, path, notice);
  setup.data_fingerprint = fingerprint(*data.train, data.valid.get(), setup.features.vocabulary());

  const auto size = [](const auto& part) { return part ? part->size() : 0; };
  notice(fmt::format("{} texts to train on, {} to validate, {} to test; {} words; {}", size(data.train),
                     size(data.valid), size(data.test), setup.features.words(), setup.labels.description()));
  return data;
}

// The options that the encoded texts follow from, besides what the inputs hold.
Json data_options(const SentimentJob& job, const TextFeatures& features) {
  Json json = {{"data", options_to_json(job.data)},
               {"input", options_to_json(job.input)},
               {"text", options_to_json(job.text)},
               {"stop_words", features.pipeline().stop_words()},
               {"vocabulary", options_to_json(job.vocabulary)},
               {"ngrams", options_to_json(job.ngrams)},
               {"start", options_to_json(job.start)},
               {"weighting", static_cast<int>(weighting_of(job.model))},
               {"seed", job.training.seed}};
  json["data"].erase("cache");
  return json;
}

// Those that the choice of defaults may hang on: all but what no number follows from.
Json asked_options(const SentimentJob& job, const TextFeatures& features) {
  Json json = job_to_json(job);
  json["stop_words"] = features.pipeline().stop_words();
  json["data"].erase("cache");
  for (const char* field : {"threads", "device", "epochs", "patience", "checkpoint-every",
                            "checkpoint-content", "keep-last", "log-every", "tensorboard"})
    json["training"].erase(field);
  return json;
}

void add_part(ArrayFileWriter& writer, const std::string& name, const LabelledDataset* part) {
  if (!part) return;
  add_rows(writer, name, part->texts());
  add_rows(writer, name + ".labels", part->labels());
}

Json save(const SentimentData& data, ArrayFileWriter& writer) {
  add_part(writer, "train", data.train.get());
  add_part(writer, "valid", data.valid.get());
  add_part(writer, "test", data.test.get());
  const auto& setup = data.setup;
  writer.add("idf", std::span(setup.idf));
  return {{"features", add_features(writer, setup.features)}, {"classes", setup.labels.classes},
          {"multi_label", setup.labels.multi_label},          {"class_counts", setup.class_counts},
          {"layout", layout_to_json(*setup.layout)},          {"fingerprint", setup.data_fingerprint}};
}

SentimentData load(const ArrayFile& file, const SentimentJob& job, const StartVectors& vectors) {
  const auto& notes = file.notes();
  const auto idf = file.array<float>("idf");
  ClassifierSetup setup{.features = features_in(file, job.text, job.ngrams, notes.at("features")),
                        .dim = vectors.dim(job.model.dim, kDefaultDim),
                        .class_counts = notes.at("class_counts"),
                        .idf = {idf.begin(), idf.end()},
                        .layout = layout_from_json(notes.at("layout")),
                        .data_fingerprint = notes.at("fingerprint")};
  setup.labels.classes = notes.at("classes");
  setup.labels.multi_label = notes.at("multi_label");
  setup.loss = choose_loss(job.model.loss, setup.labels);
  setup.class_weights =
      choose_class_weights(job.model.class_weights, setup.class_counts, setup.labels.multi_label);
  const auto part = [&](const std::string& name) -> std::unique_ptr<LabelledDataset> {
    if (!file.has(name + ".values")) return nullptr;
    return std::make_unique<LabelledDataset>(rows_in(file, name), rows_in(file, name + ".labels"),
                                             classes_in_sets(setup.labels), collation_of(job.model));
  };
  return {.train = part("train"), .valid = part("valid"), .test = part("test"), .setup = std::move(setup)};
}

SentimentData through_cache(SentimentJob& job, const std::function<void(Job&)>& given,
                            const StartVectors& vectors, const Notice& notice) {
  TextCache cache(job.data.cache, inputs_of_texts(job, job.start), notice);
  const TextFeatures features(job.text, job.ngrams, vectors.word_piece());
  const auto asked = asked_options(job, features);
  const SentimentJob before = job;
  return cache.get(
      [&]() -> std::optional<SentimentData> {
        job = before;
        if (given) {  // the defaults that were chosen by these texts
          const auto choice = cache.find("defaults", asked);
          if (!choice) return std::nullopt;
          job_from_json(job, choice->notes().at("job"));
          given(job);
          check_options(job);
        }
        const auto file = cache.find("sentiment", data_options(job, features));
        if (!file) return std::nullopt;
        return load(*file, job, vectors);
      },
      [&](const Notice& told) {
        job = before;
        const auto data = make_data(job, given, vectors, told);
        cache.keep("sentiment", data_options(job, features),
                   [&](ArrayFileWriter& writer) { return save(data, writer); });
        if (given)
          cache.keep("defaults", asked, [&](ArrayFileWriter&) { return Json{{"job", job_to_json(job)}}; });
      });
}

}  // namespace

SentimentData prepare_data(SentimentJob& job, const std::function<void(Job&)>& given,
                           const StartVectors& vectors, const Notice& notice) {
  return job.data.cache.empty() ? make_data(job, given, vectors, notice)
                                : through_cache(job, given, vectors, notice);
}

}  // namespace semblance
