#include "data/io/folders.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "data/error.h"
#include "data/io/file_system.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& action) {
  throw Error(ErrorKind::Model, "{}: cannot be {}: {}", path.string(), action, std::strerror(errno));
}

}  // namespace

PathKind kind_of(const fs::path& path) {
  std::error_code error;
  const auto status = fs::status(path, error);
  switch (status.type()) {
    case fs::file_type::not_found:
      return PathKind::Nothing;
    case fs::file_type::regular:
      return PathKind::File;
    case fs::file_type::directory:
      return PathKind::Folder;
    case fs::file_type::none:
      throw Error(ErrorKind::Model, "{}: cannot be looked at: {}", path.string(), error.message());
    default:
      return PathKind::Other;
  }
}

bool is_file(const fs::path& path) {
  return kind_of(path) == PathKind::File;
}

bool is_folder(const fs::path& path) {
  return kind_of(path) == PathKind::Folder;
}

std::vector<fs::path> list_folder(const fs::path& folder) {
  std::vector<std::string> names;
  if (file_system().list(folder.c_str(), names) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    fail(folder, "listed");
  }
  std::ranges::sort(names);
  std::vector<fs::path> paths;
  for (const auto& name : names) paths.push_back(folder / name);
  return paths;
}

void make_folder(const fs::path& folder) {
  if (folder.empty() || is_folder(folder)) return;
  make_folder(folder.parent_path());
  if (!folder.has_filename()) return;  // "a/" is "a"
  if (file_system().mkdir(folder.c_str(), 0777) != 0 && !(errno == EEXIST && is_folder(folder)))
    fail(folder, "created");
}

void rename_path(const fs::path& from, const fs::path& to) {
  if (file_system().rename(from.c_str(), to.c_str()) != 0) fail(from, "renamed to " + to.string());
}

void remove_file(const fs::path& path) {
  if (file_system().unlink(path.c_str()) != 0 && errno != ENOENT) fail(path, "removed");
}

void remove_path(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(fs::symlink_status(path, ignored))) return remove_file(path);
  for (const auto& inner : list_folder(path)) remove_path(inner);
  if (file_system().rmdir(path.c_str()) != 0 && errno != ENOENT) fail(path, "removed");
}

void flush_folder(const fs::path& folder) {
  const auto name = folder.empty() ? fs::path(".") : folder;
  const int file = file_system().open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) {
    if (errno == EACCES) return;  // a folder without read permission can still be renamed in
    fail(name, "opened");
  }
  const int status = file_system().fsync(file);
  const int reason = errno;
  file_system().close(file);
  // Some file systems do not offer it for folders: nothing more can be done there.
  errno = reason;
  if (status != 0 && errno != EINVAL && errno != ENOTSUP && errno != EBADF && errno != EROFS)
    fail(name, "flushed");
}

}  // namespace semblance
