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
#include "data/vectors/fasttext_model.h"
#include "data/vectors/word_vectors.h"

namespace semblance {
namespace {

constexpr size_t kSample = size_t{1} << 16;
constexpr size_t kLongestLine = size_t{16} << 20;
constexpr int64_t kLargestDim = 65536;
constexpr double kBestDeflation = 1032;  // no gzip stream grows by more
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
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
  bool three_numbers;  // as deeplearning4j writes it: the third is how many documents there were
};

// "ROWS DIM" or "ROWS DIM DOCUMENTS"; before them may stand blanks, which a writer leaves that learnt at the
// end how many rows there are.
std::optional<Promise> parse_header(std::string_view line) {
  while (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  while (!line.empty() && (is_blank(line.back()) || line.back() == '\r')) line.remove_suffix(1);
  Promise promise{};
  const auto* end = line.data() + line.size();
  const auto rows = std::from_chars(line.data(), end, promise.rows);
  if (rows.ec != std::errc{} || rows.ptr == end || !is_blank(*rows.ptr)) return std::nullopt;
  const auto dim = std::from_chars(rows.ptr + 1, end, promise.dim);
  if (dim.ec != std::errc{} || promise.rows < 0 || promise.dim < 0) return std::nullopt;
  if (dim.ptr == end) return promise;
  int64_t documents = 0;
  const auto third = is_blank(*dim.ptr) ? std::from_chars(dim.ptr + 1, end, documents)
                                        : std::from_chars_result{dim.ptr, std::errc::invalid_argument};
  if (third.ec != std::errc{} || third.ptr != end) return std::nullopt;
  promise.three_numbers = true;
  return promise;
}

// What else vectors come in, known by bytes at a place.
struct Other {
  std::string_view magic;
  size_t at;
  const char* what;
};

constexpr const char* kPickle =
    "a Python pickle; load it in Python and write it with gensim's save_word2vec_format";

constexpr Other kOthers[] = {
    {"ustar", 257, "a tar archive; unpack it: tar -xf FILE"},
    {"\x93NUMPY", 0,
     "a NumPy array, which has no words; write them beside its rows with gensim's "
     "save_word2vec_format"},
    {"\x80\x02", 0, kPickle},
    {"\x80\x03", 0, kPickle},
    {"\x80\x04", 0, kPickle},
    {"\x80\x05", 0, kPickle},
};

// The first lines of `sample`, without one that it cuts and without blank ones.
std::vector<std::string_view> first_lines(std::string_view sample, bool whole) {
  constexpr size_t kLines = 64;
  std::vector<std::string_view> lines;
  while (!sample.empty() && lines.size() < kLines) {
    const auto end = sample.find('\n');
    if (end == std::string_view::npos && !whole && !lines.empty()) break;
    auto line = sample.substr(0, end);
    sample.remove_prefix(std::min(sample.size(), line.size() + 1));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

// How many numbers most of the lines end in, of equals what comes first; 0 where most are no vectors.
int64_t usual_numbers(std::span<const std::string_view> lines) {
  std::vector<std::pair<int64_t, int64_t>> counts;  // numbers, lines
  for (const auto line : lines) {
    const int64_t numbers = trailing_numbers(line);
    const auto found = std::ranges::find(counts, numbers, &std::pair<int64_t, int64_t>::first);
    if (found == counts.end())
      counts.emplace_back(numbers, 1);
    else
      ++found->second;
  }
  return counts.empty() ? 0
                        : std::ranges::max_element(counts, {}, &std::pair<int64_t, int64_t>::second)->first;
}

// Whether a word ends in what is rather one of the vector's numbers, as "the 0.1" does; "windows 10" does
// not, unless all the numbers are whole and some are not zero.
bool ends_in_a_number(std::string_view word, std::span<const float> vector) {
  const size_t blank = word.find_last_of(" \t");
  if (blank == std::string_view::npos) return false;
  const auto last = word.substr(blank + 1);
  float ignored;
  if (last.find_first_of("0123456789") == std::string_view::npos || !parse_float(last, ignored)) return false;
  return last.find('.') != std::string_view::npos ||
         (std::ranges::all_of(vector, [](float x) { return x == std::floor(x); }) &&
          std::ranges::any_of(vector, [](float x) { return x != 0; }));
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
  // Vectors after the promised ones.
  virtual int64_t count_surplus() = 0;
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
  BinarySource(ByteStream stream, size_t header_bytes, int64_t dim)
      : stream_(std::move(stream)), record_bytes_(4 * static_cast<size_t>(dim)), buffer_(size_t{1} << 20) {
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

  int64_t count_surplus() override {
    int64_t surplus = 0;
    while (true) {
      while (need(1) && buffer_[begin_] == '\n') ++begin_;
      if (!need(1)) return surplus;
      ++surplus;
      need(kLongestWord + 1);
      const auto* start = buffer_.data() + begin_;
      const auto* blank = static_cast<const char*>(std::memchr(start, ' ', end_ - begin_));
      const size_t record = blank == nullptr ? 0 : static_cast<size_t>(blank - start) + 1 + record_bytes_;
      if (record == 0 || !need(record)) return surplus;  // what is left is no whole vector
      begin_ += record;
    }
  }

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
  size_t record_bytes_;  // of a vector
  std::vector<char> buffer_;
  size_t begin_ = 0, end_ = 0;
  int64_t row_ = 0;
};

class VectorReader::FastTextSource : public Source {
 public:
  explicit FastTextSource(const std::string& path) : model_(path) {}

  const FastTextModel& model() const { return model_; }
  bool next(std::string_view& word, std::span<float> vector, std::string&) override {
    if (row_ == model_.words().size()) return false;
    word = model_.words()[row_++];
    model_.word_vector(word, vector);
    return true;
  }
  std::string place() const override { return fmt::format("{}: vector {}", model_.path(), row_); }
  int64_t count_surplus() override { return 0; }

 private:
  FastTextModel model_;
  int32_t row_ = 0;
};

VectorReader::VectorReader(const std::string& path, const VectorFileOptions& options)
    : options_(options), path_(path), source_(open(path)) {}

VectorReader::~VectorReader() = default;

std::unique_ptr<VectorReader::Source> VectorReader::open(const std::string& path) {
  ByteStream stream(path);
  auto sample = stream.peek(kSample);
  const auto& name = stream.name();
  if (sample.empty()) throw Error(ErrorKind::Data, "{}: {}, found an empty file", name, kHelp);
  if (begins_as_fasttext_model(sample)) {
    if (path == "-" || stream.is_gzip() || !is_fasttext_model(path))
      throw Error(
          ErrorKind::Data,
          "{}: expected a fastText model in a file of its own, not compressed, of fastText 0.1 or later",
          name);
    auto source = std::make_unique<FastTextSource>(path);
    report_.layout = "fastText model";
    report_.dim = source->model().dim();
    report_.details = fmt::format(" of {} dimensions", report_.dim);
    promised_ = expected_rows_ = source->model().words().size();
    vector_.resize(static_cast<size_t>(report_.dim));
    return source;
  }
  // Rows of thousands of numbers are longer than a sample is.
  while (sample.find('\n') == std::string_view::npos && sample.size() < kLongestLine) {
    const size_t had = sample.size();
    sample = stream.peek(2 * std::max(had, kSample));
    if (sample.size() == had) break;
  }
  for (const auto& [magic, at, what] : kOthers)
    if (sample.substr(std::min(at, sample.size())).starts_with(magic))
      throw Error(ErrorKind::Data, "{}: {}, found {}", name, kHelp, what);
  const size_t mark = sample.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
  const size_t first_length = std::min(sample.find('\n'), sample.size());
  if (first_length >= kLongestLine)
    throw Error(ErrorKind::Data, "{}: {}, found a first line of over {} MB", name, kHelp, kLongestLine >> 20);
  const size_t wanted_sample = std::max(kSample, std::min(8 * (first_length + 1), kLongestLine));
  sample = stream.peek(wanted_sample);
  const bool whole = sample.size() < wanted_sample;
  sample.remove_prefix(mark);
  const size_t first_end = first_length - mark;
  const auto lines = first_lines(sample, whole);
  auto promise = parse_header(sample.substr(0, first_end));
  const auto body = std::span(lines).subspan(std::min<size_t>(1, lines.size()));
  const int64_t body_numbers = usual_numbers(body);
  // Three numbers may be a word and its vector as well: then the other lines have as many.
  if (promise && promise->three_numbers &&
      (body_numbers != promise->dim ||
       (promise->dim == 2 && static_cast<int64_t>(body.size()) != promise->rows)))
    promise.reset();
  if (!promise) {
    // GloVe has no header, and words with blanks: most of the first lines agree on how many numbers there
    // are, and a line that does not is a bad row.
    const int64_t dim = usual_numbers(lines);
    if (dim < 1 || dim > kLargestDim)
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
  sample =
      stream.peek(std::max(kSample, first_end + 1 + static_cast<size_t>(promise->dim) * 32)).substr(mark);
  const bool text = is_text_body(sample.substr(std::min(sample.size(), first_end + 1)), promise->dim);
  if (text && body_numbers > promise->dim)
    throw Error(
        ErrorKind::Data,
        "{}:1: the header promises vectors of {} dimensions, the lines after it have {} numbers; mend "
        "the header",
        name, promise->dim, body_numbers);
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
  return std::make_unique<BinarySource>(std::move(stream), mark + first_end + 1, promise->dim);
}

void VectorReport::tell(const std::string& file, const Notice& notice) const {
  ReadReport::tell(file, notice);
  if (duplicates > 0)
    notice(fmt::format("warning: {}: left out {} vector(s) of words that came before", file, duplicates));
  if (surplus > 0)
    notice(fmt::format("warning: {}: left out {} vector(s) after the last one that the header promises", file,
                       surplus));
}

void VectorReport::check_encoding(const std::string& file) const {
  ReadReport all = *this;
  all.rows += duplicates;  // words in another encoding become the same
  all.decodes = false;
  all.check_encoding(file);
}

bool VectorReader::next() {
  if (read_next()) return true;
  if (report_.layout.ends_with("text")) report_.check_encoding(path_);
  return false;
}

bool VectorReader::read_next() {
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
      else if (ends_in_a_number(word, vector_))
        problem =
            fmt::format("expected a word and {} numbers, found more numbers: '{:.40}'", vector_.size(), word);
      else if (!std::ranges::all_of(vector_, [](float x) { return std::isfinite(x); }))
        problem = fmt::format("expected finite numbers for '{:.40}', found NaN or infinity", word);
      else if (std::ranges::any_of(vector_, [](float x) { return std::abs(x) > kLongestVector / 256; }) &&
               vector_norm(vector_) > kLongestVector)
        problem = fmt::format("expected a vector no longer than {:g} for '{:.40}', found a longer one",
                              kLongestVector, word);
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
