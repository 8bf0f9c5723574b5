// What reading a file met on the way, and the one way to tell of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/notice.h"
#include "data/readers/table_options.h"

namespace semblance {

struct ReadReport {
  /// What things are called: what is delivered, what is left out where it is bad, what is repaired.
  struct Units {
    std::string_view whole = "text", bad = "row", repaired = "text";
  } units = {};
  bool decodes = true;             ///< whether --encoding can name another encoding
  std::string layout = {};         ///< what the first file was recognised as; empty: not to be told
  std::string details = {};        ///< of what was delivered: " of 100 dimensions"
  int64_t rows = 0;                ///< delivered
  int64_t skipped = 0;             ///< left out under --bad-rows skip
  std::string first_skipped = {};  ///< where and why, of the first of them
  int64_t invalid_utf8 = 0;        ///< those in which ill-formed bytes became U+FFFD
  int64_t empty_rows = 0;          ///< rows of empty cells, passed over
  int64_t unlabelled = 0;          ///< texts of a folder that is no class
  int64_t headers = 0;             ///< rows that repeat the header, passed over
  std::string first_header = {};   ///< where the first of them is
  std::string combined = {};       ///< a label that may be several, which come again together

  /// Counts a row that cannot be used; `message` says where and why. Throws Error(Data) with it where the
  /// policy is to stop.
  void leave_out(const std::string& message, BadRows policy);
  /// `text` with ill-formed UTF-8 replaced (in `buffer`) and counted.
  std::string_view valid(std::string_view text, std::string& buffer);
  /// Counts what another file's report counted.
  void add(const ReadReport& other);
  /// Throws Error(Data) if so much is ill-formed that the text must be in another encoding.
  void check_encoding(const std::string& file) const;
  /// A line for each thing that was met; `file` names what was read.
  void tell(const std::string& file, const Notice& notice) const;
};

}  // namespace semblance
