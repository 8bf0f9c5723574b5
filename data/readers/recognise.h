// The one place that tells how a file of texts is laid out: a proposal from its first rows, which the reader
// then checks against all of them.
#pragma once

#include <string>
#include <string_view>

#include "data/io/byte_stream.h"
#include "data/readers/columns.h"
#include "data/readers/input_options.h"
#include "data/readers/layout.h"

namespace semblance {

/// What is known of a file from elsewhere.
struct Expected {
  const Layout* layout = nullptr;  ///< of the files trained on; it is taken where the file fits it
  KnowsLabel knows_label = {};     ///< whether a label was trained on
  bool needs_labels = true;
  bool may_wait = false;  ///< the input may come line by line: the first one is to do
};

/// Recognises the layout of the text in `stream`, which is left at its start, and decodes it where that is
/// asked for. Throws Error(Data) if the file is empty or no text, a named column is missing, two columns
/// could be meant, or labels are needed and cannot be told.
Layout recognise_layout(ByteStream& stream, const InputOptions& options, const Expected& expected);

/// How well a way of quoting cuts rows: those that do not have `columns` fields, and those whose quotes stand
/// where that way has none.
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

/// Whether the lines of `sample` end with a CR alone.
bool ends_lines_with_cr(std::string_view sample);

}  // namespace semblance
