#include "training/run_folder.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/io/line_reader.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStepPrefix = "step-";

bool is_run_file(const std::string& name) {
  return name == "job.toml" || name == "metrics.tsv" || name == "curves.svg" || name == "LAST" ||
         name == "BEST" || name.starts_with(kStepPrefix) || name.starts_with("events.out.tfevents.") ||
         name.ends_with(".tmp");
}

}  // namespace

bool RunFolder::exists() const {
  std::error_code ignored;
  return fs::exists(job_file(), ignored) || !checkpoints().empty();
}

void RunFolder::check_free(bool overwrite) const {
  std::error_code ignored;
  if (fs::exists(path_, ignored) && !fs::is_directory(path_, ignored))
    throw Error(ErrorKind::Usage, "--run: expected a folder, found the file {}", path_.string());
  if (exists() && !overwrite)
    throw Error(ErrorKind::Usage,
                "--run: {} already holds a run; resume it, name another folder, or give --overwrite",
                path_.string());
}

void RunFolder::create(const std::string& job, bool overwrite) {
  check_free(overwrite);
  make_folder(path_);
  // First a file that shows whether the disk takes any: an old run must not go for nothing.
  auto fresh = path_ / "job.toml.new.tmp";
  {
    FileWriter writer(fresh);
    writer.write(job);
    writer.finish();
  }
  for (const auto& entry : fs::directory_iterator(path_)) {
    std::error_code error;
    if (entry.path() != fresh && is_run_file(entry.path().filename().string()))
      fs::remove_all(entry.path(), error);
    if (error)
      throw Error(ErrorKind::Model, "{}: cannot be removed: {}", entry.path().string(), error.message());
  }
  rename_path(fresh, job_file());
  flush_folder(path_);
}

std::string RunFolder::checkpoint_name(int64_t step) {
  return fmt::format("{}{:08}", kStepPrefix, step);
}

std::vector<std::string> RunFolder::checkpoints() const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(path_, error), end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename().string();
    if (name.starts_with(kStepPrefix) && !name.ends_with(".tmp")) names.push_back(name);
  }
  std::ranges::sort(
      names, [](const auto& a, const auto& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; });
  return names;
}

std::string RunFolder::pointer(const char* name) const {
  std::error_code error;
  if (!fs::is_regular_file(path_ / name, error)) return {};
  LineReader lines{ByteStream((path_ / name).string())};
  std::string_view line;
  return lines.next(line) ? std::string(line) : std::string();
}

void RunFolder::set_pointer(const char* name, const std::string& checkpoint) {
  if (pointer(name) != checkpoint) write_file_atomically(path_ / name, checkpoint + "\n");
}

void RunFolder::remove_checkpoint(const std::string& name) {
  // Renamed first: a half-removed checkpoint must not look like a whole one.
  const auto doomed = path_ / (name + ".old.tmp");
  rename_path(path_ / name, doomed);
  std::error_code ignored;
  fs::remove_all(doomed, ignored);
}

void RunFolder::remove_leftovers() {
  std::error_code error;
  std::vector<fs::path> leftovers;
  for (fs::directory_iterator it(path_, error), end; !error && it != end; it.increment(error))
    if (it->path().filename().string().ends_with(".tmp")) leftovers.push_back(it->path());
  for (const auto& path : leftovers) fs::remove_all(path, error);
}

std::string RunFolder::resolve(const std::string& choice) const {
  const auto names = checkpoints();
  if (names.empty())
    throw Error(ErrorKind::Model, "{}: expected a checkpoint, found none; resume or train the run first",
                path_.string());
  if (choice == "last") return last().empty() ? names.back() : last();
  if (choice == "best") return best().empty() ? resolve("last") : best();
  if (std::ranges::find(names, choice) == names.end())
    throw Error(ErrorKind::Model, "{}: expected best, last or one of {}; found '{}'", path_.string(),
                fmt::join(names, ", "), choice);
  return choice;
}

fs::path locate_run(const std::string& given) {
  std::error_code ignored;
  if (!fs::exists(given, ignored) && fs::exists(fs::path("checkpoints") / given, ignored))
    return fs::path("checkpoints") / given;
  return given;
}

CheckpointLocation locate_checkpoint(const std::string& given, const std::string& choice) {
  auto path = locate_run(given);
  std::error_code ignored;
  if (!fs::exists(path, ignored))
    throw Error(ErrorKind::Model, "{}: expected a run folder, found nothing", given);
  if (!path.has_filename()) path = path.parent_path();
  const RunFolder run(path);
  if (fs::exists(path / "manifest.json", ignored)) return {path.parent_path(), path.filename().string()};
  if (!run.exists())
    throw Error(ErrorKind::Model, "{}: expected a run folder, found neither job.toml nor a checkpoint in it",
                given);
  return {path, run.resolve(choice)};
}

}  // namespace semblance
