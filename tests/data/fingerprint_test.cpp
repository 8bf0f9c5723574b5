#include "data/fingerprint.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace semblance {
namespace {

std::string digest_of(std::initializer_list<std::string_view> parts) {
  Fingerprint fingerprint;
  for (const auto part : parts) fingerprint.add(part);
  return fingerprint.digest();
}

// Digests stand in checkpoints: another algorithm would refuse to go on with every run there is.
TEST(Fingerprint, IsXxh3Of128Bits) {
  EXPECT_EQ(digest_of({}), "99aa06d3014798d86001c324468d497f");  // xxHash's own, of nothing
  EXPECT_EQ(digest_of({"abc"}), "06b05ab6733a618578af5f94892f3950");
}

TEST(Fingerprint, IsOfTheContentHoweverItComes) {
  EXPECT_EQ(digest_of({"ab", "", "c"}), digest_of({"abc"}));
  Fingerprint spans;
  const std::vector<char> content = {'a', 'b', 'c'};
  spans.add(std::span(content));
  EXPECT_EQ(spans.digest(), digest_of({"abc"}));
  EXPECT_EQ(spans.digest(), digest_of({"abc"})) << "telling it changes nothing";
}

TEST(Fingerprint, TellsContentsApart) {
  using namespace std::string_view_literals;
  std::set<std::string> digests;
  const auto contents = {""sv, "\0"sv, "\0\0"sv, "a"sv, "A"sv, "ab"sv, "ba"sv, "a\0"sv, "\0a"sv};
  for (const auto content : contents) digests.insert(digest_of({content}));
  EXPECT_EQ(digests.size(), contents.size());
}

}  // namespace
}  // namespace semblance
