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
  bool joins = false;     ///< it is trained on beside those files: where labels are others, so is the layout
  bool may_wait = false;  ///< the input may come line by line: the first one is to do
};

/// Recognises the layout of the text in `stream`, which is left at its start, and decodes it where that is
/// asked for. Throws Error(Data) if the file is empty or no text, a named column is missing, two columns
/// could be meant, or labels are needed and cannot be told.
Layout recognise_layout(ByteStream& stream, const InputOptions& options, const Expected& expected);

}  // namespace semblance
