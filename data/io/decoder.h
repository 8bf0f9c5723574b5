// Other encodings than UTF-8, turned into it as the bytes come.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace semblance {

/// Bytes of one encoding as UTF-8. Ill-formed ones become bytes that are ill-formed in UTF-8 too, so that
/// readers count them as they count those of a file that is UTF-8 itself. To be used by one thread at a time.
class Decoder {
 public:
  using Read = std::function<size_t(std::span<char>)>;

  /// `encoding` is a name that iconv knows. Throws Error(Usage) for any other.
  explicit Decoder(const std::string& encoding);
  ~Decoder();
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  /// Fills a prefix of `buffer` with what `read` delivers, decoded, and returns its length; 0 at the end.
  size_t read(std::span<char> buffer, const Read& read);

 private:
  void decode(bool at_end);

  void* iconv_;
  std::string input_, output_;  // what is yet to be decoded, to be delivered
  size_t served_ = 0;
};

/// Whether `encoding` means UTF-8, which needs no decoding.
bool is_utf8_name(std::string_view encoding);

/// The encoding that a byte-order mark at the start of `head` tells (UTF-16 and UTF-32); empty: none, or
/// UTF-8.
std::string_view encoding_of_mark(std::string_view head);

}  // namespace semblance
