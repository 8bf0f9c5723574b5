#include "training/measures/word_sets.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "data/io/line_reader.h"
#include "data/text/unicode.h"
#include "training/measures/correlation.h"
#include "training/serving/word_queries.h"

namespace semblance {
namespace {

// gensim asks for five words, and takes the first that is no other spelling of the question's.
constexpr int64_t kAnswers = 5;

std::string valid_utf8(std::string_view word) {
  std::string valid;
  append_valid_utf8(word, valid);
  return valid;
}

// As gensim has it, nothing but this opens a section of analogies: words may begin with a colon.
bool opens_section(std::string_view line) {
  return line == ":" || line.starts_with(": ");
}

// The fields of a line with two words and a number: between tabs, where a word may have blanks, or else
// between blanks.
std::vector<std::string_view> pair_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  for (size_t begin = 0; begin <= line.size();) {
    const size_t end = std::min(line.find('\t', begin), line.size());
    auto field = line.substr(begin, end - begin);
    field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
    fields.push_back(field.substr(0, field.find_last_not_of(" \r") + 1));
    begin = end + 1;
  }
  return fields.size() == 3 ? fields : split_blanks(line);
}

void expect_examples(const LineReader& lines, int64_t examples, int64_t skipped, std::string_view what) {
  if (examples == 0)
    throw Error(ErrorKind::Data,
                "{}: expected {} to measure, of words that all are known, found none; {} left out",
                lines.name(), what, skipped);
}

// The words that count, by their spelling or whatever their case.
class KnownWords {
 public:
  KnownWords(const WordVectors& vectors, const WordSetOptions& options)
      : vectors_(vectors), fold_(options.case_insensitive) {
    size_ = options.restrict_vocabulary > 0 ? std::min(options.restrict_vocabulary, vectors.size())
                                            : vectors.size();
    if (!fold_) return;
    for (int64_t id = 0; id < size_; ++id)
      if (table_.add(spelling(vectors.word(id))) == static_cast<int32_t>(first_.size())) first_.push_back(id);
  }

  int64_t size() const { return size_; }
  // The id of the word, or -1.
  int64_t find(std::string_view word) const {
    if (fold_) {
      const int32_t found = table_.find(spelling(word));
      return found < 0 ? -1 : first_[static_cast<size_t>(found)];
    }
    const int64_t found = vectors_.find(word);
    return found < size_ ? found : -1;
  }
  // What words that count as one have in common.
  std::string spelling(std::string_view word) const {
    return fold_ ? case_folded(valid_utf8(word)) : std::string(word);
  }

 private:
  const WordVectors& vectors_;
  bool fold_;
  int64_t size_;
  WordTable table_;
  std::vector<int64_t> first_;
};

double share(int64_t part, int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

Json evaluate_analogies(const WordVectors& vectors, LineReader& lines, std::string_view line,
                        const KnownWords& known) {
  struct Section {
    std::string name;
    int64_t examples = 0, correct = 0, skipped = 0;
  };
  struct Question {
    size_t section;
    std::array<std::string, 3> given;
    std::string expected;
  };
  std::vector<Section> sections;
  std::vector<Question> questions;
  std::vector<WordQuery> queries;
  do {
    const auto words = split_blanks(line);
    if (words.empty()) continue;
    if (opens_section(line)) {
      const size_t name = line.find_first_not_of(": \t");
      sections.push_back({.name = name == std::string_view::npos ? "" : std::string(line.substr(name))});
      continue;
    }
    if (words.size() != 4)
      throw Error(ErrorKind::Data, "{}:{}: expected four words of an analogy, found {}", lines.name(),
                  lines.line_number(), words.size());
    std::array<int64_t, 4> ids{};
    for (size_t i = 0; i < 4; ++i) ids[i] = known.find(words[i]);
    if (std::ranges::any_of(ids, [](int64_t id) { return id < 0; })) {
      ++sections.back().skipped;
      continue;
    }
    ++sections.back().examples;
    questions.push_back({sections.size() - 1,
                         {known.spelling(words[0]), known.spelling(words[1]), known.spelling(words[2])},
                         known.spelling(words[3])});
    queries.push_back({.positive = {ids[1], ids[2]}, .negative = {ids[0]}});
  } while (lines.next(line));

  const auto answers = WordQueries(vectors).most_similar(queries, kAnswers, known.size());
  for (size_t q = 0; q < questions.size(); ++q)
    for (const auto& neighbor : answers[q]) {
      const auto answer = known.spelling(vectors.word(neighbor.id));
      if (std::ranges::find(questions[q].given, answer) != questions[q].given.end()) continue;
      sections[questions[q].section].correct += answer == questions[q].expected;
      break;
    }
  int64_t examples = 0, correct = 0, skipped = 0;
  for (const auto& section : sections) {
    examples += section.examples;
    correct += section.correct;
    skipped += section.skipped;
  }
  expect_examples(lines, examples, skipped, "analogies");
  Json by_section = Json::array();
  for (const auto& section : sections)
    by_section.push_back({{"section", section.name},
                          {"accuracy", share(section.correct, section.examples)},
                          {"correct", section.correct},
                          {"examples", section.examples},
                          {"skipped", section.skipped}});
  return {{"task", "analogies"},   {"accuracy", share(correct, examples)},
          {"correct", correct},    {"examples", examples},
          {"skipped", skipped},    {"coverage", share(examples, examples + skipped)},
          {"sections", by_section}};
}

// The vector of a word, in `room` where it has to be made, and whether it was; empty for an unknown word.
struct FoundVector {
  std::span<const float> values;
  bool made = false;
};
using FindVector = std::function<FoundVector(std::string_view word, std::vector<float>& room)>;

FoundVector make_vector(const WordEncoder& encoder, std::string_view word, bool fold,
                        std::vector<float>& room) {
  const std::string valid = valid_utf8(word);
  std::string spelling = fold ? "" : valid;
  for (size_t i = 0; fold && i < valid.size();) append_lower(valid, i, spelling);
  room.resize(static_cast<size_t>(encoder.dim()));
  if (!encoder.encode(spelling, room)) return {};
  return {room, true};
}

Json evaluate_similarities(LineReader& lines, std::string_view line, const FindVector& find_vector) {
  std::vector<double> expected, found;
  std::vector<float> room_a, room_b;
  int64_t skipped = 0, made = 0;
  do {
    if (line.starts_with('#')) continue;
    const auto fields = pair_fields(line);
    if (fields.empty()) continue;
    if (fields.size() != 3)
      throw Error(
          ErrorKind::Data,
          "{}:{}: expected two words and a number, or ': ' and the name of a section of analogies, found "
          "{} field(s)",
          lines.name(), lines.line_number(), fields.size());
    double score;
    try {
      score = parse_real(fields[2], "score", Field{.help = ""});
    } catch (const Error&) {
      if (lines.line_number() == 1) continue;  // a header
      throw Error(ErrorKind::Data, "{}:{}: expected two words and a number, found '{}' for the number",
                  lines.name(), lines.line_number(), fields[2]);
    }
    const auto a = find_vector(fields[0], room_a), b = find_vector(fields[1], room_b);
    if (a.values.empty() || b.values.empty()) {
      ++skipped;
      continue;
    }
    made += a.made || b.made;
    expected.push_back(score);
    found.push_back(cosine(a.values, b.values));
  } while (lines.next(line));
  const auto examples = static_cast<int64_t>(expected.size());
  expect_examples(lines, examples, skipped, "pairs");
  const double by_rank = spearman(expected, found), by_value = pearson(expected, found);
  if (std::isnan(by_rank))
    throw Error(
        ErrorKind::Data,
        "{}: expected pairs that differ in their numbers and in their cosines, found {} that do not; {} "
        "left out",
        lines.name(), examples, skipped);
  return {{"task", "similarities"},
          {"spearman", by_rank},
          {"pearson", by_value},
          {"examples", examples},
          {"skipped", skipped},
          {"coverage", share(examples, examples + skipped)},
          {"oov", made}};
}

// The first line that is not blank.
std::string_view first_line(LineReader& lines) {
  std::string_view line;
  do {
    if (!lines.next(line))
      throw Error(ErrorKind::Data, "{}: expected a set of words, found an empty file", lines.name());
  } while (split_blanks(line).empty());
  return line;
}

void expect_similarities(const LineReader& lines, std::string_view line) {
  if (opens_section(line))
    throw Error(
        ErrorKind::Data,
        "{}:{}: expected two words and a number, found a section of analogies, whose answers are sought "
        "among known words alone",
        lines.name(), lines.line_number());
}

}  // namespace

Json evaluate_word_set(const WordVectors& vectors, const std::string& path, const WordSetOptions& options,
                       const WordEncoder* oov) {
  LineReader lines{ByteStream(path)};
  const auto line = first_line(lines);
  if (oov) expect_similarities(lines, line);
  const KnownWords known(vectors, options);
  if (opens_section(line)) return evaluate_analogies(vectors, lines, line, known);
  return evaluate_similarities(
      lines, line, [&](std::string_view word, std::vector<float>& room) -> FoundVector {
        if (const int64_t id = known.find(word); id >= 0) return {vectors.vector(id)};
        return oov ? make_vector(*oov, word, options.case_insensitive, room) : FoundVector{};
      });
}

Json evaluate_word_set(const WordEncoder& encoder, const std::string& path, const WordSetOptions& options) {
  LineReader lines{ByteStream(path)};
  const auto line = first_line(lines);
  expect_similarities(lines, line);
  return evaluate_similarities(lines, line, [&](std::string_view word, std::vector<float>& room) {
    return make_vector(encoder, word, options.case_insensitive, room);
  });
}

}  // namespace semblance
