#include "data/readers/sample.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "data/error.h"
#include "data/io/decoder.h"
#include "data/readers/label_cells.h"
#include "data/readers/read_report.h"
#include "data/readers/row_reader.h"
#include "data/text/unicode.h"

namespace semblance {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr int64_t kLines = 250, kFewLines = 20;
constexpr size_t kLarge = size_t{4} << 20, kLargest = size_t{256} << 20;  // bytes
constexpr int64_t kPreambleRows = 10;

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

int64_t line_ends(std::string_view bytes) {
  const auto ends = std::ranges::count(bytes, '\n');
  return ends > 0 ? ends : std::ranges::count(bytes, '\r');
}

Sample first_lines(ByteStream& stream, bool may_wait) {
  const auto enough = [&](std::string_view bytes) {
    const auto lines = line_ends(bytes);
    return lines >= (may_wait ? 1 : kLines) || (bytes.size() >= kLarge && lines >= kFewLines) ||
           bytes.size() >= kLargest;
  };
  Sample sample{.bytes = stream.peek_until(enough), .lines = {}, .encoding = {}};
  sample.cut = enough(sample.bytes);
  const char end = ends_lines_with_cr(sample.bytes) ? '\r' : '\n';
  if (sample.cut && sample.bytes.rfind(end) != std::string_view::npos)
    sample.bytes = sample.bytes.substr(0, sample.bytes.rfind(end) + 1);
  if (sample.bytes.starts_with(kByteOrderMark)) sample.bytes.remove_prefix(kByteOrderMark.size());
  for (auto rest = sample.bytes; !rest.empty();) {
    const auto line = rest.substr(0, rest.find(end));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (const auto text = trim(line); !text.empty()) sample.lines.push_back(text);
  }
  return sample;
}

void refuse_binary(std::string_view bytes, const std::string& file) {
  int64_t nuls[2] = {};  // at even places, at odd ones
  for (size_t i = 0; i < bytes.size(); ++i) nuls[i % 2] += bytes[i] == '\0';
  const auto size = static_cast<int64_t>(bytes.size());
  const auto [few, many] = std::minmax(nuls[0], nuls[1]);
  if (many == 0 || (few + many) * 10 < size) return;
  const bool wide = many * 4 > size && few * 10 < many;
  throw Error(
      ErrorKind::Data, "{}: expected text, found {}", file,
      wide ? "every other byte zero; if it is UTF-16, give --encoding utf-16le or utf-16be" : "binary data");
}

// Whether quotes stand where the way of quoting has none: behind a closing one, around a field that is not to
// be quoted, or behind a backslash, as delimiters may.
bool is_odd(const Row& row, Quoting quoting) {
  if (row.loose || quoting == Quoting::Backslash) return row.loose;
  return std::ranges::any_of(row.fields, [&](auto field) {
    const bool quoted = field.size() > 1 && field.front() == '"' && field.back() == '"';
    return (quoted && quoting == Quoting::None) || field.find("\\\"") != field.npos || field.ends_with('\\');
  });
}

SampleRows cut_by(const Sample& sample, char delimiter, const TableOptions& options, Quoting& quoting) {
  quoting = options.quoting;
  if (quoting != Quoting::Auto) return cut_rows(sample, delimiter, quoting);
  std::map<Quoting, SampleRows> rows;
  quoting =
      best_quoting(delimiter, [&](Quoting q) { return (rows[q] = cut_rows(sample, delimiter, q)).fit; });
  return std::move(rows[quoting]);
}

}  // namespace

Sample take_sample(ByteStream& stream, const std::string& encoding, const std::string& trained,
                   bool may_wait) {
  std::string decoded;
  const auto decode = [&](const std::string& from) {
    decoded = from;
    stream.decode(from);
  };
  if (encoding != kAutoEncoding && !is_utf8_name(encoding)) decode(encoding);
  auto sample = first_lines(stream, may_wait);
  if (!trained.empty() && encoding == kAutoEncoding &&
      (!is_valid_utf8(sample.bytes) || sample.bytes.find('\0') != std::string_view::npos)) {
    decode(trained);
    sample = first_lines(stream, may_wait);
  }
  sample.encoding = decoded;
  refuse_binary(sample.bytes, stream.name());
  if (encoding == kAutoEncoding) {
    ReadReport report;
    std::string buffer;
    for (const auto line : sample.lines) {
      report.valid(line, buffer);
      ++report.rows;
    }
    report.check_encoding(stream.name());
  }
  return sample;
}

void refuse_undecoded(ByteStream& stream) {
  constexpr size_t kHead = size_t{1} << 16;
  const auto head = stream.peek(kHead);
  refuse_binary(head, stream.name());
  ReadReport report{.units = {.whole = "line", .bad = "line", .repaired = "line"}, .decodes = false};
  std::string buffer;
  auto rest = head.substr(0, head.rfind('\n') + 1);  // its last line may be cut
  for (; !rest.empty(); ++report.rows) {
    const auto line = rest.substr(0, rest.find('\n'));
    report.valid(line, buffer);
    rest.remove_prefix(line.size() + 1);
  }
  report.check_encoding(stream.name());
}

Fit measure_fit(ByteStream stream, char delimiter, Quoting quoting, size_t columns, int64_t skipped) {
  Fit fit;
  RowReader reader(std::move(stream), delimiter, quoting);
  for (Row row; reader.next(row);) {
    if (skipped-- > 0) continue;
    ++fit.rows;
    fit.bad += row.fields.size() != columns;
    fit.odd += is_odd(row, quoting);
  }
  return fit;
}

SampleRows cut_rows(const Sample& sample, char delimiter, Quoting quoting) {
  RowReader reader(ByteStream::from_memory("", std::string(sample.bytes)), delimiter, quoting);
  SampleRows rows;
  std::map<size_t, int64_t> sizes;
  for (Row row; std::ssize(rows.all) < kLines && reader.next(row);) {
    // The end of a sample that is cut may be in a quoted field.
    if (!row.error.empty() && sample.cut && std::ssize(rows.all) > kFewLines) break;
    ++rows.fit.rows;
    rows.fit.odd += is_odd(row, quoting);
    rows.broken += !row.error.empty();
    if (!row.error.empty()) continue;
    rows.all.emplace_back(row.fields.begin(), row.fields.end());
    ++sizes[row.fields.size()];
  }
  int64_t most = 0;
  for (const auto& [size, count] : sizes)
    if (count >= most) {
      most = count;
      rows.columns = size;
    }
  rows.fit.bad = rows.broken;
  for (const auto& row : rows.all)
    if (row.size() == rows.columns)
      rows.regular.push_back(row);
    else if (rows.regular.empty() && rows.preamble < kPreambleRows && row.size() < rows.columns)
      ++rows.preamble;
    else
      ++rows.fit.bad;
  return rows;
}

Cut best_cut(const Sample& sample, const TableOptions& options, std::string_view candidates) {
  const auto told = told_delimiter(sample);
  const char given = given_delimiter(options.delimiter).value_or(told.value_or(0));
  if (given != 0) candidates = std::string_view(&given, 1);
  std::optional<Cut> best;
  for (const char delimiter : candidates) {
    Cut found{.delimiter = delimiter, .rows = {}};
    found.rows = cut_by(sample, delimiter, options, found.quoting);
    const auto& fit = found.rows.fit;
    found.share = fit.rows == 0 ? 0 : 1 - static_cast<double>(fit.bad) / static_cast<double>(fit.rows);
    if (found.rows.columns < 2) found.share *= 0.001;
    for (const auto& row : found.rows.regular)
      for (size_t c = 1; c < row.size(); ++c) found.blanks += row[c].starts_with(' ');
    const auto rank = [](const Cut& cut) {
      return std::tuple(-std::round(cut.share * 1e9), cut.rows.preamble, cut.rows.fit.odd, cut.blanks,
                        -static_cast<int64_t>(cut.rows.columns));
    };
    if (!best || rank(found) < rank(*best)) best = std::move(found);
  }
  return *best;
}

std::optional<char> given_delimiter(const std::string& option) {
  if (option.empty()) return std::nullopt;
  if (option == "\\t" || option == "tab") return '\t';
  if (option.size() != 1 || std::string_view("\n\r\"").find(option[0]) != std::string_view::npos)
    throw Error(ErrorKind::Usage, "--delimiter: expected one ASCII character or 'tab', found '{}'", option);
  return option[0];
}

std::optional<char> told_delimiter(const Sample& sample) {
  const auto line = sample.bytes.substr(0, sample.bytes.find_first_of("\r\n"));
  if (line.size() < 5 || lower_ascii(line.substr(0, 4)) != "sep=") return std::nullopt;
  return line[4];
}

bool ends_lines_with_cr(std::string_view bytes) {
  return bytes.find('\r') != std::string_view::npos && bytes.find('\n') == std::string_view::npos;
}

std::string plain_name(const std::string& file) {
  auto name = lower_ascii(file);
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  return name;
}

}  // namespace semblance
