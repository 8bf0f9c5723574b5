// What a report cannot say, and why.
#pragma once

#include <string>
#include <string_view>

#include "data/config.h"
#include "data/notice.h"

namespace semblance {

class LeftOut {
 public:
  /// `notice`, which is to outlive it, is told of each sentence.
  explicit LeftOut(const Notice& notice) : notice_(notice) {}
  void add(const std::string& sentence) {
    notice_(sentence);
    sentences_.push_back(sentence);
  }
  /// Calls part(), whose failure leaves out `what`, such as "the map is".
  template <class Part>
  void attempt(std::string_view what, Part&& part) {
    try {
      part();
    } catch (const Error& error) {
      add(fmt::format("{} left out: {}", what, error.what()));
    }
  }
  Json sentences() const { return sentences_; }

 private:
  const Notice& notice_;
  Json sentences_ = Json::array();
};

}  // namespace semblance
