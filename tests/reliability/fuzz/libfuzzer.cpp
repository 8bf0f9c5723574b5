// One parser under clang's libFuzzer; PARSER is its name.
#include <cstdint>
#include <cstring>

#include "parsers.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (const auto& parser : semblance::parsers())
    if (std::strcmp(parser.name, SEMBLANCE_PARSER) == 0)
      parser.read({reinterpret_cast<const char*>(data), size});
  return 0;
}
