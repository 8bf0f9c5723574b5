// Words that something does not know: counted, and named as far as one line has room.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "data/notice.h"

namespace semblance {

class UnknownWords {
 public:
  void add(std::string_view word);
  int64_t count() const { return count_; }
  /// Warns of them in one line, if there are any: "warning: 3 word(s) `what`: a, b, c".
  void report(const std::string& what, const Notice& notice) const;

 private:
  int64_t count_ = 0;
  std::string named_;
};

}  // namespace semblance
