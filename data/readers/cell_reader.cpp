#include "data/readers/cell_reader.h"

#include <algorithm>
#include <deque>

#include "data/config.h"
#include "data/io/line_reader.h"
#include "data/readers/row_reader.h"
#include "data/text/word_table.h"

namespace semblance {
namespace {

class DelimitedCells : public CellReader {
 public:
  DelimitedCells(ByteStream stream, char delimiter, Quoting quoting)
      : rows_(std::move(stream), delimiter, quoting) {}

  bool next(RowCells& row) override {
    if (!rows_.next(row_)) return false;
    row.cells.clear();
    for (size_t i = 0; i < row_.fields.size(); ++i) row.cells.push_back({i, row_.fields[i]});
    row.width = row_.fields.size();
    row.line = row_.line;
    row.error = row_.error;
    return true;
  }

 private:
  RowReader rows_;
  Row row_;
};

class JsonCells : public CellReader {
 public:
  JsonCells(ByteStream stream, const std::vector<std::string>& names) : lines_(std::move(stream)) {
    for (const auto& name : names) names_.add(name);
  }

  bool next(RowCells& row) override {
    std::string_view line;
    do {
      if (!lines_.next(line)) return false;
    } while (line.find_first_not_of(" \t") == std::string_view::npos);
    row.cells.clear();
    row.error.clear();
    row.line = lines_.line_number();
    made_.clear();
    json_ = json_if_any(line);
    if (json_.is_object()) {
      for (const auto& [key, value] : json_.items()) add(static_cast<size_t>(names_.add(key)), value, row);
    } else if (json_.is_array() &&
               std::ranges::any_of(json_, [](const Json& item) { return item.is_structured(); })) {
      row.error = "expected texts in a line's list, found lists or objects; rewrite it: jq -c '.[]' FILE";
    } else if (json_.is_array()) {
      for (size_t i = 0; i < json_.size(); ++i) add(i, json_[i], row);
    } else {
      row.error = "expected an object or a list of JSON in a line, found neither";
    }
    row.width = row.cells.size();
    return true;
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (int32_t i = 0; i < names_.size(); ++i) names.emplace_back(names_[i]);
    return names;
  }

 private:
  void add(size_t column, const Json& value, RowCells& row) {
    if (value.is_string())
      row.cells.push_back({column, value.get_ref<const std::string&>()});
    else if (value.is_number())
      row.cells.push_back({column, made_.emplace_back(value.dump())});
    else if (value.is_boolean())
      row.cells.push_back({column, value.get<bool>() ? "1" : "0"});
    else if (value.is_array())
      for (const auto& item : value)
        if (!item.is_array()) add(column, item, row);
  }

  LineReader lines_;
  WordTable names_;
  Json json_;
  std::deque<std::string> made_;  // cells of numbers
};

}  // namespace

std::unique_ptr<CellReader> make_cell_reader(ByteStream stream, RowFormat format, char delimiter,
                                             Quoting quoting, const std::vector<std::string>& names) {
  if (format == RowFormat::JsonLines) return std::make_unique<JsonCells>(std::move(stream), names);
  return std::make_unique<DelimitedCells>(std::move(stream), delimiter, quoting);
}

}  // namespace semblance
