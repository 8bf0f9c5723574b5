#include "data/vectors/mapped_vectors.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "data/error.h"
#include "data/vectors/word_vectors.h"

namespace semblance {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is mapped as it stands");

constexpr uint64_t kMatrixAt = 4096;
constexpr std::string_view kMagic = "SEMBVEC1";
constexpr uint64_t kBlockBytes = uint64_t{1} << 20;  // of the matrix, with a checksum of its own

uint64_t blocks_of(uint64_t matrix_bytes) {
  return (matrix_bytes + kBlockBytes - 1) / kBlockBytes;
}

template <class T>
std::string_view bytes_of(std::span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

uint64_t footer_checksum(const MappedFooter& footer) {
  return XXH3_64bits(&footer, offsetof(MappedFooter, footer_xxh3));
}

}  // namespace

MappedVectors::MappedVectors(const std::string& path) : path_(path), file_(path) {
  const char* start = file_.bytes().data();
  const size_t size = file_.bytes().size();
  const auto refuse = [&](std::string_view why) {
    throw Error(ErrorKind::Model, "{}: {}; convert the vectors again", path_, why);
  };
  if (size < kMatrixAt + sizeof footer_) refuse("the file is truncated");
  std::memcpy(&footer_, start + size - sizeof footer_, sizeof footer_);
  if (std::string_view(footer_.magic, kMagic.size()) != kMagic) refuse("the file is truncated or damaged");
  if (footer_.footer_xxh3 != footer_checksum(footer_)) refuse("the footer is damaged");
  if (footer_.version < 1 || footer_.version > 2)
    refuse(fmt::format("expected version 1 or 2, found {}", footer_.version));
  const auto& f = footer_;
  const uint64_t end = size - sizeof footer_;
  const auto fits = [&](uint64_t at, uint64_t count, uint64_t each) {
    return at % 64 == 0 && at <= end && count <= (end - at) / each;
  };
  if (f.file_bytes != size || f.rows == 0 || f.rows > INT32_MAX || f.dim == 0 || f.dim > (1 << 20) ||
      !fits(kMatrixAt, f.rows, 4 * f.dim) || f.norms_at < kMatrixAt + 4 * f.rows * f.dim ||
      !fits(f.norms_at, f.rows, 4) || !fits(f.offsets_at, f.rows + 1, 8) ||
      !fits(f.slots_at, f.places, sizeof(WordSlot)) || !std::has_single_bit(f.places) ||
      !fits(f.words_at, f.word_bytes, 1) ||
      (f.version > 1 && !fits(f.blocks_at, blocks_of(4 * f.rows * f.dim), 8)))
    refuse("the parts do not fit the file");
  values_ = {reinterpret_cast<const float*>(start + kMatrixAt), f.rows * f.dim};
  norms_ = {reinterpret_cast<const float*>(start + f.norms_at), f.rows};
  words_.offsets = {reinterpret_cast<const int64_t*>(start + f.offsets_at), f.rows + 1};
  words_.slots = {reinterpret_cast<const WordSlot*>(start + f.slots_at), f.places};
  words_.bytes = {start + f.words_at, f.word_bytes};
  if (XXH3_64bits(start + f.norms_at, end - f.norms_at) != f.index_xxh3)
    refuse("the words' index is damaged");
  // Not NaN either.
  if (!std::ranges::all_of(norms_, [](float norm) { return norm <= kLongestVector; }))
    refuse(fmt::format("expected vectors no longer than {:g}, found a longer one", kLongestVector));
  if (f.version == 1) {
    checksums_ = {&footer_.matrix_xxh3, 1};
    block_values_ = values_.size();
  } else {
    checksums_ = {reinterpret_cast<const uint64_t*>(start + f.blocks_at), blocks_of(values_.size_bytes())};
    block_values_ = kBlockBytes / sizeof(float);
  }
  verified_ = std::make_unique<std::atomic<bool>[]>(checksums_.size());
}

void MappedVectors::verify_block(size_t block) const {
  const auto values = values_.subspan(block * block_values_);
  if (XXH3_64bits(values.data(), std::min(values.size(), block_values_) * sizeof(float)) != checksums_[block])
    throw Error(ErrorKind::Model, "{}: the matrix is damaged; convert the vectors again", path_);
  verified_[block].store(true, std::memory_order_relaxed);
}

void MappedVectors::read(size_t first, size_t count, float* out) const {
  if (count == 0) return;
  for (size_t block = first / block_values_; block <= (first + count - 1) / block_values_; ++block) {
    if (verified_[block].load(std::memory_order_relaxed)) continue;
    verify_block(block);
    file_.release(kMatrixAt + block * block_values_ * sizeof(float),
                  std::min(block_values_, values_.size() - block * block_values_) * sizeof(float));
  }
  file_.read(kMatrixAt + first * sizeof(float), count * sizeof(float), out);
}

bool is_mapped_vector_file(const std::string& path) {
  return begins_with(path, kMagic);
}

struct MappedVectorWriter::Checksum {
  Checksum() { XXH3_64bits_reset(&state); }
  XXH3_state_t state;
};

MappedVectorWriter::MappedVectorWriter(const std::filesystem::path& path, int64_t dim, uint64_t encoder)
    : file_(path), checksum_(std::make_unique<Checksum>()) {
  footer_.dim = static_cast<uint64_t>(dim);
  footer_.encoder = encoder;
  std::string head(kMagic);
  head.resize(kMatrixAt);
  file_.writer().write(head);
  written_ = kMatrixAt;
}

MappedVectorWriter::~MappedVectorWriter() = default;

void MappedVectorWriter::write(std::string_view bytes) {
  XXH3_64bits_update(&checksum_->state, bytes.data(), bytes.size());
  buffer_.append(bytes);
  written_ += bytes.size();
  if (buffer_.size() >= size_t{1} << 20) flush();
}

void MappedVectorWriter::flush() {
  file_.writer().write(buffer_);
  buffer_.clear();
}

void MappedVectorWriter::close_block() {
  blocks_.push_back(XXH3_64bits_digest(&checksum_->state));
  XXH3_64bits_reset(&checksum_->state);
}

void MappedVectorWriter::add(std::span<const float> vector) {
  for (auto rest = bytes_of(vector); !rest.empty();) {
    const auto part = rest.substr(0, kBlockBytes - (written_ - kMatrixAt) % kBlockBytes);
    write(part);
    rest.remove_prefix(part.size());
    if ((written_ - kMatrixAt) % kBlockBytes == 0) close_block();
  }
  norms_.push_back(vector_norm(vector));
  ++footer_.rows;
}

void MappedVectorWriter::finish(WordTable words) {
  if (footer_.rows != static_cast<uint64_t>(words.size()))
    throw Error(ErrorKind::Internal, "{} vectors for {} words", footer_.rows, words.size());
  words.shrink();
  const auto index = words.index();
  if ((written_ - kMatrixAt) % kBlockBytes != 0) close_block();
  const auto align = [&] { return std::string((64 - written_ % 64) % 64, '\0'); };
  const auto zeros = align();  // between the matrix and the index, where no checksum counts them
  buffer_ += zeros;
  written_ += zeros.size();
  const auto part = [&](uint64_t& at, std::string_view bytes) {
    at = written_;
    write(bytes);
    write(align());
  };
  part(footer_.norms_at, bytes_of(std::span<const float>(norms_)));
  part(footer_.offsets_at, bytes_of(index.offsets));
  part(footer_.slots_at, bytes_of(index.slots));
  part(footer_.words_at, bytes_of(index.bytes));
  part(footer_.blocks_at, bytes_of(std::span<const uint64_t>(blocks_)));
  footer_.places = index.slots.size();
  footer_.word_bytes = index.bytes.size();
  footer_.file_bytes = written_ + sizeof footer_;
  footer_.index_xxh3 = XXH3_64bits_digest(&checksum_->state);
  footer_.footer_xxh3 = footer_checksum(footer_);
  buffer_.append(reinterpret_cast<const char*>(&footer_), sizeof footer_);
  flush();
  file_.commit();
}

}  // namespace semblance
