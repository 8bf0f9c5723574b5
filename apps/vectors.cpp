// semblance vectors info|vector|similarity|neighbors|analogy|odd-one-out|closest|evaluate|convert FILE …
// [options]
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>

#include <fmt/ranges.h>

#include "apps/command_line.h"
#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "data/io/line_reader.h"
#include "data/text/unicode.h"
#include "data/vectors/convert.h"
#include "training/measures/word_sets.h"
#include "training/serving/word_queries.h"
#include "training/tasks/export_fasttext.h"
#include "training/tasks/open_words.h"

namespace semblance {
namespace {

constexpr const char* kStream = "-";
constexpr const char* kFastText = "fasttext";
constexpr const char* kNoNeighbors = "have no neighbours; a zero vector is near to nothing";

// What each of the verbs below has.
struct Session {
  Session(std::string usage, std::string description) : line("vectors " + usage, std::move(description)) {
    line.add_fields(VectorFileOptions{}, "Vectors");
    line.add_fields(ThreadOptions{}, "Vectors");
    line.add_flag("Output", "json", "print JSON: one object, or one per query where they come from a stream");
  }

  bool parse(Arguments arguments) {
    if (!line.parse(arguments)) return false;
    line.apply_fields(options);
    json = line.given("json");
    ThreadOptions threads;
    line.apply_fields(threads);
    line.apply_fields(top);
    set_threads(threads.threads);
    return true;
  }
  void add_top() { line.add_fields(top, "Query"); }
  /// --oov, for the verbs that can make up for unknown words.
  void add_oov() { add_oov_option(line, "Vectors"); }
  std::shared_ptr<WordEncoder> open_oov(const WordVectors& vectors) const {
    return semblance::open_oov(line, vectors);
  }
  WordVectors load(const std::string& path) const { return open_word_vectors(path, options, print_note); }
  void print(const Json& object, const std::string& table) const {
    print_out(json ? json_line(object) + "\n" : table);
  }

  CommandLine line;
  VectorFileOptions options;
  TopOptions top;
  bool json = false;
};

Json neighbor_list(const WordVectors& vectors, const std::vector<Neighbor>& neighbors) {
  Json list = Json::array();
  for (const auto& neighbor : neighbors)
    list.push_back({{"word", vectors.word(neighbor.id)}, {"similarity", neighbor.similarity}});
  return list;
}

std::string neighbor_table(const WordVectors& vectors, const std::vector<Neighbor>& neighbors) {
  std::string table;
  for (const auto& neighbor : neighbors)
    table += fmt::format("{:>8.4f}  {}\n", neighbor.similarity, vectors.word(neighbor.id));
  return table;
}

// The vector that `oov`, if there is one, makes for a word of any bytes; empty where it knows nothing of it.
std::vector<float> make_vector(const WordEncoder* oov, std::string_view word) {
  if (!oov) return {};
  std::string valid;
  append_valid_utf8(word, valid);
  std::vector<float> made(static_cast<size_t>(oov->dim()));
  if (!oov->encode(valid, made)) made.clear();
  return made;
}

// The vector of a word, made by `oov` where `vectors` lack it and `oov` is there. Throws Error(Data) for an
// unknown word.
std::vector<float> vector_of(std::string_view word, const WordQueries& queries, const WordEncoder* oov) {
  if (queries.vectors().find(word) < 0)
    if (auto made = make_vector(oov, word); !made.empty()) return made;
  const auto known = queries.vectors().vector(queries.id(word));
  return {known.begin(), known.end()};
}

// Answers the lines of standard input, many at once where they are there, each with one answer: parse(line,
// query) says what a line asks, or returns the word that is not known. Where there is none to name, the line
// is blank.
void answer_stream(
    const Session& session, const WordQueries& queries, const WordEncoder* oov,
    const std::function<std::optional<std::string>(std::string_view line, WordQuery& query)>& parse) {
  struct Asked {
    std::string line;
    std::optional<std::string> unknown;
    bool made = false;  // a vector, of the word that is not known
  };
  std::vector<Asked> asked;
  std::vector<WordQuery> known;
  std::vector<float> made;
  int64_t unknown = 0, near_nothing = 0, total = 0;
  const auto answer = [&] {
    const auto of_known = queries.most_similar(known, session.top.top);
    const auto of_made = queries.nearest_to(made, session.top.top);
    auto next_known = of_known.begin(), next_made = of_made.begin();
    for (const auto& [line, unknown_word, is_made] : asked) {
      const bool is_known = !unknown_word || is_made;
      const auto neighbors = !unknown_word ? *next_known++ : is_made ? *next_made++ : std::vector<Neighbor>{};
      near_nothing += is_known && neighbors.empty();
      Json object = {{"query", line}, {"neighbors", neighbor_list(queries.vectors(), neighbors)}};
      if (!is_known) object["unknown"] = *unknown_word;
      session.print(object,
                    fmt::format("{}{}\n{}", line, is_known ? "" : ": '" + *unknown_word + "' is not known",
                                neighbor_table(queries.vectors(), neighbors)));
    }
    flush_out();
    asked.clear();
    known.clear();
    made.clear();
  };
  const auto at_once = static_cast<size_t>(queries_at_once(session.top.top));
  for_each_line(kStream, [&](std::string_view line, bool may_wait) {
    WordQuery query;
    auto& last = asked.emplace_back(std::string(line), parse(line, query), false);
    ++total;
    if (!last.unknown) {
      known.push_back(std::move(query));
    } else if (const auto vector = make_vector(oov, line); !vector.empty()) {
      last.made = true;
      made.insert(made.end(), vector.begin(), vector.end());
    } else {
      ++unknown;
    }
    if (may_wait || asked.size() == at_once) answer();
  });
  if (!asked.empty()) answer();
  if (unknown > 0) print_note(fmt::format("warning: {} of {} queries have an unknown word", unknown, total));
  if (near_nothing > 0)
    print_note(fmt::format("warning: {} of {} queries {}", near_nothing, total, kNoNeighbors));
}

int info(Arguments arguments) {
  Session session("info FILE [options]",
                  "Reads a whole file of vectors, verifies it and tells what it holds.");
  if (!session.parse(arguments)) return 0;
  const auto& path = session.line.positional(1, 1)[0];
  const auto vectors = session.load(path);
  const auto norms = vectors.norms();
  const auto [least, most] = std::ranges::minmax(norms);
  double sum = 0;
  for (const float norm : norms) sum += static_cast<double>(norm);
  const Json report = {{"file", path},
                       {"format", vectors.format()},
                       {"vectors", vectors.size()},
                       {"dim", vectors.dim()},
                       {"bytes", vectors.values().size_bytes()},
                       {"first", vectors.word(0)},
                       {"last", vectors.word(vectors.size() - 1)},
                       {"zero_vectors", std::ranges::count(norms, 0.f)},
                       {"least_norm", least},
                       {"mean_norm", sum / static_cast<double>(norms.size())},
                       {"largest_norm", most}};
  session.print(report, metrics_table(report));
  return 0;
}

int vector(Arguments arguments) {
  Session session("vector FILE WORD… [options]", "Prints words' vectors, in word2vec's text form.");
  session.add_oov();
  if (!session.parse(arguments)) return 0;
  const auto& given = session.line.positional(2, 100000);
  const auto vectors = session.load(given[0]);
  const WordQueries queries(vectors);
  const auto oov = session.open_oov(vectors);
  Json object = Json::object();
  std::string table = fmt::format("{} {}\n", given.size() - 1, vectors.dim());
  for (const auto& word : std::span(given).subspan(1)) {
    const auto values = vector_of(word, queries, oov.get());
    object[word] = values;
    table += fmt::format("{} {}\n", word, fmt::join(values, " "));
  }
  session.print(object, table);
  return 0;
}

int similarity(Arguments arguments) {
  Session session("similarity FILE A B [options]", "Prints the cosine of two words' vectors.");
  session.add_oov();
  if (!session.parse(arguments)) return 0;
  const auto& given = session.line.positional(3, 3);
  const auto vectors = session.load(given[0]);
  const WordQueries queries(vectors);
  const auto oov = session.open_oov(vectors);
  const double value =
      cosine(vector_of(given[1], queries, oov.get()), vector_of(given[2], queries, oov.get()));
  session.print({{"similarity", value}}, fmt::format("{:.6f}\n", value));
  return 0;
}

int neighbors(Arguments arguments) {
  Session session("neighbors FILE [WORD|-] [options]",
                  "Prints the words nearest to a word, to each line of standard input, or to a vector.");
  session.add_top();
  session.line.add_option("Query", "vector", "X,X,…", "a vector instead of a word");
  session.add_oov();
  if (!session.parse(arguments)) return 0;
  const auto& given = session.line.positional(1, 2);
  const auto vectors = session.load(given[0]);
  const WordQueries queries(vectors);
  const auto oov = session.open_oov(vectors);
  const auto print = [&](const std::vector<Neighbor>& found) {
    if (found.empty()) print_note(fmt::format("warning: 1 of 1 queries {}", kNoNeighbors));
    session.print({{"neighbors", neighbor_list(vectors, found)}}, neighbor_table(vectors, found));
  };
  if (const auto text = session.line.last("vector")) {
    std::vector<float> values;
    for (const auto& part : split_list(*text))
      values.push_back(static_cast<float>(parse_real(part, "vector", {})));
    if (static_cast<int64_t>(values.size()) != vectors.dim())
      throw Error(ErrorKind::Usage, "--vector: expected {} numbers, found {}", vectors.dim(), values.size());
    print(queries.nearest_to(values, session.top.top)[0]);
  } else if (given.size() > 1 && given[1] != kStream && oov && vectors.find(given[1]) < 0) {
    print(queries.nearest_to(vector_of(given[1], queries, oov.get()), session.top.top)[0]);
  } else if (given.size() > 1 && given[1] != kStream) {
    print(queries.most_similar(std::vector<WordQuery>{{.positive = {queries.id(given[1])}, .negative = {}}},
                               session.top.top)[0]);
  } else {
    answer_stream(session, queries, oov.get(),
                  [&](std::string_view line, WordQuery& query) -> std::optional<std::string> {
                    query.positive = {vectors.find(line)};
                    if (query.positive[0] < 0) return std::string(line);
                    return {};
                  });
  }
  return 0;
}

int analogy(Arguments arguments) {
  Session session(
      "analogy FILE [-] [options]",
      "Prints the words nearest to the mean of the positive unit vectors minus the negative ones:\n"
      "--positive king --positive woman --negative man. With - each line of standard input is a query:\n"
      "words, the negative ones behind a minus sign (king woman -man).");
  session.add_top();
  session.line.add_option("Query", "positive", "WORD", "a word to add; may be given several times");
  session.line.add_option("Query", "negative", "WORD", "a word to subtract; may be given several times");
  if (!session.parse(arguments)) return 0;
  const auto& given = session.line.positional(1, 2);
  const auto positive = session.line.all("positive"), negative = session.line.all("negative");
  const bool stream = given.size() > 1;
  if (stream && given[1] != kStream)
    throw Error(ErrorKind::Usage, "expected - for queries from standard input, found '{}'", given[1]);
  if (!stream && positive.empty() && negative.empty())
    throw Error(ErrorKind::Usage, "--positive: expected a word, found none");
  const auto vectors = session.load(given[0]);
  const WordQueries queries(vectors);
  if (!stream) {
    WordQuery query;
    for (const auto& word : positive) query.positive.push_back(queries.id(word));
    for (const auto& word : negative) query.negative.push_back(queries.id(word));
    const auto found = queries.most_similar(std::span(&query, 1), session.top.top)[0];
    if (found.empty()) print_note(fmt::format("warning: 1 of 1 queries {}", kNoNeighbors));
    session.print({{"neighbors", neighbor_list(vectors, found)}}, neighbor_table(vectors, found));
    return 0;
  }
  answer_stream(session, queries, nullptr,
                [&](std::string_view line, WordQuery& query) -> std::optional<std::string> {
                  const auto words = split_blanks(line);
                  if (words.empty()) return "";
                  for (const auto word : words) {
                    // A word may begin with a minus sign of its own.
                    int64_t id = vectors.find(word);
                    const bool turned = id < 0 && word.starts_with('-');
                    if (turned) id = vectors.find(word.substr(1));
                    if (id < 0) return std::string(word);
                    (turned ? query.negative : query.positive).push_back(id);
                  }
                  return {};
                });
  return 0;
}

int odd_one_out(Arguments arguments) {
  Session session("odd-one-out FILE WORD… [options]",
                  "Prints the word of the lowest cosine to the mean of all; unknown words do not count.");
  if (!session.parse(arguments)) return 0;
  const auto& given = session.line.positional(2, 100000);
  const auto vectors = session.load(given[0]);
  const auto word = WordQueries(vectors).odd_one_out(std::span(given).subspan(1));
  session.print({{"word", word}}, word + "\n");
  return 0;
}

int closest(Arguments arguments) {
  Session session("closest FILE WORD WORD… [options]",
                  "Prints which of the later words is nearest to the first.");
  if (!session.parse(arguments)) return 0;
  const auto& given = session.line.positional(3, 100000);
  const auto vectors = session.load(given[0]);
  const auto word = WordQueries(vectors).closest(given[1], std::span(given).subspan(2));
  session.print({{"word", word}}, word + "\n");
  return 0;
}

int evaluate(Arguments arguments) {
  Session session(
      "evaluate FILE SET [options]",
      "Measures vectors on analogies (sections and four words per line) or on word similarities (two\n"
      "words and a number per line).");
  session.line.add_fields(WordSetOptions{}, "Words");
  session.add_oov();
  if (!session.parse(arguments)) return 0;
  const auto& given = session.line.positional(2, 2);
  WordSetOptions options;
  session.line.apply_fields(options);
  const auto start = std::chrono::steady_clock::now();
  const auto vectors = session.load(given[0]);
  const auto oov = session.open_oov(vectors);
  Json report = evaluate_word_set(vectors, given[1], options, oov.get());
  report["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  session.print(report, metrics_table(report));
  return 0;
}

int convert(Arguments arguments) {
  Session session("convert FILE --format FORMAT --output FILE [options]",
                  "Writes vectors in another format. A mapped file opens at once, whatever its size.");
  session.line.add_option("Output", "format", enum_choices<VectorFormat>() + "|" + kFastText,
                          "what to write");
  session.line.add_option(
      "Output", "oov", "RUN",
      "fasttext: a trigram run, whose n-grams give vectors to words that are not written");
  session.line.add_option("Output", "output", "FILE|-", "where to write it; a file is replaced in one step");
  if (!session.parse(arguments)) return 0;
  const auto& given = session.line.positional(1, 1);
  const auto output = output_file(session.line);
  const auto name = session.line.last("format").value_or(""), oov = session.line.last("oov").value_or("");
  if (name == kFastText) {
    const auto ngrams = oov.empty() ? nullptr : open_ngram_table(oov, print_note);
    const Json report = write_fasttext_vectors(session.load(given[0]), ngrams.get(), output, print_note);
    if (output != kStream) session.print(report, metrics_table(report));
    return 0;
  }
  if (!oov.empty())
    throw Error(ErrorKind::Usage, "--oov: expected --format fasttext beside it, found {}", name);
  const auto format = parse_enum<VectorFormat>(name, "format");
  int64_t rows = 0;
  if (std::filesystem::is_directory(given[0])) {
    const auto vectors = session.load(given[0]);
    rows = vectors.size();
    write_vectors(vectors, output, format, print_note);
  } else {
    rows = convert_vectors(given[0], session.options, output, format, print_note);
  }
  if (output == kStream) return 0;
  const Json report = {{"output", output}, {"format", enum_name(format)}, {"vectors", rows}};
  session.print(report, metrics_table(report));
  return 0;
}

constexpr Verb kQueries[] = {
    {"info", info, "what a file of vectors holds"},
    {"vector", vector, "the vectors of words"},
    {"similarity", similarity, "the cosine of two words"},
    {"neighbors", neighbors, "the words nearest to a word"},
    {"analogy", analogy, "the words nearest to a sum of words"},
    {"odd-one-out", odd_one_out, "the word that does not belong"},
    {"closest", closest, "which of some words is nearest to another"},
    {"evaluate", evaluate, "accuracy on analogies, correlation with word similarities"},
    {"convert", convert, "another format"},
};

}  // namespace

std::vector<std::vector<std::string>> vectors_forms() {
  std::vector<std::vector<std::string>> forms;
  for (const auto& query : kQueries) forms.push_back({query.name});
  return forms;
}

int run_vectors(Arguments arguments) {
  std::string names;
  for (const auto& query : kQueries) (names += names.empty() ? "" : ", ") += query.name;
  if (arguments.empty())
    throw Error(ErrorKind::Usage, "expected one of {}; see semblance vectors --help", names);
  if (arguments[0] == "--help" || arguments[0] == "-h") {
    std::string text =
        "Asks questions of word vectors.\n\nUsage: semblance vectors QUERY FILE … [options]\n\n";
    for (const auto& query : kQueries) text += fmt::format("  {:<12} {}\n", query.name, query.help);
    print_out(text + "\nsemblance vectors QUERY --help lists a query's options.\n");
    return 0;
  }
  for (const auto& query : kQueries)
    if (arguments[0] == query.name) return query.run(arguments.subspan(1));
  throw Error(ErrorKind::Usage, "expected one of {}; found '{}'", names, arguments[0]);
}

}  // namespace semblance
