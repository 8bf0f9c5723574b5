// Plain option structs list their fields once; the command line, job.toml, the manifest and equality are all
// derived from that list.
//
//   struct TextOptions {
//     bool lowercase = true;
//     template <class Self, class Visit>
//     static void fields(Self& self, Visit&& visit) {
//       visit("lowercase", self.lowercase, Field{.help = "fold upper case to lower case"});
//     }
//   };
#pragma once

#include <array>
#include <limits>
#include <string_view>
#include <utility>

namespace semblance {

struct Field {
  std::string_view help;
  double min =
      -std::numeric_limits<double>::infinity();  ///< smallest value allowed (numbers, each of a list)
  double max = std::numeric_limits<double>::infinity();
  std::string_view hint = {};  ///< what --help shows for the value; by default its type
  bool repeated = false;  ///< a list whose items are given one by one (files), not as one text with commas
};

/// Names of an enum's values, in the order --help lists them: specialise with
/// `static constexpr std::array names{std::pair{E::A, "a"}, …}`.
template <class E>
struct EnumNames;

template <class E>
constexpr std::string_view enum_name(E value) {
  for (const auto& [candidate, name] : EnumNames<E>::names)
    if (candidate == value) return name;
  return {};
}

}  // namespace semblance
