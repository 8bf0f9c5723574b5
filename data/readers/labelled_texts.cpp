#include "data/readers/labelled_texts.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "data/error.h"
#include "data/io/line_reader.h"
#include "data/readers/label_cells.h"
#include "data/readers/row_reader.h"
#include "data/readers/sample.h"

namespace semblance {
namespace {

constexpr size_t kLongestLabel = 256;

struct Example {
  std::string_view text;
  std::vector<std::string> labels;
  bool set = false;     // whether the labels are a set
  bool passed = false;  // no example: a row of empty cells, or the header again
  bool odd = false;     // its quotes stand where the layout has none
  std::string error;    // why the row cannot be used
};

bool is_stream(const std::string& path) {
  struct stat info{};
  return path == "-" || ::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode);
}

// One file, example by example.
class ExampleReader {
 public:
  ExampleReader(const std::string& path, const InputOptions& options, const Expected& expected)
      : needs_labels_(expected.needs_labels), name_(path == "-" ? "<stdin>" : path) {
    ByteStream stream(path);
    layout_ = recognise_layout(stream, options, expected);
    if (layout_.delimited()) {
      rows_.emplace(std::move(stream), layout_.delimiter, layout_.quoting);
      for (int64_t skip = layout_.preamble + layout_.header; skip > 0; --skip) rows_->next(row_);
      if (layout_.header) header_.assign(row_.fields.begin(), row_.fields.end());
    } else {
      const bool cr = ends_lines_with_cr(
          stream.peek_until([](std::string_view bytes) { return bytes.find('\n') != bytes.npos; }));
      lines_.emplace(std::move(stream));
      if (cr) lines_->end_lines_with_cr();
    }
  }

  bool next(Example& example) {
    example.labels.clear();
    example.error.clear();
    example.set = example.passed = example.odd = false;
    if (layout_.delimited()) return next_row(example);
    if (layout_.format == InputFormat::JsonLines) return next_object(example);
    return next_line(example);
  }

  int64_t line() const { return lines_ ? lines_->line_number() : row_.line; }
  bool may_wait() const { return lines_ && !lines_->has_buffered_line(); }
  const Layout& layout() const { return layout_; }
  std::span<const std::string_view> cells() const { return row_.fields; }
  const Json* object() const { return layout_.format == InputFormat::JsonLines ? &object_ : nullptr; }
  const std::string& name() const { return name_; }
  /// Whether the row is the header once more, as where files were joined.
  bool repeats_header() const { return layout_.header && std::ranges::equal(row_.fields, header_); }
  /// Whether the header was told from its cells and one of them comes again as a label: it was a row.
  bool header_is_label() const { return header_is_label_; }

 private:
  bool next_row(Example& example) {
    if (!rows_->next(row_)) return false;
    example.odd = row_.loose;
    if (!row_.error.empty()) {
      example.error = row_.error;
      return true;
    }
    if (row_.fields.size() != layout_.columns.size()) {
      example.error =
          fmt::format("expected {} columns, found {}", layout_.columns.size(), row_.fields.size());
      return true;
    }
    example.passed = (needs_labels_ && row_.is_empty()) || repeats_header();
    if (example.passed) return true;
    example.text = row_.fields[layout_.texts[0]];
    if (layout_.texts.size() > 1) {
      joined_.clear();
      for (const size_t column : layout_.texts) append_text(row_.fields[column]);
      example.text = joined_;
    }
    if (!needs_labels_) return true;
    if (layout_.labels.size() > 1) {
      example.set = true;
      for (const size_t column : layout_.labels) take_flag(row_.fields[column], column, example);
      return true;
    }
    const auto cell = trim(row_.fields[layout_.labels[0]]);
    if (layout_.format == InputFormat::RuTweetCorp && cell != "1" && cell != "-1") {
      example.error = fmt::format("expected 1 or -1 in column 5, found '{:.40}'", cell);
      return true;
    }
    if (layout_.header && cell == trim(header_[layout_.labels[0]])) header_is_label_ = true;
    take_label(cell, example);
    return true;
  }

  void append_text(std::string_view text) {
    if (!joined_.empty() && !text.empty()) joined_ += ' ';
    joined_ += text;
  }

  void take_flag(std::string_view cell, size_t column, Example& example) {
    bool flag = false;
    if (!parse_flag(cell, flag))
      example.error = fmt::format("expected 0 or 1 in {}, found '{:.40}'", layout_.column_name(column), cell);
    if (flag)
      example.labels.push_back(layout_.columns[column].empty() ? std::to_string(column + 1)
                                                               : std::string(trim(layout_.columns[column])));
  }

  // Of one cell: a label, or several where it is a list or has separators.
  void take_label(std::string_view cell, Example& example) {
    if (!layout_.label_separator.empty()) {
      example.set = true;
      std::vector<std::string> listed;
      if (parse_label_list(cell, listed))
        example.labels = listed;
      else
        split_labels(cell, layout_.label_separator, example.labels);
      return;
    }
    example.set = lists_ != false && parse_label_list(cell, example.labels);
    if (!lists_) lists_ = example.set;
    if (*lists_ && !example.set)
      example.error = fmt::format("expected a list of labels in brackets, found '{:.40}'", cell);
    if (!*lists_) {
      example.labels.assign(1, std::string(cell));
      if (cell.empty())
        example.error =
            fmt::format("expected a label in {}, found nothing", layout_.column_name(layout_.labels[0]));
    }
  }

  bool next_object(Example& example) {
    std::string_view line;
    do {
      if (!lines_->next(line)) return false;
    } while (trim(line).empty());
    object_ = json_if_any(line);
    const auto& object = object_;
    if (!object.is_object()) {
      example.error = "expected a JSON object";
      return true;
    }
    joined_.clear();
    for (const size_t column : layout_.texts) {
      const auto found = object.find(layout_.columns[column]);
      if (found == object.end()) {
        example.error = fmt::format("expected a key '{}'", layout_.columns[column]);
        return true;
      }
      if (found->is_structured()) {
        example.error = fmt::format("expected a text under '{}', found {}", layout_.columns[column],
                                    found->is_object() ? "an object" : "a list");
        return true;
      }
      append_text(text_of(*found));
    }
    example.text = joined_;
    if (!needs_labels_) return true;
    for (const size_t column : layout_.labels) {
      const auto found = object.find(layout_.columns[column]);
      if (found == object.end() || found->is_null() || found->is_object()) {
        example.error = fmt::format("expected a label under '{}'", layout_.columns[column]);
      } else if (layout_.labels.size() > 1) {
        example.set = true;
        take_flag(text_of(*found), column, example);
      } else if (found->is_array()) {
        example.set = true;
        for (const auto& item : *found) example.labels.emplace_back(trim(text_of(item)));
        lists_ = true;
      } else {
        take_label(trim(text_of(*found)), example);
      }
    }
    return true;
  }

  static std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump();
  }

  bool next_line(Example& example) {
    std::string_view line;
    if (!lines_->next(line)) return false;
    example.text = line;
    if (layout_.format == InputFormat::Lines) return true;
    example.passed = needs_labels_ && trim(line).empty();
    if (example.passed) return true;
    if (layout_.format == InputFormat::FastText) {
      split_fasttext(line, example);
      if (needs_labels_ && example.labels.empty())
        example.error = fmt::format("expected a word that begins with {}, found none", layout_.label_prefix);
      example.set = example.labels.size() > 1;
    } else {
      const size_t end = line.find_first_of(" \t");
      if (end == 0 || end == std::string_view::npos) {
        example.error =
            "expected a label, a space and a text, found no " + std::string(end == 0 ? "label" : "text");
        return true;
      }
      example.labels.assign(1, std::string(line.substr(0, end)));
      example.text = line.substr(end + 1);
    }
    return true;
  }

  void split_fasttext(std::string_view line, Example& example) {
    joined_.clear();
    for (size_t i = 0; i < line.size();) {
      const size_t end = std::min(line.find_first_of(" \t", i), line.size());
      const auto word = line.substr(i, end - i);
      if (word.starts_with(layout_.label_prefix) && word.size() > layout_.label_prefix.size())
        example.labels.emplace_back(word.substr(layout_.label_prefix.size()));
      else
        joined_ += line.substr(i, end + 1 - i);
      i = end + 1;
    }
    example.text = joined_;
    while (example.text.starts_with(' ') || example.text.starts_with('\t')) example.text.remove_prefix(1);
    while (example.text.ends_with(' ') || example.text.ends_with('\t')) example.text.remove_suffix(1);
  }

  bool needs_labels_;
  std::string name_;
  Layout layout_;
  std::optional<RowReader> rows_;
  std::optional<LineReader> lines_;
  Row row_;
  std::vector<std::string> header_;
  std::optional<bool> lists_;  // whether this file's labels are bracketed lists, once known
  Json object_;
  std::string joined_;
  bool header_is_label_ = false;
};

// Whether the row is to be left out; counts it then.
bool is_skipped(const ExampleReader& reader, const std::string& error, BadRows policy, ReadReport& report) {
  if (error.empty()) return false;
  report.leave_out(fmt::format("{}:{}: {}", reader.name(), reader.line(), error), policy);
  return true;
}

void count_passed(const ExampleReader& reader, ReadReport& report) {
  if (!reader.repeats_header())
    ++report.empty_rows;
  else if (report.headers++ == 0)
    report.first_header = fmt::format("{}:{}", reader.name(), reader.line());
}

void add(LabelledTexts& all, std::string_view text, const std::vector<std::string>& labels,
         TextTokenizer* tokenizer) {
  std::string buffer;
  const auto valid = all.report.valid(text, buffer);
  tokenizer ? tokenizer->add(valid) : all.texts.push_back(valid);
  all.blank += trim(valid).empty();
  for (const auto& label : labels)
    all.labels.values.push_back(all.names.add(all.report.valid(label, buffer)));
  all.labels.close_row();
  ++all.report.rows;
}

// The first words of plain texts are no labels.
void check_first_words(const LabelledTexts& texts, const std::string& path) {
  const auto few = std::max<int64_t>(2, texts.report.rows / 10);
  if (texts.names.size() > few)
    throw Error(
        ErrorKind::Data,
        "{}: expected lines that begin with one of few labels, found {} different first words in {} lines; "
        "name the layout with --input-format",
        path, texts.names.size(), texts.report.rows);
}

// A label that looks like several and comes again; empty: none does.
std::string combined_label(const LabelledTexts& texts) {
  if (texts.sets) return {};
  std::vector<int64_t> counts(static_cast<size_t>(texts.names.size()));
  for (const int32_t label : texts.labels.values) ++counts[static_cast<size_t>(label)];
  for (const std::string_view separator : {"|", ";", ","})
    for (int32_t i = 0; i < texts.names.size(); ++i) {
      std::vector<std::string> parts;
      split_labels(texts.names[i], separator, parts);
      if (parts.size() > 1 && counts[static_cast<size_t>(i)] > 1) return std::string(texts.names[i]);
    }
  // These are in names too; in sets of labels, a part is a label by itself.
  for (const std::string_view separator : {"/", "+", "\n"})
    for (int32_t i = 0; i < texts.names.size(); ++i) {
      std::vector<std::string> parts;
      split_labels(texts.names[i], separator, parts);
      if (parts.size() > 1 && counts[static_cast<size_t>(i)] > 1 &&
          std::ranges::any_of(parts, [&](const auto& part) { return texts.names.find(part) >= 0; }))
        return std::string(texts.names[i]);
    }
  // Blanks are in the names of many labels; in sets of them, every part has several partners.
  WordTable parts;
  std::vector<int64_t> labels_with;
  for (int32_t i = 0; i < texts.names.size(); ++i) {
    std::vector<std::string> words;
    split_labels(texts.names[i], " ", words);
    if (words.size() < 2) return {};
    for (const auto& word : words) {
      const auto id = static_cast<size_t>(parts.add(word));
      labels_with.resize(std::max(labels_with.size(), id + 1));
      ++labels_with[id];
    }
  }
  if (texts.names.size() > 2 && std::ranges::all_of(labels_with, [](int64_t n) { return n > 1; }))
    return std::string(texts.names[0]);
  return {};
}

// A folder for each class, with a file for each text.
LabelledTexts read_folder(const std::string& path, TextTokenizer* tokenizer) {
  namespace fs = std::filesystem;
  const auto sorted = [](const fs::path& folder, bool folders) {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(folder))
      if ((folders ? entry.is_directory() : entry.is_regular_file()) &&
          !entry.path().filename().string().starts_with('.'))
        found.push_back(entry.path());
    std::ranges::sort(found);
    return found;
  };
  LabelledTexts all;
  for (const auto& folder : sorted(path, true)) {
    const auto files = sorted(folder, false);
    if (folder.filename() == "unsup") {  // the reviews of the IMDB set that have no label
      all.report.unlabelled = static_cast<int64_t>(files.size());
      continue;
    }
    for (const auto& file : files) {
      ByteStream stream(file.string());
      std::string text(stream.peek(std::string_view::npos));
      if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
      add(all, trim(text), {folder.filename().string()}, tokenizer);
    }
  }
  if (all.report.rows == 0)
    throw Error(
        ErrorKind::Data,
        "{}: expected a file of texts, or a folder that holds a folder of text files for each class, found "
        "neither",
        path);
  all.layout.format = InputFormat::Lines;
  all.report.layout = "a folder for each class, a file for each text";
  return all;
}

// One file. What was guessed from its first rows is checked against all of them; a guess that does not hold
// is made again with what is known then.
LabelledTexts read_file(const std::string& path, InputOptions options, const Expected& expected,
                        TextTokenizer* tokenizer) {
  const int64_t before = tokenizer ? tokenizer->size() : 0;
  bool verified = options.table.quoting != Quoting::Auto || is_stream(path);
  for (int attempt = 0;; ++attempt) {
    LabelledTexts texts;
    Example example;
    ExampleReader reader(path, options, expected);
    texts.layout = reader.layout();
    texts.report.layout = texts.layout.description();
    bool again = false;
    while (!again && reader.next(example)) {
      const auto& layout = reader.layout();
      if (example.odd && layout.quoting == Quoting::Rfc4180 && options.table.quoting == Quoting::Auto &&
          is_stream(path))
        throw Error(ErrorKind::Data,
                    "{}:{}: expected quotes as in RFC 4180, found others, and a stream cannot be read again "
                    "to tell; give --quoting",
                    reader.name(), reader.line());
      if (layout.delimited() && layout.format != InputFormat::RuTweetCorp && !verified &&
          (!example.error.empty() || example.odd)) {
        verified = true;
        const auto best = best_quoting(layout.delimiter, [&](Quoting quoting) {
          return measure_fit(ByteStream(path), layout.delimiter, quoting, layout.columns.size(),
                             layout.preamble + layout.header);
        });
        if (best != layout.quoting) {
          options.table.quoting = best;
          again = true;
          break;
        }
      }
      if (example.passed) {
        count_passed(reader, texts.report);
        continue;
      }
      for (const auto& label : example.labels)
        if (example.error.empty() && label.size() > kLongestLabel)
          example.error =
              fmt::format("expected a label of at most {} bytes, found {}", kLongestLabel, label.size());
      if (is_skipped(reader, example.error, options.table.bad_rows, texts.report)) continue;
      add(texts, example.text, example.labels, tokenizer);
      texts.sets |= example.set;
    }
    if (!again && options.table.header == Header::Auto && reader.header_is_label() && !expected.layout &&
        attempt < 3) {
      options.table.header = Header::No;
      again = true;
    }
    if (again) {
      if (tokenizer) tokenizer->forget_from(before);
      continue;
    }
    if (options.table.encoding == kAutoEncoding) texts.report.check_encoding(path);
    if (options.format == InputFormat::Auto && texts.layout.format == InputFormat::LabelText &&
        !expected.layout)
      check_first_words(texts, path);
    texts.report.combined = combined_label(texts);
    return texts;
  }
}

}  // namespace

LabelledTexts read_labelled_texts(std::span<const std::string> paths, const InputOptions& options,
                                  const Expected& trained, TextTokenizer* tokenizer) {
  LabelledTexts all;
  Expected expected = trained;
  expected.needs_labels = true;
  Layout first;
  for (const auto& path : paths) {
    auto texts = std::filesystem::is_directory(path) ? read_folder(path, tokenizer)
                                                     : read_file(path, options, expected, tokenizer);
    if (&path == paths.data()) {
      all = std::move(texts);
      first = all.layout;
      if (!expected.layout && !std::filesystem::is_directory(path)) {
        expected.layout = &first;
        expected.joins = true;
        expected.knows_label = [&names = all.names](std::string_view label) {
          return names.find(label) >= 0;
        };
      }
      continue;
    }
    all.texts.append(texts.texts);
    all.blank += texts.blank;
    for (int64_t row = 0; row < texts.labels.size(); ++row) {
      for (const int32_t label : texts.labels[row])
        all.labels.values.push_back(all.names.add(texts.names[label]));
      all.labels.close_row();
    }
    all.sets |= texts.sets;
    all.report.add(texts.report);
  }
  if (all.report.rows == 0)
    throw Error(ErrorKind::Data, "{}: expected labelled texts, found {}", paths.front(),
                all.report.skipped ? "bad rows only; the first: " + all.report.first_skipped : "none");
  return all;
}

ReadReport read_texts(const std::string& path, const InputOptions& options, Expected expected,
                      const std::function<void(const Layout&)>& told,
                      const std::function<void(const ReadText&)>& take) {
  ReadReport report;
  expected.needs_labels = false;
  expected.may_wait = is_stream(path);
  ExampleReader reader(path, options, expected);
  report.layout = reader.layout().description();
  if (told) told(reader.layout());
  std::string buffer;
  Example example;
  while (reader.next(example)) {
    if (example.passed) {
      count_passed(reader, report);
      continue;
    }
    if (is_skipped(reader, example.error, options.table.bad_rows, report)) {
      take({.text = {}, .cells = {}, .left_out = true, .may_wait = reader.may_wait()});
      continue;
    }
    ++report.rows;
    take({.text = report.valid(example.text, buffer),
          .cells = reader.cells(),
          .object = reader.object(),
          .may_wait = reader.may_wait()});
  }
  if (options.table.encoding == kAutoEncoding) report.check_encoding(reader.name());
  return report;
}

}  // namespace semblance
