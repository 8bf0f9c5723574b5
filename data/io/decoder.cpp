#include "data/io/decoder.h"

#include <iconv.h>

#include <algorithm>
#include <cerrno>

#include "data/error.h"

namespace semblance {
namespace {

using namespace std::string_view_literals;

constexpr size_t kBlock = size_t{1} << 16;
constexpr char kIllFormed = '\xFF';
const iconv_t kNoIconv = reinterpret_cast<iconv_t>(-1);

}  // namespace

bool is_utf8_name(std::string_view encoding) {
  std::string name;
  for (const char c : encoding)
    if (c != '-' && c != '_') name += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return name == "utf8" || name == "utf8sig";
}

std::string_view encoding_of_mark(std::string_view head) {
  if (head.starts_with("\xFF\xFE\x00\x00"sv) || head.starts_with("\x00\x00\xFE\xFF"sv)) return "UTF-32";
  if (head.starts_with("\xFF\xFE"sv) || head.starts_with("\xFE\xFF"sv)) return "UTF-16";
  return {};
}

Decoder::Decoder(const std::string& encoding) : iconv_(iconv_open("UTF-8", encoding.c_str())) {
  if (iconv_ == kNoIconv) {  // latin-1 and utf_16_le are names elsewhere
    auto name = encoding;
    std::erase_if(name, [](char c) { return c == '-' || c == '_'; });
    iconv_ = iconv_open("UTF-8", name.c_str());
  }
  if (iconv_ == kNoIconv || encoding.find('/') != std::string::npos)
    throw Error(ErrorKind::Usage,
                "--encoding: expected the name of an encoding, such as utf-8, windows-1251 or latin1, found "
                "'{}'; iconv -l lists them",
                encoding);
}

Decoder::~Decoder() {
  iconv_close(iconv_);
}

size_t Decoder::read(std::span<char> buffer, const Read& read) {
  while (served_ == output_.size()) {
    const size_t had = input_.size();
    input_.resize(had + kBlock);
    const size_t n = read({input_.data() + had, kBlock});
    input_.resize(had + n);
    if (n == 0 && had == 0) return 0;
    decode(n == 0);
  }
  const size_t n = output_.copy(buffer.data(), buffer.size(), served_);
  served_ += n;
  return n;
}

// What is left of `input_` is the first part of a character.
void Decoder::decode(bool at_end) {
  output_.resize(input_.size() * 4 + 16);  // the longest that any input becomes
  served_ = 0;
  char* from = input_.data();
  char* to = output_.data();
  size_t left = input_.size(), room = output_.size();
  while (left > 0 && iconv(iconv_, &from, &left, &to, &room) == static_cast<size_t>(-1)) {
    if (errno == EINVAL && !at_end) break;
    const size_t bad = errno == EINVAL ? left : 1;
    *to++ = kIllFormed;
    --room;
    from += bad;
    left -= bad;
  }
  output_.resize(static_cast<size_t>(to - output_.data()));
  input_.erase(0, input_.size() - left);
}

}  // namespace semblance
