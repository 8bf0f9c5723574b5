// The values of a job's fields that tuning tries, as the fields declare them (Search in data/fields.h).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/random.h"
#include "training/job.h"

namespace semblance {

/// Never changes once made. Values are texts as on the command line, in the order of `names`.
class SearchSpace {
 public:
  using Values = std::vector<std::string>;

  /// Of the fields that declare a Search, those that `may_change` is true for; `base` is what they start
  /// from.
  SearchSpace(const Job& base,
              const std::function<bool(std::string_view section, std::string_view field)>& may_change);

  const std::vector<std::string>& names() const { return names_; }
  const Values& base() const { return base_; }
  /// The base's values, every other one drawn anew, wherever it may lie.
  Values anywhere(RandomStream& random) const;
  /// `values`, some of which (one at least) have moved a little.
  Values near(const Values& values, RandomStream& random) const;
  /// Sets them in a job like the base.
  void apply(const Values& values, Job& job) const;

 private:
  struct Axis {
    std::vector<std::string> choices;  // or a number:
    double least = 0, most = 0;
    bool whole = false;
  };
  std::string number_text(const Axis& axis, double value) const;
  std::string draw(const Axis& axis, RandomStream& random) const;
  std::string step(const Axis& axis, const std::string& value, RandomStream& random) const;

  std::vector<std::string> names_, sections_;
  std::vector<Axis> axes_;
  Values base_;
};

}  // namespace semblance
