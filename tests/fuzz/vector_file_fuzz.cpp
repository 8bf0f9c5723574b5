// libFuzzer: any bytes, as a file of word vectors. Errors are answers; anything else is a find.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "data/error.h"
#include "data/vectors/mapped_vectors.h"
#include "data/vectors/word_vectors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string path = "/dev/shm/vector_file_fuzz." + std::to_string(getpid());
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) std::abort();
  std::fwrite(data, 1, size, file);
  std::fclose(file);
  for (const auto bad_rows : {semblance::BadRows::Error, semblance::BadRows::Skip}) {
    try {
      const auto vectors =
          semblance::WordVectors::load(path, {.limit = 0, .bad_rows = bad_rows}, [](const std::string&) {});
      for (int64_t i = 0; i < vectors.size(); ++i)
        if (vectors.format() != "mapped" && vectors.find(vectors.word(i)) != i) std::abort();
    } catch (const semblance::Error&) {
    }
  }
  return 0;
}
