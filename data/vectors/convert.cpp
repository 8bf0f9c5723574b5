#include "data/vectors/convert.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/vectors/mapped_vectors.h"

namespace semblance {
namespace {

class MappedWriter : public VectorWriter {
 public:
  MappedWriter(const std::string& path, int64_t dim, uint64_t encoder) : writer_(path, dim, encoder) {}

  void add(std::string_view word, std::span<const float> vector) override {
    words_.add(word);
    writer_.add(vector);
  }
  void finish() override { writer_.finish(std::move(words_)); }

 private:
  MappedVectorWriter writer_;
  WordTable words_;
};

class Word2vecWriter : public VectorWriter {
 public:
  Word2vecWriter(const std::string& path, bool binary, int64_t dim, int64_t expected_rows)
      : file_(path), binary_(binary), dim_(dim) {
    // Room for the number of vectors, which is known at the end.
    rows_ = expected_rows > 0 ? expected_rows : 2'000'000'000;
    buffer_ = header();
    reserved_ = buffer_.size();
    rows_ = 0;
  }

  void add(std::string_view word, std::span<const float> vector) override {
    if (word.size() > kLongestWord)
      throw Error(ErrorKind::Data,
                  "'{:.40}…': expected a word of at most {} bytes, found {}; mapped files hold it", word,
                  kLongestWord, word.size());
    written_ = word;
    std::ranges::replace_if(written_, cannot_stand, '_');
    words_with_blanks_ += written_ != word;
    // Only what has a _ can be what another word became.
    if (written_.find('_') != std::string::npos && names_.add(written_) < names_count_)
      throw Error(ErrorKind::Data,
                  "'{:.80}': expected words that differ with _ for blanks and control characters, found one "
                  "that becomes '{:.80}' as an earlier one does; mapped files keep both",
                  escaped(word), written_);
    names_count_ = names_.size();
    buffer_ += written_;
    if (binary_) {
      buffer_ += ' ';
      buffer_.append(reinterpret_cast<const char*>(vector.data()), vector.size_bytes());
    } else {
      for (const float x : vector) fmt::format_to(std::back_inserter(buffer_), " {}", x);
    }
    buffer_ += '\n';
    ++rows_;
    if (buffer_.size() >= size_t{1} << 20) flush();
  }

  void finish() override {
    flush();
    file_.writer().replace_start(reserved_, header());
    file_.commit();
  }

 private:
  static bool cannot_stand(char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7F; }
  static std::string escaped(std::string_view word) {
    std::string shown;
    for (const char c : word)
      if (c != ' ' && cannot_stand(c))
        fmt::format_to(std::back_inserter(shown), "\\x{:02x}", static_cast<unsigned char>(c));
      else
        shown += c;
    return shown;
  }
  std::string header() const { return fmt::format("{} {}\n", rows_, dim_); }
  void flush() {
    file_.writer().write(buffer_);
    buffer_.clear();
  }

  AtomicFile file_;
  bool binary_;
  int64_t dim_, rows_ = 0;
  size_t reserved_ = 0;  // bytes for the header
  WordTable names_;      // those with a _
  int32_t names_count_ = 0;
  std::string written_, buffer_;
};

}  // namespace

std::unique_ptr<VectorWriter> VectorWriter::create(const std::string& path, VectorFormat format, int64_t dim,
                                                   int64_t expected_rows, uint64_t encoder) {
  if (format == VectorFormat::Mapped) return std::make_unique<MappedWriter>(path, dim, encoder);
  return std::make_unique<Word2vecWriter>(path, format == VectorFormat::Word2vecBinary, dim, expected_rows);
}

namespace {

void finish(VectorWriter& writer, const std::string& to, const Notice& notice) {
  writer.finish();
  if (writer.words_with_blanks() > 0)
    notice(fmt::format(
        "warning: {}: {} word(s) with blanks or control characters, written with _ in their place", to,
        writer.words_with_blanks()));
}

}  // namespace

void write_vectors(const WordVectors& vectors, const std::string& to, VectorFormat format,
                   const Notice& notice) {
  const auto writer = VectorWriter::create(to, format, vectors.dim(), vectors.size());
  for (int64_t id = 0; id < vectors.size(); ++id) writer->add(vectors.word(id), vectors.vector(id));
  finish(*writer, to, notice);
}

int64_t convert_vectors(const std::string& from, const VectorFileOptions& options, const std::string& to,
                        VectorFormat format, const Notice& notice) {
  if (is_mapped_vector_file(from)) {
    const auto vectors = WordVectors::load(from, options, notice);
    write_vectors(vectors, to, format, notice);
    return vectors.size();
  }
  std::unique_ptr<VectorWriter> writer;
  VectorReader reader(from, options);
  int64_t rows = 0;
  for (; reader.next(); ++rows) {
    if (!writer) writer = VectorWriter::create(to, format, reader.dim(), reader.expected_rows());
    writer->add(reader.word(), reader.vector());
  }
  reader.report().tell(from, notice);
  if (!writer) throw Error(ErrorKind::Data, "{}: expected word vectors, found none", from);
  finish(*writer, to, notice);
  return rows;
}

}  // namespace semblance
