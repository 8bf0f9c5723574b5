#include "data/io/array_file.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "data/error.h"
#include "data/io/disk_memory.h"
#include "data/io/mapped_file.h"

namespace semblance {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is mapped as it stands");

constexpr uint64_t kAlignment = 64;

uint64_t footer_checksum(const ArrayFooter& footer) {
  return XXH3_64bits(&footer, offsetof(ArrayFooter, footer_xxh3));
}

// XXH3 of a part of a file. Of a large one nothing stays in memory.
uint64_t checksum_of(const MappedFile& file, uint64_t at, uint64_t bytes) {
  constexpr uint64_t kBlock = uint64_t{16} << 20;
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (const uint64_t end = at + bytes; at < end;) {
    const uint64_t size = std::min(kBlock, end - at);
    XXH3_64bits_update(&state, file.bytes().data() + at, size);
    if (file.bytes().size() > WatchedPages::kMostResident) file.release(at, size);
    at += size;
  }
  return XXH3_64bits_digest(&state);
}

}  // namespace

ArrayFileWriter::ArrayFileWriter(const std::filesystem::path& path) : file_(path) {
  const ArrayFooter footer;
  std::string head(footer.magic, sizeof footer.magic);
  head.resize(kAlignment);
  write(head);
}

void ArrayFileWriter::write(std::string_view bytes) {
  file_.writer().write(bytes);
  written_ += bytes.size();
}

void ArrayFileWriter::add_bytes(const std::string& name, std::string_view bytes) {
  arrays_[name] = {written_, bytes.size(), XXH3_64bits(bytes.data(), bytes.size())};
  write(bytes);
  write(std::string((kAlignment - written_ % kAlignment) % kAlignment, '\0'));
}

void ArrayFileWriter::finish(Json notes) {
  const std::string index = json_line({{"notes", std::move(notes)}, {"arrays", std::move(arrays_)}});
  ArrayFooter footer{.index_at = written_,
                     .index_bytes = index.size(),
                     .index_xxh3 = XXH3_64bits(index.data(), index.size()),
                     .file_bytes = written_ + index.size() + sizeof(ArrayFooter)};
  footer.footer_xxh3 = footer_checksum(footer);
  write(index);
  write({reinterpret_cast<const char*>(&footer), sizeof footer});
  file_.commit();
}

struct ArrayFile::Mapping : FarMemory {
  explicit Mapping(const std::string& path) : file(path), watched(file.bytes().data(), file.bytes().size()) {}

  bool is_large() const { return file.bytes().size() > WatchedPages::kMostResident; }
  void copy(const void* from, size_t bytes, void* to) const override {
    file.read(static_cast<size_t>(static_cast<const char*>(from) - file.bytes().data()), bytes, to);
  }

  MappedFile file;
  WatchedPages watched;
};

std::optional<ArrayFile> ArrayFile::open(const std::filesystem::path& path, std::string& why) {
  const auto fails = [&](std::string_view reason) {
    why = reason;
    return std::nullopt;
  };
  ArrayFile opened;
  try {
    opened.file_ = std::make_shared<const Mapping>(path.string());
  } catch (const Error& error) {
    return fails(error.what());
  }
  const auto all = opened.file_->file.bytes();
  ArrayFooter footer;
  if (all.size() < sizeof footer) return fails("it is truncated");
  std::memcpy(&footer, all.data() + all.size() - sizeof footer, sizeof footer);
  if (std::memcmp(footer.magic, ArrayFooter().magic, sizeof footer.magic) != 0 ||
      footer.footer_xxh3 != footer_checksum(footer) || footer.file_bytes != all.size())
    return fails("it is truncated or damaged");
  if (footer.version != ArrayFooter().version) return fails("it is of another version");
  const uint64_t end = all.size() - sizeof footer;
  if (footer.index_at > end || footer.index_bytes > end - footer.index_at) return fails("it is damaged");
  const auto index = all.substr(footer.index_at, footer.index_bytes);
  if (XXH3_64bits(index.data(), index.size()) != footer.index_xxh3) return fails("it is damaged");
  auto json = Json::parse(index);
  opened.notes_ = std::move(json.at("notes"));
  opened.arrays_ = std::move(json.at("arrays"));
  for (const auto& [name, place] : opened.arrays_.items()) {
    const auto at = place.at(0).get<uint64_t>(), bytes = place.at(1).get<uint64_t>();
    if (at > end || bytes > end - at) return fails("it is damaged");
    if (checksum_of(opened.file_->file, at, bytes) != place.at(2).get<uint64_t>())
      return fails(name + " is damaged");
  }
  return opened;
}

std::string_view ArrayFile::bytes(const std::string& name) const {
  const auto& place = arrays_.at(name);
  return file_->file.bytes().substr(place.at(0).get<size_t>(), place.at(1).get<size_t>());
}

ArrayHolder ArrayFile::holder() const {
  return {.owner = file_, .far = file_->is_large() ? file_.get() : nullptr};
}

void ArrayFile::check_multiple(const std::string& name, size_t bytes, size_t size) {
  if (bytes % size != 0)
    throw Error(ErrorKind::Model, "{}: expected numbers of {} bytes, found {} bytes", name, size, bytes);
}

}  // namespace semblance
