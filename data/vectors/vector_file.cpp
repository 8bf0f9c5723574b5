#include "data/vectors/vector_file.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <optional>

#include "data/error.h"
#include "data/io/line_reader.h"
#include "data/text/unicode.h"

namespace semblance {
namespace {

constexpr size_t kSample = size_t{1} << 16;
constexpr size_t kLongestWord = size_t{1} << 16;  // bytes
constexpr size_t kLongestLine = size_t{16} << 20;
constexpr int64_t kLargestDim = 65536;
constexpr double kBestDeflation = 1032;  // no gzip stream grows by more
constexpr const char* kHelp = "expected word2vec, GloVe or fastText .vec vectors";

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// Cuts the last field off `line`; empty if there is none left.
std::string_view pop_field(std::string_view& line) {
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  size_t begin = line.size();
  while (begin > 0 && !is_blank(line[begin - 1])) --begin;
  const auto field = line.substr(begin);
  line = line.substr(0, begin);
  return field;
}

// Numbers as files mostly have them, -0.18496: a whole number below 2^24 over a power of ten up to 10^10 is
// correctly rounded by one division (Clinger 1990), in a fifth of from_chars' time.
bool parse_short_float(std::string_view text, float& value) {
  constexpr float kPowers[] = {1e0f, 1e1f, 1e2f, 1e3f, 1e4f, 1e5f, 1e6f, 1e7f, 1e8f, 1e9f, 1e10f};
  const bool negative = text.starts_with('-');
  uint32_t number = 0;
  size_t point = text.size();
  size_t i = negative;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      number = number * 10 + static_cast<uint32_t>(c - '0');
      if (number >= 1u << 24) return false;
    } else if (c == '.' && point == text.size()) {
      point = i;
    } else {
      return false;
    }
  }
  const size_t decimals = point == text.size() ? 0 : text.size() - point - 1;
  const size_t digits = text.size() - negative - (point != text.size());
  if (digits == 0 || decimals >= std::size(kPowers)) return false;
  const float magnitude = static_cast<float>(number) / kPowers[decimals];
  value = negative ? -magnitude : magnitude;
  return true;
}

bool parse_float(std::string_view text, float& value) {
  if (parse_short_float(text, value)) return true;
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc::result_out_of_range && stop == end) {  // 1e-60 is 0, 1e60 is refused as not finite
    double wide = 0;
    std::from_chars(text.data(), end, wide);
    value = static_cast<float>(wide);
    return true;
  }
  return error == std::errc{} && stop == end;
}

// Numbers at the end of a line, not counting its first field.
int64_t trailing_numbers(std::string_view line) {
  int64_t numbers = 0;
  float ignored;
  for (auto field = pop_field(line); !field.empty() && parse_float(field, ignored) && !line.empty();
       field = pop_field(line))
    ++numbers;
  return numbers;
}

struct Promise {
  int64_t rows, dim;
};

// "ROWS DIM"; before them may stand blanks, which a writer leaves that learnt at the end how many rows there
// are.
std::optional<Promise> parse_header(std::string_view line) {
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  while (!line.empty() && (is_blank(line.back()) || line.back() == '\r')) line.remove_suffix(1);
  Promise promise{};
  const auto* end = line.data() + line.size();
  const auto rows = std::from_chars(line.data(), end, promise.rows);
  if (rows.ec != std::errc{} || rows.ptr == end || !is_blank(*rows.ptr)) return std::nullopt;
  const auto dim = std::from_chars(rows.ptr + 1, end, promise.dim);
  if (dim.ec != std::errc{} || dim.ptr != end || promise.rows < 0 || promise.dim < 0) return std::nullopt;
  return promise;
}

bool is_fasttext_model(std::string_view bytes) {
  const auto number = [&](size_t i) {
    int32_t value = 0;
    if (bytes.size() >= 4 * (i + 1)) std::memcpy(&value, bytes.data() + 4 * i, 4);
    return value;
  };
  const auto within = [&](size_t i, int32_t least, int32_t most) {
    return number(i) >= least && number(i) <= most;
  };
  if (number(0) == 793712314) return true;  // FASTTEXT_FILEFORMAT_MAGIC_INT32
  // Before it had a magic number: dim, ws, epoch, minCount, neg, wordNgrams, loss, model.
  return within(0, 1, 100000) && within(1, 1, 1000) && within(2, 1, 100000) && within(3, 0, 1000000) &&
         within(4, 0, 100000) && within(5, 1, 100) && within(6, 1, 4) && within(7, 1, 3);
}

// Whether the bytes after a header are text: its first line ends in `dim` numbers, or nothing in the place of
// the first vector could not stand in a text.
bool is_text_body(std::string_view body, int64_t dim) {
  const auto first_line = body.substr(0, body.find('\n'));
  if (trailing_numbers(first_line.ends_with('\r') ? first_line.substr(0, first_line.size() - 1)
                                                  : first_line) >= dim)
    return true;
  const auto start = body.substr(0, static_cast<size_t>(4 * dim) + 64);
  return std::ranges::none_of(start, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte >= 0xF8 || byte == 0x7F;
  });
}

bool has_control_character(std::string_view word) {
  return std::ranges::any_of(word, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

}  // namespace

// Words and vectors as they stand in the file; the reader decides which can be used.
class VectorReader::Source {
 public:
  virtual ~Source() = default;
  // False at the end. A row that cannot be read sets `problem`.
  virtual bool next(std::string_view& word, std::span<float> vector, std::string& problem) = 0;
  virtual std::string place() const = 0;
  // Lines after the promised ones.
  virtual int64_t count_surplus() { return 0; }
};

class VectorReader::TextSource : public Source {
 public:
  TextSource(ByteStream stream, bool header) : lines_(std::move(stream), kLongestLine) {
    std::string_view line;
    if (header) lines_.next(line);
  }

  bool next(std::string_view& word, std::span<float> vector, std::string& problem) override {
    std::string_view line;
    do {
      if (!lines_.next(line)) return false;
    } while (line.empty());
    std::string_view rest = line;
    for (size_t i = vector.size(); i-- > 0;) {
      const auto field = pop_field(rest);
      if (field.empty()) {
        problem = fmt::format("expected a word and {} numbers, found {} fields", vector.size(),
                              vector.size() - 1 - i);
        return true;
      }
      if (!parse_float(field, vector[i])) {
        problem = fmt::format("expected a word and {} numbers, found '{:.40}' for number {}", vector.size(),
                              field, i + 1);
        return true;
      }
    }
    while (!rest.empty() && is_blank(rest.back())) rest.remove_suffix(1);
    word = rest;
    return true;
  }

  std::string place() const override { return fmt::format("{}:{}", lines_.name(), lines_.line_number()); }

  int64_t count_surplus() override {
    int64_t surplus = 0;
    for (std::string_view line; lines_.next(line);) surplus += !line.empty();
    return surplus;
  }

 private:
  LineReader lines_;
};

class VectorReader::BinarySource : public Source {
 public:
  BinarySource(ByteStream stream, size_t header_bytes)
      : stream_(std::move(stream)), buffer_(size_t{1} << 20) {
    need(header_bytes);
    begin_ += header_bytes;
  }

  bool next(std::string_view& word, std::span<float> vector, std::string&) override {
    ++row_;
    // Records may or may not be parted by a line break.
    while (need(1) && buffer_[begin_] == '\n') ++begin_;
    if (!need(1)) return false;
    size_t length = 0;
    while (true) {
      const auto* start = buffer_.data() + begin_;
      const auto* blank = static_cast<const char*>(std::memchr(start + length, ' ', end_ - begin_ - length));
      if (blank != nullptr) {
        length = static_cast<size_t>(blank - start);
        break;
      }
      length = end_ - begin_;
      if (length > kLongestWord)
        throw Error(ErrorKind::Data,
                    "{}: expected a word of at most {} bytes and a blank, found more; the file is damaged",
                    place(), kLongestWord);
      if (!need(length + 1)) truncated();
    }
    const size_t record = length + 1 + vector.size_bytes();
    if (!need(record)) truncated();
    word = {buffer_.data() + begin_, length};
    std::memcpy(vector.data(), buffer_.data() + begin_ + length + 1, vector.size_bytes());
    begin_ += record;
    return true;
  }

  std::string place() const override { return fmt::format("{}: vector {}", stream_.name(), row_); }

 private:
  // Whether `size` unread bytes are there, reading on if need be.
  bool need(size_t size) {
    if (end_ - begin_ >= size) return true;
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    if (buffer_.size() < size) buffer_.resize(std::max(size, 2 * buffer_.size()));
    while (end_ < size) {
      const size_t n = stream_.read({buffer_.data() + end_, buffer_.size() - end_});
      if (n == 0) return false;
      end_ += n;
    }
    return true;
  }

  [[noreturn]] void truncated() const {
    throw Error(ErrorKind::Data, "{}: expected a word and its numbers, found the end; the file is truncated",
                place());
  }

  ByteStream stream_;
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;
  int64_t row_ = 0;
};

VectorReader::VectorReader(const std::string& path, const VectorFileOptions& options)
    : options_(options), source_(open(path)) {}

VectorReader::~VectorReader() = default;

std::unique_ptr<VectorReader::Source> VectorReader::open(const std::string& path) {
  ByteStream stream(path);
  auto sample = stream.peek(kSample);
  const auto& name = stream.name();
  if (sample.empty()) throw Error(ErrorKind::Data, "{}: {}, found an empty file", name, kHelp);
  if (is_fasttext_model(sample))
    throw Error(
        ErrorKind::Data,
        "{}: {}, found a fastText model; make its vectors with: fasttext print-word-vectors {} < words.txt > "
        "vectors.vec (training wrote a .vec beside it, too)",
        name, kHelp, name);
  const auto first_end = sample.find('\n');
  if (first_end == std::string_view::npos && sample.size() >= kSample)
    throw Error(ErrorKind::Data, "{}: {}, found a first line of over {} KB", name, kHelp, kSample >> 10);
  const auto promise = parse_header(sample.substr(0, first_end));
  if (!promise) {
    // GloVe has no header, and words with blanks: the first lines agree on how many numbers there are.
    int64_t dim = kLargestDim + 1;
    auto rest = sample;
    for (int lines = 0; lines < 32 && !rest.empty(); ++lines) {
      const auto end = rest.find('\n');
      if (end == std::string_view::npos && lines > 0) break;  // cut by the sample
      auto line = rest.substr(0, end);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (const auto numbers = trailing_numbers(line); numbers > 0) dim = std::min(dim, numbers);
      if (lines == 0 && dim > kLargestDim) break;
      rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
    if (dim > kLargestDim)
      throw Error(ErrorKind::Data, "{}:1: {}, found '{:.40}'", name, kHelp,
                  std::ranges::all_of(sample.substr(0, 40), [](char c) { return c >= 0x20; })
                      ? sample.substr(0, first_end)
                      : "other bytes");
    report_.layout = "GloVe text";
    report_.dim = dim;
    report_.details = fmt::format(" of {} dimensions", dim);
    vector_.resize(static_cast<size_t>(dim));
    return std::make_unique<TextSource>(std::move(stream), false);
  }

  if (promise->dim < 1 || promise->dim > kLargestDim)
    throw Error(ErrorKind::Data, "{}:1: expected vectors of 1 to {} dimensions, the header promises {}", name,
                kLargestDim, promise->dim);
  if (promise->rows < 1)
    throw Error(ErrorKind::Data, "{}:1: expected vectors, the header promises none", name);
  sample = stream.peek(std::max(kSample, first_end + 1 + static_cast<size_t>(promise->dim) * 32));
  const bool text = is_text_body(sample.substr(std::min(sample.size(), first_end + 1)), promise->dim);
  report_.layout = text ? "word2vec text" : "word2vec binary";
  report_.dim = promise->dim;
  report_.details = fmt::format(" of {} dimensions", report_.dim);
  promised_ = promise->rows;

  std::error_code not_a_file;
  const auto bytes = static_cast<double>(std::filesystem::file_size(path, not_a_file));
  const double wanted =
      static_cast<double>(options_.limit > 0 ? std::min(options_.limit, promised_) : promised_);
  const double least = wanted * static_cast<double>(text ? 2 * promise->dim + 2 : 4 * promise->dim + 2);
  if (path != "-" && !not_a_file && bytes * (stream.is_gzip() ? kBestDeflation : 1) < least - 2)
    throw Error(ErrorKind::Data,
                "{}:1: the header promises {} vectors of {} dimensions, at least {:.0f} bytes; found {:.0f}: "
                "the file is "
                "truncated or the header is wrong",
                name, promised_, promise->dim, least, bytes);
  if (path != "-" && !not_a_file && !stream.is_gzip()) expected_rows_ = static_cast<int64_t>(wanted);
  vector_.resize(static_cast<size_t>(promise->dim));
  if (text) return std::make_unique<TextSource>(std::move(stream), true);
  return std::make_unique<BinarySource>(std::move(stream), first_end + 1);
}

void VectorReport::tell(const std::string& file, const Notice& notice) const {
  ReadReport::tell(file, notice);
  if (duplicates > 0)
    notice(fmt::format("warning: {}: left out {} vector(s) of words that came before", file, duplicates));
  if (surplus > 0)
    notice(fmt::format("warning: {}: left out {} line(s) after the last vector that the header promises",
                       file, surplus));
}

bool VectorReader::next() {
  const auto reached = [&](int64_t bound) { return bound > 0 && taken_ >= bound; };
  while (!reached(options_.limit)) {
    if (reached(promised_)) {
      if (!std::exchange(ended_, true)) report_.surplus = source_->count_surplus();
      return false;
    }
    std::string_view word;
    std::string problem;
    if (!source_->next(word, vector_, problem)) {
      if (promised_ > 0)
        throw Error(
            ErrorKind::Data,
            "{}: the header promises {} vectors, found {}; the file is truncated (--limit {} reads what is "
            "there)",
            source_->place(), promised_, taken_, taken_);
      return false;
    }
    ++taken_;
    if (problem.empty()) {
      if (word.empty())
        problem = "expected a word, found none";
      else if (has_control_character(word))
        problem = "expected a word, found one with a control character";
      else if (!std::ranges::all_of(vector_, [](float x) { return std::isfinite(x); }))
        problem = fmt::format("expected finite numbers for '{:.40}', found NaN or infinity", word);
    }
    if (!problem.empty()) {
      report_.leave_out(fmt::format("{}: {}", source_->place(), problem), options_.bad_rows);
      continue;
    }
    word = report_.valid(word, clean_word_);
    const auto before = words_.size();
    words_.add(word);
    if (words_.size() == before) {
      ++report_.duplicates;
      continue;
    }
    ++report_.rows;
    return true;
  }
  return false;
}

}  // namespace semblance
