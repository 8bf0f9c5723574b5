#include "data/vectors/projector.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "data/error.h"
#include "data/io/atomic_file.h"

namespace semblance {

void write_projector(const WordVectors& vectors, const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) throw Error(ErrorKind::Model, "{}: cannot be made: {}", folder.string(), failure.message());
  const auto write = [&](const char* name, auto&& append_line) {
    AtomicFile file(folder / name);
    std::string lines;
    for (int64_t id = 0; id < vectors.size(); ++id) {
      append_line(id, lines);
      if (lines.size() < size_t{1} << 20) continue;
      file.writer().write(lines);
      lines.clear();
    }
    file.writer().write(lines);
    file.commit();
  };
  write("vectors.tsv", [&](int64_t id, std::string& lines) {
    for (const float x : vectors.vector(id)) fmt::format_to(std::back_inserter(lines), "{}\t", x);
    lines.back() = '\n';
  });
  write("metadata.tsv", [&](int64_t id, std::string& lines) {
    std::string word(vectors.word(id));
    std::ranges::replace_if(
        word, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; }, '_');
    lines += word + '\n';
  });
  write_file_atomically(folder / "projector_config.pbtxt",
                        "embeddings { tensor_name: \"words\" tensor_path: \"vectors.tsv\" "
                        "metadata_path: \"metadata.tsv\" }\n");
}

}  // namespace semblance
