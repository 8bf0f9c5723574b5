#include "data/readers/labelled_texts.h"

#include <optional>

#include "data/error.h"
#include "data/io/line_reader.h"
#include "data/readers/layout.h"
#include "data/readers/row_reader.h"

namespace semblance {
namespace {

constexpr std::string_view kFastTextPrefix = "__label__";
constexpr size_t kLongestLabel = 256;

struct Example {
  std::string_view text;
  std::vector<std::string_view> labels;
  bool set = false;   // whether the labels are a set
  std::string error;  // why the row cannot be used
};

// The items of "['php', 'mysql']"; false if `cell` is no such list.
bool parse_list(std::string_view cell, std::vector<std::string_view>& items) {
  if (!cell.starts_with('[') || !cell.ends_with(']')) return false;
  cell = cell.substr(1, cell.size() - 2);
  const auto skip_blanks = [&] { cell.remove_prefix(std::min(cell.find_first_not_of(" \t"), cell.size())); };
  skip_blanks();
  while (!cell.empty()) {
    size_t end;
    if (cell[0] == '\'' || cell[0] == '"') {
      end = cell.find(cell[0], 1);
      if (end == std::string_view::npos) return false;
      items.push_back(cell.substr(1, end - 1));
      ++end;
    } else {
      end = std::min(cell.find(','), cell.size());
      auto item = cell.substr(0, end);
      while (item.ends_with(' ')) item.remove_suffix(1);
      items.push_back(item);
    }
    cell.remove_prefix(end);
    skip_blanks();
    if (cell.empty()) return true;
    if (cell[0] != ',') return false;
    cell.remove_prefix(1);
    skip_blanks();
  }
  return true;
}

// One file, example by example.
class ExampleReader {
 public:
  ExampleReader(const std::string& path, const InputOptions& options, bool needs_labels)
      : needs_labels_(needs_labels), name_(path == "-" ? "<stdin>" : path) {
    ByteStream stream(path);
    // Plain lines need no look ahead: a pipe's first line is answered before its second is written.
    if (options.format == InputFormat::Lines && !needs_labels) {
      layout_.description = enum_name(InputFormat::Lines);
    } else {
      layout_ = recognise_layout(stream, options, needs_labels);
    }
    if (layout_.delimited()) {
      rows_ = make_row_reader(std::move(stream), layout_.delimiter, layout_.quoted);
      if (layout_.header) rows_->next(row_);
    } else {
      lines_.emplace(std::move(stream));
    }
  }

  bool next(Example& example) {
    example.labels.clear();
    example.error.clear();
    example.set = false;
    return layout_.delimited() ? next_row(example) : next_line(example);
  }

  int64_t line() const { return lines_ ? lines_->line_number() : row_.line; }
  bool may_wait() const { return lines_ && !lines_->has_buffered_line(); }
  const Layout& layout() const { return layout_; }
  const std::string& name() const { return name_; }

 private:
  bool next_row(Example& example) {
    if (!rows_->next(row_)) return false;
    if (!row_.error.empty()) {
      example.error = row_.error;
      return true;
    }
    if (row_.fields.size() != layout_.columns) {
      example.error = fmt::format("expected {} columns, found {}", layout_.columns, row_.fields.size());
      return true;
    }
    example.text = row_.fields[layout_.text_column];
    if (!needs_labels_) return true;
    auto cell = row_.fields[layout_.label_column];
    if (layout_.format == InputFormat::RuTweetCorp && cell != "1" && cell != "-1") {
      example.error = fmt::format("expected 1 or -1 in column 5, found '{:.40}'", cell);
      return true;
    }
    example.set = lists_ != false && parse_list(cell, example.labels);
    if (!lists_) lists_ = example.set;
    if (*lists_ && !example.set)
      example.error = fmt::format("expected a list of labels in brackets, found '{:.40}'", cell);
    if (!*lists_) {
      example.labels.assign(1, cell);
      if (cell.empty())
        example.error = fmt::format("expected a label in column {}, found nothing", layout_.label_column + 1);
    }
    return true;
  }

  bool next_line(Example& example) {
    std::string_view line;
    if (!lines_->next(line)) return false;
    example.text = line;
    if (layout_.format == InputFormat::FastText) {
      split_fasttext(line, example);
      if (needs_labels_ && example.labels.empty())
        example.error = fmt::format("expected a word that begins with {}, found none", kFastTextPrefix);
      example.set = example.labels.size() > 1;
    } else if (layout_.format == InputFormat::LabelText) {
      const size_t end = line.find_first_of(" \t");
      if (end == 0 || end == std::string_view::npos) {
        example.error =
            "expected a label, a space and a text, found no " + std::string(end == 0 ? "label" : "text");
        return true;
      }
      example.labels.assign(1, line.substr(0, end));
      example.text = line.substr(end + 1);
    }
    return true;
  }

  void split_fasttext(std::string_view line, Example& example) {
    without_labels_.clear();
    for (size_t i = 0; i < line.size();) {
      const size_t end = std::min(line.find_first_of(" \t", i), line.size());
      const auto word = line.substr(i, end - i);
      if (word.starts_with(kFastTextPrefix) && word.size() > kFastTextPrefix.size()) {
        example.labels.push_back(word.substr(kFastTextPrefix.size()));
        i = end + 1;
      } else {
        without_labels_ += line.substr(i, end + 1 - i);
        i = end + 1;
      }
    }
    example.text = without_labels_;
  }

  bool needs_labels_;
  std::string name_;
  Layout layout_;
  std::unique_ptr<RowReader> rows_;
  std::optional<LineReader> lines_;
  Row row_;
  std::optional<bool> lists_;  // whether this file's labels are bracketed lists, once known
  std::string without_labels_;
};

// Whether the row is to be left out; counts it then.
bool is_skipped(const ExampleReader& reader, const std::string& error, BadRows policy, ReadReport& report) {
  if (error.empty()) return false;
  report.leave_out(fmt::format("{}:{}: {}", reader.name(), reader.line(), error), policy);
  return true;
}

}  // namespace

LabelledTexts read_labelled_texts(std::span<const std::string> paths, const InputOptions& options) {
  LabelledTexts all;
  std::string buffer;
  Example example;
  for (const auto& path : paths) {
    ExampleReader reader(path, options, true);
    if (all.report.layout.empty()) all.report.layout = reader.layout().description;
    while (reader.next(example)) {
      for (const auto label : example.labels)
        if (example.error.empty() && label.size() > kLongestLabel)
          example.error =
              fmt::format("expected a label of at most {} bytes, found {}", kLongestLabel, label.size());
      if (is_skipped(reader, example.error, options.bad_rows, all.report)) continue;
      all.texts.push_back(all.report.valid(example.text, buffer));
      for (const auto label : example.labels)
        all.labels.values.push_back(all.names.add(all.report.valid(label, buffer)));
      all.labels.close_row();
      all.sets |= example.set;
      ++all.report.rows;
    }
  }
  if (all.report.rows == 0)
    throw Error(ErrorKind::Data, "{}: expected labelled texts, found {}", paths.front(),
                all.report.skipped ? "bad rows only; the first: " + all.report.first_skipped : "none");
  return all;
}

ReadReport read_texts(const std::string& path, const InputOptions& options,
                      const std::function<void(std::string_view, bool)>& take) {
  ReadReport report;
  ExampleReader reader(path, options, false);
  report.layout = reader.layout().description;
  std::string buffer;
  Example example;
  while (reader.next(example)) {
    if (is_skipped(reader, example.error, options.bad_rows, report)) continue;
    ++report.rows;
    take(report.valid(example.text, buffer), reader.may_wait());
  }
  return report;
}

}  // namespace semblance
