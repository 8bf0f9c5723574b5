#include "data/io/byte_stream.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "data/io/container.h"
#include "data/io/decoder.h"
#include "data/io/file_system.h"

namespace semblance {

struct ByteStream::State {
  // Reads on in a thread, a few blocks ahead of what was asked for.
  class Ahead {
   public:
    using Read = std::function<size_t(std::span<char>)>;

    explicit Ahead(Read read) : thread_([this, read = std::move(read)] { fill(read); }) {}
    ~Ahead() {
      {
        const std::lock_guard lock(mutex_);
        stopped_ = true;
      }
      changed_.notify_all();
      thread_.join();
    }

    size_t read(std::span<char> buffer) {
      if (served_ == block_.size()) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !blocks_.empty() || ended_; });
        if (blocks_.empty()) {
          if (failure_) std::rethrow_exception(failure_);
          return 0;
        }
        block_ = std::move(blocks_.front());
        blocks_.pop_front();
        served_ = 0;
        changed_.notify_all();
      }
      const size_t n = block_.copy(buffer.data(), buffer.size(), served_);
      served_ += n;
      return n;
    }

   private:
    static constexpr size_t kBlock = size_t{1} << 18;
    static constexpr size_t kBlocks = 4;

    void fill(const Read& read) {
      try {
        while (true) {
          std::string block(kBlock, '\0');
          block.resize(read(block));
          std::unique_lock lock(mutex_);
          if (block.empty() || stopped_) break;
          changed_.wait(lock, [&] { return blocks_.size() < kBlocks || stopped_; });
          blocks_.push_back(std::move(block));
          changed_.notify_all();
        }
      } catch (...) {
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
      }
      const std::lock_guard lock(mutex_);
      ended_ = true;
      changed_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> blocks_;
    bool ended_ = false, stopped_ = false;
    std::exception_ptr failure_;
    std::string block_;  // being served
    size_t served_ = 0;
    std::thread thread_;  // last: what it uses is there before it starts
  };

  size_t read(const std::string& name, std::span<char> buffer);

  int file = -1;
  bool owns_file = false;
  bool started = false;
  bool gzip = false;
  bool inside_member = false;  // between a gzip header and its trailer
  z_stream inflater{};
  std::vector<unsigned char> input = std::vector<unsigned char>(1 << 18);
  size_t begin = 0, end = 0;  // the unread part of `input`

  std::unique_ptr<Ahead> ahead;
  bool detects = false;  // containers and byte-order marks, until they were looked for
  std::string head;      // what was read to look for them
  size_t head_served = 0;
  std::unique_ptr<Decoder> decoder;

  ~State() {
    ahead.reset();
    if (gzip) inflateEnd(&inflater);
    if (owns_file) file_system().close(file);
  }
};

ReadError::ReadError(const std::string& name, const char* action, int reason)
    : Error(ErrorKind::Data, "{}: cannot be {}: {}", name, action, std::strerror(reason)), reason_(reason) {}

ByteStream::ByteStream(const std::string& path, Compression compression)
    : name_(path == "-" ? "<stdin>" : path), state_(std::make_unique<State>()) {
  state_->started = compression == Compression::None;
  state_->detects = compression == Compression::Detect;
  if (path == "-") {
    state_->file = STDIN_FILENO;
    return;
  }
  state_->file = file_system().open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (state_->file < 0) throw ReadError(path, "opened", errno);
  state_->owns_file = true;
  struct stat info{};
  if (::fstat(state_->file, &info) == 0 && S_ISDIR(info.st_mode))
    throw Error(ErrorKind::Data, "{}: expected a file, found a folder", path);
}

ByteStream ByteStream::from_memory(std::string name, std::string content) {
  ByteStream stream;
  stream.name_ = std::move(name);
  stream.peeked_ = std::move(content);
  return stream;
}

ByteStream::ByteStream() = default;
ByteStream::~ByteStream() = default;
ByteStream::ByteStream(ByteStream&&) noexcept = default;

bool ByteStream::is_gzip() const {
  return state_ && state_->gzip;
}

size_t ByteStream::read(std::span<char> buffer) {
  if (peeked_served_ == peeked_.size()) return read_on(buffer);
  const size_t n = peeked_.copy(buffer.data(), buffer.size(), peeked_served_);
  peeked_served_ += n;
  return n;
}

std::string_view ByteStream::peek(size_t size) {
  return peek_until([size](std::string_view bytes) { return bytes.size() >= size; });
}

std::string_view ByteStream::peek_until(const std::function<bool(std::string_view)>& enough) {
  constexpr size_t kLeast = size_t{1} << 16;
  while (!enough(peeked_)) {
    const size_t had = peeked_.size();
    peeked_.resize(had + std::max(kLeast, had));
    const size_t n = read_on({peeked_.data() + had, peeked_.size() - had});
    peeked_.resize(had + n);
    if (n == 0) break;
  }
  return peeked_;
}

void ByteStream::decode(const std::string& encoding) {
  if (!state_) state_ = std::make_unique<State>();
  if (state_->decoder) return;
  state_->decoder = std::make_unique<Decoder>(encoding);
  // What was peeked at goes through the decoder as well.
  state_->head = std::exchange(peeked_, {}) + state_->head.substr(state_->head_served);
  state_->head_served = 0;
}

size_t ByteStream::read_on(std::span<char> buffer) {
  if (!state_) return 0;
  State& s = *state_;
  if (std::exchange(s.detects, false)) {
    do {
      char more[16];
      const size_t n = read_bytes(more);
      if (n == 0) break;
      s.head.append(more, n);
    } while (may_become_container(s.head) || s.head == "\xFF" || s.head == "\xFE" || s.head == "\xFF\xFE");
    refuse_container(s.head, name_);
    if (const auto encoding = encoding_of_mark(s.head); !encoding.empty())
      s.decoder = std::make_unique<Decoder>(std::string(encoding));
  }
  const auto read_head_first = [&](std::span<char> to) {
    if (s.head_served == s.head.size()) return read_bytes(to);
    const size_t n = s.head.copy(to.data(), to.size(), s.head_served);
    s.head_served += n;
    return n;
  };
  return s.decoder ? s.decoder->read(buffer, read_head_first) : read_head_first(buffer);
}

size_t ByteStream::read_bytes(std::span<char> buffer) {
  if (state_->file < 0) return 0;
  if (state_->ahead) return state_->ahead->read(buffer);
  const size_t n = state_->read(name_, buffer);
  // From the second read on, what is compressed is inflated by a thread of its own.
  if (state_->gzip && n > 0)
    state_->ahead = std::make_unique<State::Ahead>(
        [this_state = state_.get(), name = name_](std::span<char> to) { return this_state->read(name, to); });
  return n;
}

size_t ByteStream::State::read(const std::string& name_, std::span<char> buffer) {
  State& s = *this;
  auto read_raw = [&](void* to, size_t size) {
    const ssize_t n = file_system().read(s.file, to, size);
    if (n < 0) throw ReadError(name_, "read", errno);
    return static_cast<size_t>(n);
  };
  auto refill = [&] {
    s.begin = 0;
    s.end = read_raw(s.input.data(), s.input.size());
    return s.end > 0;
  };
  if (!s.started) {
    s.started = true;
    while (s.end < 2) {  // the two bytes of the magic number may come apart through a pipe
      const size_t n = read_raw(s.input.data() + s.end, s.input.size() - s.end);
      if (n == 0) break;
      s.end += n;
    }
    if (s.end >= 2 && s.input[0] == 0x1f && s.input[1] == 0x8b) {
      if (inflateInit2(&s.inflater, 15 + 16) != Z_OK)
        throw Error(ErrorKind::Internal, "{}: zlib cannot start", name_);
      s.gzip = s.inside_member = true;
    }
  }
  if (!s.gzip) {
    if (s.begin == s.end) return read_raw(buffer.data(), buffer.size());
    const size_t n = std::min(buffer.size(), s.end - s.begin);
    std::memcpy(buffer.data(), s.input.data() + s.begin, n);
    s.begin += n;
    return n;
  }
  s.inflater.next_out = reinterpret_cast<unsigned char*>(buffer.data());
  s.inflater.avail_out = static_cast<unsigned>(std::min<size_t>(buffer.size(), 1u << 30));
  const unsigned wanted = s.inflater.avail_out;
  while (s.inflater.avail_out == wanted) {
    if (s.begin == s.end && !refill()) {
      if (s.inside_member)
        throw Error(ErrorKind::Data, "{}: the gzip stream is truncated; fetch or compress the file again",
                    name_);
      return 0;
    }
    if (!s.inside_member) {  // concatenated members are one file
      // Zeros that fill up a block, as of a tape, are no member: gzip passes over them too.
      while (s.begin < s.end && s.input[s.begin] == 0) ++s.begin;
      if (s.begin == s.end) continue;
      if (s.input[s.begin] != 0x1f) {
        throw Error(ErrorKind::Data, "{}: expected the end or another gzip member, found other bytes", name_);
      }
      inflateReset(&s.inflater);
      s.inside_member = true;
    }
    s.inflater.next_in = s.input.data() + s.begin;
    s.inflater.avail_in = static_cast<unsigned>(s.end - s.begin);
    const int status = inflate(&s.inflater, Z_NO_FLUSH);
    s.begin = s.end - s.inflater.avail_in;
    if (status == Z_STREAM_END) {
      s.inside_member = false;
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      throw Error(ErrorKind::Data, "{}: the gzip stream is damaged ({}); fetch or compress the file again",
                  name_, s.inflater.msg ? s.inflater.msg : "bad data");
    }
  }
  return wanted - s.inflater.avail_out;
}

std::string read_file(const std::string& path, uint64_t most_bytes) {
  const auto check = [&](uint64_t bytes) {
    if (bytes > most_bytes)
      throw Error(ErrorKind::Data, "{}: expected at most {} MiB, found more", path, most_bytes >> 20);
  };
  ByteStream stream(path, Compression::None);
  std::error_code no_file;
  if (const auto size = std::filesystem::file_size(path, no_file); !no_file) check(size);
  std::string text;
  for (std::vector<char> buffer(size_t{1} << 16); const size_t n = stream.read(buffer);) {
    text.append(buffer.data(), n);
    check(text.size());
  }
  return text;
}

}  // namespace semblance
