// Named arrays and notes about them in one file that is mapped and not read.
//
// Little-endian: magic "SEMBARR1", zeros to byte 64; the arrays, each from a multiple of 64 on; JSON, UTF-8:
// {"notes": …, "arrays": {NAME: [first byte, bytes, XXH3 of them]}}; the last 64 bytes are an ArrayFooter.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "data/bulk.h"
#include "data/config.h"
#include "data/io/atomic_file.h"

namespace semblance {

struct ArrayFooter {
  uint64_t version = 1;
  uint64_t index_at = 0, index_bytes = 0, index_xxh3 = 0;  ///< of the JSON
  uint64_t file_bytes = 0;
  uint64_t unused = 0;
  uint64_t footer_xxh3 = 0;  ///< of the fields before
  char magic[8] = {'S', 'E', 'M', 'B', 'A', 'R', 'R', '1'};
};
static_assert(sizeof(ArrayFooter) == 64);

/// To be used by one thread at a time. Throws Error(Model) where the file cannot be written.
class ArrayFileWriter {
 public:
  explicit ArrayFileWriter(const std::filesystem::path& path);

  template <class T>
  void add(const std::string& name, std::span<const T> values) {
    add_bytes(name, {reinterpret_cast<const char*>(values.data()), values.size_bytes()});
  }
  void add_bytes(const std::string& name, std::string_view bytes);
  /// Ends the file, which has its name then and not before.
  void finish(Json notes);

 private:
  void write(std::string_view bytes);

  AtomicFile file_;
  uint64_t written_ = 0;
  Json arrays_ = Json::object();
};

/// Does not change, so any number of threads may use it at once. Copies are the same file.
class ArrayFile {
 public:
  /// Reads it all once and holds it against its checksums. Nothing where it is not whole; `why` says so then.
  static std::optional<ArrayFile> open(const std::filesystem::path& path, std::string& why);

  const Json& notes() const { return notes_; }
  bool has(const std::string& name) const { return arrays_.contains(name); }
  /// Throws std::out_of_range or Json::exception for an array that is not there, Error(Model) for one of
  /// another type.
  std::string_view bytes(const std::string& name) const;
  template <class T>
  Frozen<T> array(const std::string& name) const {
    const auto all = bytes(name);
    check_multiple(name, all.size(), sizeof(T));
    return {std::span(reinterpret_cast<const T*>(all.data()), all.size() / sizeof(T)), holder()};
  }

 private:
  struct Mapping;

  ArrayHolder holder() const;
  static void check_multiple(const std::string& name, size_t bytes, size_t size);

  std::shared_ptr<const Mapping> file_;
  Json notes_, arrays_;
};

}  // namespace semblance
