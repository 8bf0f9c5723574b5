// How fast texts come in: text_in FILE [THREADS] [REPEATS]
// Reads each line of FILE as one text, cleans and cuts it with the default options, builds the vocabulary of
// all lines and encodes them; prints the best time of each part over the repeats.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "data/config.h"
#include "data/readers/labelled_texts.h"
#include "data/text/features.h"

namespace semblance {
namespace {

struct Measured {
  std::array<double, 3> seconds{};  // read, tokenize, vocabulary and encode
  int64_t rows = 0, bytes = 0, tokens = 0, words = 0;

  double total() const { return std::accumulate(seconds.begin(), seconds.end(), 0.0); }
};

Measured measure(const std::string& path, int threads) {
  Measured measured;
  auto start = std::chrono::steady_clock::now();
  const auto lap = [&] {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start, now)).count();
  };
  InputOptions layout;
  layout.format = InputFormat::Lines;
  Texts texts;
  read_texts(path, layout, {}, {}, [&](const ReadText& read) { texts.push_back(read.text); });
  measured.seconds[0] = lap();

  TextFeatures features({}, {});
  const auto tokenized = features.tokenize(texts, threads);
  measured.seconds[1] = lap();

  std::vector<int64_t> rows(static_cast<size_t>(texts.size()));
  std::iota(rows.begin(), rows.end(), 0);
  features.set_vocabulary(Vocabulary(tokenized.words, tokenized.count(rows), {}));
  const auto ids = features.encode(tokenized, rows, threads);
  measured.seconds[2] = lap();

  measured.rows = texts.size();
  measured.bytes = static_cast<int64_t>(texts.values.size());
  measured.tokens = static_cast<int64_t>(ids.values.size());
  measured.words = features.vocabulary().size();
  return measured;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.size() > 3)
    throw Error(ErrorKind::Usage, "usage: text_in FILE [THREADS] [REPEATS]");
  const auto number = [&](size_t i, const char* name, int64_t otherwise) {
    return i < arguments.size() ? parse_integer(arguments[i], name, Field{.help = "", .min = 1, .max = 1024})
                                : otherwise;
  };
  const auto threads = static_cast<int>(number(1, "threads", 1));
  Measured best;
  for (int64_t repeat = 0; repeat < number(2, "repeats", 3); ++repeat) {
    const auto measured = measure(arguments[0], threads);
    if (repeat == 0 || measured.total() < best.total()) best = measured;
  }
  fmt::print("{} rows, {:.1f} MB, {} tokens, vocabulary {}; {} thread(s)\n", best.rows,
             static_cast<double>(best.bytes) / 1e6, best.tokens, best.words, threads);
  constexpr std::array names{"read", "clean, cut, number", "vocabulary, encode"};
  for (size_t i = 0; i < names.size(); ++i) fmt::print("{:<20} {:6.3f} s\n", names[i], best.seconds[i]);
  fmt::print("{:<20} {:6.3f} s  {:.0f} MB/s\n", "all", best.total(),
             static_cast<double>(best.bytes) / 1e6 / best.total());
  return 0;
}

}  // namespace
}  // namespace semblance

int main(int argc, char** argv) {
  try {
    return semblance::run({argv + 1, argv + argc});
  } catch (const semblance::Error& error) {
    fmt::print(stderr, "text_in: {}\n", error.what());
    return error.exit_code();
  }
}
