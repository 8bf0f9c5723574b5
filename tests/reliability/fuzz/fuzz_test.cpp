// Damaged files for each parser, made from examples: fuzz_tests [--runs N] [--seed N] [--parser NAME] [FILE…]
//
// FILE…: these files instead, as they are. One seed, one series of files. Of an end that is no Error the file
// is kept, and named on standard error. libfuzzer.cpp lets clang's libFuzzer look for files that reach more
// of the code.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "data/random.h"
#include "parsers.h"

namespace {

using semblance::Parser;
using semblance::RandomStream;

constexpr unsigned kMostSeconds = 20;  // for one file

std::string current, current_name;

// Writes the file that did it, and lets the signal take its course.
void keep_file(int signal) {
  const std::string path = "found-" + current_name;
  if (std::FILE* file = std::fopen(path.c_str(), "wb")) {
    std::fwrite(current.data(), 1, current.size(), file);
    std::fclose(file);
  }
  std::fprintf(stderr, "fuzz_tests: signal %d at a file that is kept as %s\n", signal, path.c_str());
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void read(const Parser& parser, std::string bytes) {
  current = std::move(bytes);
  current_name = parser.name;
  alarm(kMostSeconds);
  try {
    parser.read(current);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuzz_tests: %s: %s\n", parser.name, error.what());
    std::abort();
  }
  alarm(0);
}

// What parsers trip over.
constexpr std::string_view kPieces[] = {"\n",
                                        "\t",
                                        ",",
                                        "\"",
                                        "'",
                                        "[",
                                        "{",
                                        "]",
                                        "}",
                                        ":",
                                        " ",
                                        "-1",
                                        "0",
                                        "1e308",
                                        "nan",
                                        "inf",
                                        "4294967296",
                                        "99999999999999999999",
                                        "\r\n",
                                        "\\",
                                        "null",
                                        "__label__",
                                        "\xEF\xBB\xBF",
                                        "\xFF",
                                        "\xC2",
                                        "\x1b[31m",
                                        "=",
                                        "#",
                                        ";",
                                        "\r"};

void damage(std::string& bytes, std::string_view other, RandomStream& random) {
  const auto place = [&] { return static_cast<size_t>(random.below(bytes.size() + 1)); };
  const size_t at = place();
  switch (random.below(8)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
      break;
    case 1:
      if (at < bytes.size()) bytes[at] = static_cast<char>(random.below(256));
      break;
    case 2:
      bytes.resize(at);
      break;
    case 3:
      bytes.erase(at, random.below(16));
      break;
    case 4:
      bytes.insert(at, bytes.substr(place(), random.below(64)));
      break;
    case 5:
      bytes.insert(at, kPieces[random.below(std::size(kPieces))]);
      break;
    case 6: {  // a number becomes another
      const size_t begin = bytes.find_first_of("0123456789", at);
      if (begin == std::string::npos) break;
      const size_t end = std::min(bytes.find_first_not_of("0123456789", begin), bytes.size());
      bytes.replace(begin, end - begin, kPieces[random.below(std::size(kPieces))]);
      break;
    }
    default:
      bytes = bytes.substr(0, at) + std::string(other.substr(random.below(other.size() + 1)));
  }
}

std::string file_contents(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char** argv) {
  int64_t runs = 2000;
  uint64_t seed = 1;
  std::string only;
  std::vector<const char*> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto value = [&] { return i + 1 < argc ? argv[++i] : ""; };
    if (argument == "--runs")
      runs = std::atoll(value());
    else if (argument == "--seed")
      seed = static_cast<uint64_t>(std::atoll(value()));
    else if (argument == "--parser")
      only = value();
    else
      files.push_back(argv[i]);
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGALRM}) std::signal(signal, keep_file);
  int64_t read_files = 0;
  for (const auto& parser : semblance::parsers()) {
    if (!only.empty() && only != parser.name) continue;
    for (const auto* file : files) read(parser, file_contents(file));
    read_files += static_cast<int64_t>(files.size());
    if (!files.empty()) continue;
    const auto examples = parser.examples();
    for (const auto& example : examples) read(parser, example);
    for (int64_t run = 0; run < runs; ++run) {
      RandomStream random(semblance::mix(seed, static_cast<uint64_t>(run)));
      auto bytes = examples[random.below(examples.size())];
      const auto times = 1 + random.below(6);
      for (uint64_t i = 0; i < times; ++i) damage(bytes, examples[random.below(examples.size())], random);
      read(parser, std::move(bytes));
    }
    read_files += runs + static_cast<int64_t>(examples.size());
    std::fputs(
        fmt::format("{}: {} files\n", parser.name, runs + static_cast<int64_t>(examples.size())).c_str(),
        stdout);
  }
  if (read_files > 0) return 0;
  std::fputs("fuzz_tests: expected the name of a parser behind --parser\n", stderr);
  return 2;
}
