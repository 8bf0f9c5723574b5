#include "training/text_cache.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

#include "data/error.h"
#include "data/fingerprint.h"
#include "data/io/byte_stream.h"
#include "data/io/file_system.h"
#include "data/io/folders.h"
#include "data/io/temporary_path.h"

namespace semblance {
namespace {

constexpr std::string_view kFormat = "encoded texts 1, semblance " SEMBLANCE_VERSION;
constexpr const char* kEnd = ".semcache";
constexpr const char* kLockName = "LOCK";

// Which file it is, and when it was last changed, in content or otherwise; null while it is so young that a
// change could come within the same tick of the clock.
Json state_of(const std::filesystem::path& path) {
  struct stat info{};
  struct timespec now{};
  if (::stat(path.c_str(), &info) != 0 || ::clock_gettime(CLOCK_REALTIME, &now) != 0) return {};
  constexpr int64_t kYoung = 2;  // seconds
  if (now.tv_sec - std::max(info.st_mtim.tv_sec, info.st_ctim.tv_sec) < kYoung) return {};
  return {info.st_dev,          info.st_ino,         info.st_size,        info.st_mtim.tv_sec,
          info.st_mtim.tv_nsec, info.st_ctim.tv_sec, info.st_ctim.tv_nsec};
}

// Names of large files by their content, which a file in the cache remembers as long as they are not changed:
// {PATH: {"state": …, "digest": …}}.
class Digests {
 public:
  explicit Digests(const std::filesystem::path& folder) : path_(folder / "inputs.json") {
    if (!is_file(path_)) return;
    known_ = json_if_any(read_file(path_.string(), uint64_t{1} << 24));
    if (!known_.is_object()) known_ = Json::object();
  }
  ~Digests() {
    try {
      if (changed_) write_file_atomically(path_, json_line(known_));
    } catch (const Error&) {
      // They are read again then.
    }
  }
  Digests(const Digests&) = delete;
  Digests& operator=(const Digests&) = delete;

  std::string of(const std::filesystem::path& path) {
    constexpr uintmax_t kLarge = uintmax_t{16} << 20;
    if (std::filesystem::file_size(path) < kLarge) return fingerprint_of_file(path);
    const Json state = state_of(path);
    auto& known = known_[std::filesystem::absolute(path).lexically_normal().string()];
    if (!state.is_null() && known.is_object() && known.value("state", Json()) == state)
      return known.value("digest", "");
    known = {{"state", state}, {"digest", fingerprint_of_file(path)}};
    changed_ = true;
    return known["digest"];
  }

 private:
  std::filesystem::path path_;
  Json known_ = Json::object();
  bool changed_ = false;
};

void add_path(Fingerprint& fingerprint, const std::filesystem::path& path, Digests& digests) {
  switch (path == "-" ? PathKind::Other : kind_of(path)) {
    case PathKind::Nothing:  // word vectors, of which a run that is resumed has its own
      return fingerprint.add("nothing");
    case PathKind::File:
      return fingerprint.add(digests.of(path));
    case PathKind::Folder:
      for (const auto& entry : list_folder(path)) {
        fingerprint.add(entry.filename().string());
        add_path(fingerprint, entry, digests);
      }
      return;
    case PathKind::Other:
      throw Error(ErrorKind::Data, "{}: expected a file, which --cache reads twice, found a stream",
                  path.string());
  }
}

}  // namespace

TextCache::TextCache(const std::string& folder, std::vector<std::string> inputs, Notice notice)
    : folder_(folder), inputs_(std::move(inputs)), notice_(std::move(notice)) {
  make_folder(folder_);
  contents_ = contents();
}

std::string TextCache::contents() const {
  Fingerprint contents;
  Digests digests(folder_);
  for (const auto& input : inputs_) add_path(contents, input, digests);
  return contents.digest();
}

std::filesystem::path TextCache::path_of(std::string_view kind, const Json& options) const {
  Fingerprint name;
  name.add(json_line(options));
  for (const auto& input : inputs_) {
    name.add(std::filesystem::absolute(input).lexically_normal().string());
    name.add(std::string_view("\0", 1));
  }
  return folder_ / fmt::format("{}-{:.16}{}", kind, name.digest(), kEnd);
}

std::string TextCache::key_of(const Json& options) const {
  Fingerprint key;
  key.add(kFormat);
  key.add(contents_);
  key.add(json_line(options));
  return key.digest();
}

std::optional<ArrayFile> TextCache::find(std::string_view kind, const Json& options) const {
  const auto path = path_of(kind, options);
  if (!is_file(path)) return std::nullopt;
  std::string why;
  auto file = ArrayFile::open(path, why);
  if (!file) {
    notice_(fmt::format("warning: {}: {}; the texts are encoded anew", path.string(), why));
    return std::nullopt;
  }
  if (file->notes().at("key") != key_of(options)) {
    notice_(fmt::format("{}: was made of other texts or by another version; the texts are encoded anew",
                        path.string()));
    return std::nullopt;
  }
  if (made_ || file->notes().at("told").empty()) return file;
  notice_(fmt::format("{}: encoded texts found", path.string()));
  for (const auto& line : file->notes().at("told")) notice_(line.get<std::string>());
  return file;
}

void TextCache::keep(std::string_view kind, const Json& options,
                     const std::function<Json(ArrayFileWriter&)>& add) {
  if (!std::exchange(checked_, true) && contents() != contents_)
    throw Error(ErrorKind::Data, "{}: expected files that stay as they are while they are read, found others",
                inputs_.front());
  ArrayFileWriter writer(path_of(kind, options));
  Json notes = add(writer);
  notes["key"] = key_of(options);
  notes["told"] = std::exchange(told_, {});
  writer.finish(std::move(notes));
}

std::shared_ptr<const void> TextCache::lock(bool& waited) const {
  const auto path = folder_ / kLockName;
  const int file = file_system().open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file < 0)
    throw Error(ErrorKind::Model, "{}: cannot be opened: {}", path.string(), std::strerror(errno));
  waited = ::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;  // not where there are no locks
  if (waited) {
    notice_(fmt::format("{}: another training encodes texts there; waiting for it", folder_.string()));
    while (::flock(file, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  return {new int(file), [](const int* held) {
            file_system().close(*held);
            delete held;
          }};
}

void TextCache::remove_half_written() const {
  for (const auto& path : list_folder(folder_)) {
    const auto name = path.filename().string();
    const auto end = name.find(kEnd);
    if (end != name.npos && is_temporary_name(name, name.substr(0, end + std::strlen(kEnd))))
      remove_file(path);
  }
}

std::vector<std::string> inputs_of_texts(const Job& job, const StartOptions& start) {
  std::vector<std::string> inputs;
  for (const auto& [option, path] : inputs_of(job)) inputs.push_back(path);
  if (!start.vectors.empty()) inputs.push_back(start.vectors);
  return inputs;
}

void add_rows(ArrayFileWriter& writer, const std::string& name, const RaggedIdsView& rows) {
  writer.add(name + ".values", rows.values);
  writer.add(name + ".offsets", rows.offsets);
}

FrozenIds rows_in(const ArrayFile& file, const std::string& name) {
  const auto values = file.array<int32_t>(name + ".values");
  const auto offsets = file.array<int64_t>(name + ".offsets");
  struct Both {
    Frozen<int32_t> values;
    Frozen<int64_t> offsets;
  };
  return {{.values = values, .offsets = offsets},
          ArrayHolder{.owner = std::make_shared<const Both>(values, offsets), .far = values.holder().far}};
}

Json add_features(ArrayFileWriter& writer, const TextFeatures& features) {
  TextFeatures::Files files;
  features.save(files);
  Json description = {{"files", Json::array()}};
  for (const auto& [name, bytes] : files) {
    writer.add_bytes(name, bytes);
    description["files"].push_back(name);
  }
  features.describe(description);
  return description;
}

TextFeatures features_in(const ArrayFile& file, const TextOptions& text, const NgramOptions& ngrams,
                         const Json& description) {
  TextFeatures::Files files;
  for (const auto& name : description.at("files"))
    files[name.get<std::string>()] = file.bytes(name.get<std::string>());
  return TextFeatures::load(text, ngrams, files, description, "cache");
}

}  // namespace semblance
