// One parser under clang's libFuzzer; SEMBLANCE_PARSER is its name. The first folder among the arguments,
// where libFuzzer keeps what it finds, gets the parser's examples to start from.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "parsers.h"

namespace {

const semblance::Parser& parser() {
  for (const auto& parser : semblance::parsers())
    if (std::strcmp(parser.name, SEMBLANCE_PARSER) == 0) return parser;
  std::fputs("no parser is called " SEMBLANCE_PARSER "\n", stderr);
  std::exit(2);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  for (int i = 1; i < *argc; ++i) {
    const std::filesystem::path folder = (*argv)[i];
    if (!std::filesystem::is_directory(folder)) continue;
    int number = 0;
    for (const auto& example : parser().examples())
      std::ofstream(folder / ("example-" + std::to_string(++number)), std::ios::binary) << example;
    break;
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto read = parser().read;
  read({reinterpret_cast<const char*>(data), size});
  return 0;
}
