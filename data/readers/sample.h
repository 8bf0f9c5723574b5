// The first lines of a file, and how the rows among them are best cut. Whatever is told of them, the reader
// then checks against all rows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/io/byte_stream.h"
#include "data/readers/columns.h"
#include "data/readers/table_options.h"

namespace semblance {

struct Sample {
  std::string_view bytes;               ///< whole lines; hold until the stream is read
  bool cut = false;                     ///< whether more follow
  std::vector<std::string_view> lines;  ///< those that are not blank, trimmed
  std::string encoding;  ///< that the stream is decoded from; empty: UTF-8, or as a byte-order mark says
};

/// Some hundred lines of `stream`, which is left at its start; the first one alone where it `may_wait` for
/// more. It is decoded as `encoding` says, or where that is "auto" and the text is not in UTF-8, from the
/// encoding `trained` on. Throws Error(Data) for what is binary, or in no encoding that is known.
Sample take_sample(ByteStream& stream, const std::string& encoding, const std::string& trained,
                   bool may_wait);

/// Throws Error(Data) where the first lines of `stream` are binary, or most of them not in UTF-8, for readers
/// that decode nothing.
void refuse_undecoded(ByteStream& stream);

/// How well a way of quoting cuts rows: those that do not have the columns of most, and those whose quotes
/// stand where that way has none.
struct Fit {
  int64_t rows = 0, bad = 0, odd = 0;
};
/// Of all rows of `stream` after the first `skipped`.
Fit measure_fit(ByteStream stream, char delimiter, Quoting quoting, size_t columns, int64_t skipped);

/// The best of the ways to quote; `fit(quoting)` measures one. RFC 4180 unless another cuts better; none only
/// between tabs.
template <class Measure>
Quoting best_quoting(char delimiter, Measure&& fit) {
  Quoting best = Quoting::Rfc4180;
  auto least = fit(best);
  for (const Quoting other : {Quoting::None, Quoting::Backslash}) {
    if (least.bad == 0 && least.odd == 0) break;
    // Between commas, texts are quoted or have none: a quote that is not closed is an error there.
    if (other == Quoting::None && delimiter != '\t') continue;
    const auto found = fit(other);
    if (found.rows > 0 && (found.bad < least.bad || (found.bad == least.bad && found.odd < least.odd))) {
      best = other;
      least = found;
    }
  }
  return best;
}

/// The rows of a sample as a reader will see them.
struct SampleRows {
  Table all;      ///< but those that cannot be cut
  Table regular;  ///< those of as many fields as most have
  Fit fit;
  size_t columns = 0;    ///< of most
  int64_t preamble = 0;  ///< rows at the start, of fewer fields
  int64_t broken = 0;    ///< rows that cannot be cut
};
SampleRows cut_rows(const Sample& sample, char delimiter, Quoting quoting);

struct Cut {
  char delimiter = ',';
  Quoting quoting = Quoting::Rfc4180;
  SampleRows rows;
  double share = 0;    ///< of the rows that it cuts alike
  int64_t blanks = 0;  ///< fields behind a delimiter that begin with a blank
};
/// By the one of the characters in `candidates`, or by the one given or told in the file, that cuts most rows
/// alike. Of several: that by which no rows before the first are unlike the others; behind which blanks are
/// rarest, as they follow a text's own signs; which cuts into most fields.
Cut best_cut(const Sample& sample, const TableOptions& options, std::string_view candidates);

/// What --delimiter names; nothing if it is empty. Throws Error(Usage) for what is no delimiter.
std::optional<char> given_delimiter(const std::string& option);
/// That of a first line such as Excel's "sep=;", which is no row.
std::optional<char> told_delimiter(const Sample& sample);

/// Whether the lines of `bytes` end with a CR alone.
bool ends_lines_with_cr(std::string_view bytes);

/// A file's name in lower case, without the end that tells of compression.
std::string plain_name(const std::string& file);

}  // namespace semblance
