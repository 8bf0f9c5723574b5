#include "data/vectors/fasttext_writer.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "data/error.h"

namespace semblance {

static_assert(std::endian::native == std::endian::little, "the file holds numbers as they lie in memory");

FastTextWriter::FastTextWriter(const std::string& path, const FastTextShape& shape, int64_t words,
                               int64_t labels)
    : shape_(shape), words_(words), file_(path) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  if (words + labels > kMost || words + shape.buckets > kMost)
    throw Error(ErrorKind::Data, "{}: expected at most {} words, labels and buckets, found {}, {} and {}",
                path, kMost, words, labels, shape.buckets);
  const auto put_int = [&](int64_t value) { put_number(static_cast<int32_t>(value)); };
  constexpr int64_t kMagic = 793712314, kVersion = 12, kClassifier = 3, kSkipGram = 2;
  for (const int64_t value :
       {kMagic, kVersion, shape.dim, int64_t{5}, shape.epochs, int64_t{1}, int64_t{5}, shape.word_ngrams,
        static_cast<int64_t>(shape.loss), shape.classifier ? kClassifier : kSkipGram, shape.buckets,
        shape.shortest, shape.longest, int64_t{100}})
    put_int(value);
  put_number(1e-4);  // the sampling threshold
  for (const int64_t value : {words + labels, words, labels}) put_int(value);
  put_number(words);        // tokens
  put_number(int64_t{-1});  // not pruned
}

void FastTextWriter::put(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() < size_t{1} << 20) return;
  file_.writer().write(buffer_);
  buffer_.clear();
}

void FastTextWriter::add_entry(std::string_view text, int64_t count, bool is_label) {
  if (text.empty() || std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; }))
    throw Error(ErrorKind::Data, "'{:.40}': expected a {} without blanks, which fastText cannot read", text,
                is_label ? "label" : "word");
  put(text);
  put_number('\0');
  put_number(count);
  put_number(static_cast<int8_t>(is_label));
}

void FastTextWriter::begin_matrix(int64_t rows) {
  put_number('\0');  // not quantised
  put_number(rows);
  put_number(shape_.dim);
}

void FastTextWriter::begin_input() {
  begin_matrix(words_ + shape_.buckets);
}

void FastTextWriter::add_row(std::span<const float> row) {
  put({reinterpret_cast<const char*>(row.data()), row.size_bytes()});
}

void FastTextWriter::begin_output(int64_t rows) {
  begin_matrix(rows);
}

void FastTextWriter::finish() {
  file_.writer().write(buffer_);
  buffer_.clear();
  file_.commit();
}

}  // namespace semblance
