// Plain option structs list their fields once; the command line, job.toml, the manifest and --help are all
// derived from that list.
//
//   struct TextOptions {
//     bool lowercase = true;
//     void fields(FieldList& list) { list.add("lowercase", lowercase, {.help = "fold upper case to lower
//     case"}); }
//   };
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace semblance {

/// The values of a field that tuning tries (training/tune/): `choices`, in their order, or numbers around the
/// one that it has.
struct Search {
  std::string_view choices = {};  ///< as on the command line, with | between them
  double factor = 0;  ///< from the field's value divided by this to it times this, evenly by their logarithms

  bool empty() const { return choices.empty() && factor == 0; }
};

struct Field {
  std::string_view help = {};
  double min =
      -std::numeric_limits<double>::infinity();  ///< smallest value allowed (numbers, each of a list)
  double max = std::numeric_limits<double>::infinity();
  std::string_view hint = {};    ///< what --help shows for the value; by default its type
  std::string_view before = {};  ///< its value in jobs that were stored before there was such a field
  bool input = false;  ///< names a file, or several, that a training reads each time it is begun or resumed
  Search search = {};  ///< what tuning tries; empty: nothing but its value
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

/// An enum, whatever its type: its values as numbers, and their names.
class EnumRef {
 public:
  using Name = std::pair<int, std::string_view>;

  template <class E>
  explicit EnumRef(E& value) : value_(&value), names_(kNames<E>) {
    static_assert(std::is_enum_v<E> && sizeof(E) == sizeof(int));
  }
  int get() const {
    int number;
    std::memcpy(&number, value_, sizeof number);
    return number;
  }
  void set(int number) const { std::memcpy(value_, &number, sizeof number); }
  std::span<const Name> names() const { return names_; }

 private:
  template <class E>
  static constexpr auto kNames = [] {
    std::array<Name, EnumNames<E>::names.size()> names;
    for (size_t i = 0; i < names.size(); ++i)
      names[i] = {static_cast<int>(EnumNames<E>::names[i].first), EnumNames<E>::names[i].second};
    return names;
  }();

  void* value_;
  std::span<const Name> names_;
};

using FieldValue = std::variant<bool*, int64_t*, double*, std::string*, std::vector<int64_t>*,
                                std::vector<double>*, std::vector<std::string>*, EnumRef>;

/// A field of some option struct, which it refers to.
struct FieldRef {
  std::string_view name;
  FieldValue value;
  Field field;
};

class FieldList : public std::vector<FieldRef> {
 public:
  template <class T>
  void add(std::string_view name, T& value, const Field& field) {
    if constexpr (std::is_enum_v<T>)
      push_back({name, EnumRef(value), field});
    else
      push_back({name, &value, field});
  }
};

template <class Options>
FieldList fields_of(Options& options) {
  FieldList list;
  options.fields(list);
  return list;
}

/// One option struct among several, such as a table of job.toml.
struct Section {
  std::string_view name, title;
  FieldList fields;
};

class SectionList : public std::vector<Section> {
 public:
  template <class Options>
  void add(std::string_view name, Options& options, std::string_view title) {
    push_back({name, title, fields_of(options)});
  }
  /// The first field of that name, which there must be.
  Field& field(std::string_view name) {
    for (auto& section : *this)
      for (auto& field : section.fields)
        if (field.name == name) return field.field;
    std::abort();
  }
};

/// Several option structs that belong together.
struct Sections {
  virtual ~Sections() = default;
  virtual void sections(SectionList& list) = 0;
};

/// Their list refers to `options`: where those are const, it is to be read from alone.
inline SectionList sections_of(const Sections& options) {
  SectionList list;
  const_cast<Sections&>(options).sections(list);
  return list;
}

}  // namespace semblance
