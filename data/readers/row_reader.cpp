#include "data/readers/row_reader.h"

#include <csv.h>

#include <algorithm>
#include <deque>
#include <new>

#include "data/error.h"
#include "data/io/line_reader.h"
#include "data/ragged.h"

namespace semblance {
namespace {

class PlainRowReader : public RowReader {
 public:
  PlainRowReader(ByteStream stream, char delimiter) : lines_(std::move(stream)), delimiter_(delimiter) {}

  bool next(Row& row) override {
    std::string_view line;
    do {
      if (!lines_.next(line)) return false;
    } while (line.empty());
    row.line = lines_.line_number();
    row.error.clear();
    row.fields.clear();
    while (true) {
      const size_t end = line.find(delimiter_);
      row.fields.push_back(line.substr(0, end));
      if (end == std::string_view::npos) return true;
      line.remove_prefix(end + 1);
    }
  }

 private:
  LineReader lines_;
  char delimiter_;
};

// Drives libcsv, which pushes fields and rows as it meets them: one chunk of input is parsed into `fields_`
// and `rows_`, from which `next` serves.
class QuotedRowReader : public RowReader {
 public:
  QuotedRowReader(ByteStream stream, char delimiter) : stream_(std::move(stream)), delimiter_(delimiter) {
    start();
  }
  ~QuotedRowReader() override { csv_free(&parser_); }
  QuotedRowReader(const QuotedRowReader&) = delete;
  QuotedRowReader& operator=(const QuotedRowReader&) = delete;

  bool next(Row& row) override {
    while (served_ == rows_.size()) {
      if (at_end_) return false;
      parse_chunk();
    }
    const ParsedRow& parsed = rows_[served_++];
    row.line = parsed.line;
    row.error = parsed.error;
    row.fields.clear();
    for (int64_t i = parsed.first_field; i < parsed.last_field; ++i) row.fields.push_back(fields_[i]);
    return true;
  }

 private:
  struct ParsedRow {
    int64_t line;
    int64_t first_field, last_field;
    std::string error;
  };
  static constexpr size_t kLongestField = size_t{256} << 20;

  void start() {
    if (csv_init(&parser_, CSV_STRICT | CSV_STRICT_FINI | CSV_REPALL_NL) != 0) throw std::bad_alloc();
    csv_set_delim(&parser_, static_cast<unsigned char>(delimiter_));
    csv_set_space_func(&parser_, [](unsigned char) { return 0; });  // blanks belong to the field
    csv_set_blk_size(&parser_, 1 << 16);
  }

  void parse_chunk() {
    // The fields of a row that goes on in the next chunk stay; those of served rows go.
    Texts open;
    for (int64_t i = row_first_field_; i < fields_.size(); ++i) open.push_back(fields_[i]);
    fields_ = std::move(open);
    rows_.clear();
    served_ = 0;
    row_first_field_ = 0;

    const size_t size = stream_.read(chunk_);
    if (size == 0) {
      at_end_ = true;
      if (skipping_line_) return;
      if (csv_fini(&parser_, on_field, on_row_end, this) != 0)
        fail("expected a closing quote, found the end of the file");
      return;
    }
    std::string_view input(chunk_.data(), size);
    if (at_start_) {
      at_start_ = false;
      if (input.starts_with("\xEF\xBB\xBF")) input.remove_prefix(3);
    }
    while (!input.empty()) {
      if (skipping_line_) {
        const size_t newline = input.find('\n');
        if (newline == std::string_view::npos) return;
        input.remove_prefix(newline + 1);
        skipping_line_ = false;
        row_line_ = ++line_;
        continue;
      }
      const size_t parsed = csv_parse(&parser_, input.data(), input.size(), on_field, on_row_end, this);
      if (parsed == input.size()) break;
      if (csv_error(&parser_) != CSV_EPARSE) throw std::bad_alloc();
      // An open quoted field's line breaks are only known to libcsv until now.
      line_ += std::count(parser_.entry_buf, parser_.entry_buf + parser_.entry_pos, '\n');
      fail("expected quotes around a whole field and doubled quotes inside it, found a quote elsewhere");
      csv_free(&parser_);
      start();
      input.remove_prefix(parsed);
      skipping_line_ = true;
    }
    if (parser_.entry_pos > kLongestField)
      throw Error(ErrorKind::Data,
                  "{}:{}: expected a field of at most {} MB, found a longer one; is a quote not closed?",
                  stream_.name(), row_line_, kLongestField >> 20);
  }

  void fail(std::string error) {
    fields_.offsets.resize(static_cast<size_t>(row_first_field_) + 1);
    fields_.values.resize(static_cast<size_t>(fields_.offsets.back()));
    rows_.push_back({row_line_, row_first_field_, row_first_field_, std::move(error)});
    row_line_ = line_;
  }

  static void on_field(void* text, size_t size, void* self_pointer) {
    auto& self = *static_cast<QuotedRowReader*>(self_pointer);
    const std::string_view field(static_cast<const char*>(text), size);
    self.line_ += std::ranges::count(field, '\n');
    self.fields_.push_back(field);
  }

  static void on_row_end(int terminator, void* self_pointer) {
    auto& self = *static_cast<QuotedRowReader*>(self_pointer);
    const bool is_blank = self.row_first_field_ == self.fields_.size();  // also the LF of a CRLF
    if (!is_blank) {
      self.rows_.push_back({self.row_line_, self.row_first_field_, self.fields_.size(), {}});
      self.row_first_field_ = self.fields_.size();
    }
    if (terminator == '\n') ++self.line_;
    self.row_line_ = self.line_;
  }

  ByteStream stream_;
  char delimiter_;
  csv_parser parser_{};
  std::vector<char> chunk_ = std::vector<char>(1 << 18);
  Texts fields_;
  std::vector<ParsedRow> rows_;
  size_t served_ = 0;
  int64_t row_first_field_ = 0;  // of the row that is being read
  int64_t row_line_ = 1, line_ = 1;
  bool at_start_ = true, at_end_ = false, skipping_line_ = false;
};

}  // namespace

std::unique_ptr<RowReader> make_row_reader(ByteStream stream, char delimiter, bool quoted) {
  if (quoted) return std::make_unique<QuotedRowReader>(std::move(stream), delimiter);
  return std::make_unique<PlainRowReader>(std::move(stream), delimiter);
}

}  // namespace semblance
