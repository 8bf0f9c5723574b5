#include "training/run_folder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/io/line_reader.h"
#include "data/io/temporary_path.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStepPrefix = "step-";
constexpr std::string_view kEventsPrefix = "events.out.tfevents.", kEventsEnd = ".semblance";
constexpr const char* kJob = "job.toml";
// What goes with an old run. Its job.toml is replaced: a folder without one may be no run.
constexpr const char* kFiles[] = {"metrics.tsv", "curves.svg", "LAST", "BEST"};

bool is_checkpoint_name(std::string_view name) {
  return RunFolder::checkpoint_step(name) >= 0;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_file_of_a_run(const fs::path& path) {
  const auto name = path.filename().string();
  return !is_folder(path) && (std::ranges::find(kFiles, name) != std::end(kFiles) ||
                              (name.starts_with(kEventsPrefix) && name.ends_with(kEventsEnd)));
}

// What only a killed process leaves: checkpoints half written or half removed, and temporary files.
bool is_leftover(const fs::path& path) {
  const auto name = path.filename().string();
  const auto is_temporary = [&](const char* file) { return is_temporary_name(name, file); };
  if (!is_folder(path)) return is_temporary(kJob) || std::ranges::any_of(kFiles, is_temporary);
  return std::ranges::any_of(std::array{kUnfinishedEnd, kDoomedEnd}, [&](std::string_view end) {
    return name.ends_with(end) && is_checkpoint_name(name.substr(0, name.size() - end.size()));
  });
}

// What stands in `folder` and is as `wanted` says; nothing if it cannot be read.
template <class Wanted>
std::vector<fs::path> find_in(const fs::path& folder, Wanted wanted) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (wanted(it->path())) found.push_back(it->path());
  return found;
}

}  // namespace

bool RunFolder::exists() const {
  std::error_code ignored;
  return fs::exists(job_file(), ignored) || std::ranges::any_of(checkpoints(), [&](const auto& name) {
           return fs::exists(checkpoint_path(name) / "manifest.json", ignored);
         });
}

void RunFolder::check_free(bool overwrite) const {
  std::error_code ignored;
  if (fs::exists(path_, ignored) && !fs::is_directory(path_, ignored))
    throw Error(ErrorKind::Usage, "--run: expected a folder, found the file {}", path_.string());
  if (exists()) {
    if (overwrite) return;
    throw Error(ErrorKind::Usage,
                "--run: {} already holds a run; resume it, name another folder, or give --overwrite",
                path_.string());
  }
  const auto others = find_in(path_, [](const fs::path& path) { return !is_leftover(path); });
  if (!others.empty())
    throw Error(ErrorKind::Usage,
                "--run: expected a run or an empty folder, found {} in {}; name another folder",
                others[0].filename().string(), path_.string());
}

void RunFolder::create(const std::string& job, bool overwrite) {
  check_free(overwrite);
  make_folder(path_);
  remove_leftovers();
  // Written before an old run goes, and not for nothing, should the disk take no more.
  AtomicFile fresh(job_file());
  fresh.writer().write(job);
  fresh.writer().finish();
  for (const auto& path : find_in(path_, is_file_of_a_run)) {
    std::error_code error;
    fs::remove(path, error);
    if (error) throw Error(ErrorKind::Model, "{}: cannot be removed: {}", path.string(), error.message());
  }
  for (const auto& name : checkpoints()) remove_checkpoint(name);
  fresh.commit();
}

std::string RunFolder::checkpoint_name(int64_t step) {
  return fmt::format("{}{:08}", kStepPrefix, step);
}

int64_t RunFolder::checkpoint_step(std::string_view name) {
  int64_t step = -1;
  if (name.starts_with(kStepPrefix))
    std::from_chars(name.data() + kStepPrefix.size(), name.data() + name.size(), step);
  return name == checkpoint_name(step) ? step : -1;
}

std::string RunFolder::event_file_name(const std::string& made) {
  return fmt::format("{}{}{}", kEventsPrefix, made, kEventsEnd);
}

std::vector<std::string> RunFolder::checkpoints() const {
  std::vector<std::string> names;
  for (const auto& path : find_in(path_, is_folder))
    if (auto name = path.filename().string(); is_checkpoint_name(name)) names.push_back(std::move(name));
  std::ranges::sort(names, {}, checkpoint_step);
  return names;
}

std::string RunFolder::pointer(const char* name) const {
  std::error_code ignored;
  if (!fs::is_regular_file(path_ / name, ignored)) return {};
  LineReader lines{ByteStream((path_ / name).string())};
  std::string_view line;
  if (!lines.next(line) || !is_checkpoint_name(line) || !is_folder(path_ / line)) return {};
  return std::string(line);
}

void RunFolder::set_pointer(const char* name, const std::string& checkpoint) {
  std::error_code ignored;
  if (checkpoint.empty())
    fs::remove(path_ / name, ignored);
  else if (pointer(name) != checkpoint)
    write_file_atomically(path_ / name, checkpoint + "\n");
}

void RunFolder::remove_checkpoint(const std::string& name) {
  // Renamed first: a half-removed checkpoint must not look like a whole one.
  const auto doomed = path_ / (name + kDoomedEnd);
  rename_path(path_ / name, doomed);
  std::error_code ignored;
  fs::remove_all(doomed, ignored);
}

void RunFolder::remove_leftovers() {
  std::error_code ignored;
  for (const auto& path : find_in(path_, is_leftover)) fs::remove_all(path, ignored);
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
