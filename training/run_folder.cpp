#include "training/run_folder.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/io/byte_stream.h"
#include "data/io/folders.h"
#include "data/io/temporary_path.h"
#include "training/run_lock.h"
#include "training/small_file.h"

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

std::string pointer_text(const fs::path& path) {
  constexpr uint64_t kMost = uint64_t{1} << 20;
  try {
    return read_file(path.string(), kMost);
  } catch (const Error& error) {
    throw Error(ErrorKind::Model, error.what());
  }
}

bool is_file_of_a_run(const fs::path& path) {
  const auto name = path.filename().string();
  return !is_folder(path) && (std::ranges::find(kFiles, name) != std::end(kFiles) ||
                              (name.starts_with(kEventsPrefix) && name.ends_with(kEventsEnd)));
}

// Whether a folder's name is a checkpoint's with `end` added.
bool is_checkpoint_with(std::string_view end, const fs::path& path) {
  const auto name = path.filename().string();
  return name.ends_with(end) && is_checkpoint_name(name.substr(0, name.size() - end.size())) &&
         is_folder(path);
}

// What only a killed process leaves: checkpoints half written or half removed, and temporary files.
bool is_leftover(const fs::path& path) {
  const auto name = path.filename().string();
  const auto is_temporary = [&](const char* file) { return is_temporary_name(name, file); };
  if (is_temporary(kJob) || std::ranges::any_of(kFiles, is_temporary)) return !is_folder(path);
  return is_checkpoint_with(kUnfinishedEnd, path) || is_checkpoint_with(kDoomedEnd, path);
}

// What stands in `folder` and is as `wanted` says.
template <class Wanted>
std::vector<fs::path> find_in(const fs::path& folder, Wanted wanted) {
  auto found = list_folder(folder);
  std::erase_if(found, [&](const auto& path) { return !wanted(path); });
  return found;
}

}  // namespace

bool RunFolder::exists() const {
  return kind_of(job_file()) != PathKind::Nothing ||
         std::ranges::any_of(checkpoints(), [&](const auto& name) {
           return is_file(checkpoint_path(name) / "manifest.json");
         });
}

void RunFolder::check_free(bool overwrite) const {
  if (const auto kind = kind_of(path_); kind != PathKind::Nothing && kind != PathKind::Folder)
    throw Error(ErrorKind::Usage, "--run: expected a folder, found the file {}", path_.string());
  if (exists()) {
    if (overwrite) return;
    throw Error(ErrorKind::Usage,
                "--run: {} already holds a run; resume it, name another folder, or give --overwrite",
                path_.string());
  }
  const auto others = find_in(
      path_, [](const fs::path& path) { return !is_leftover(path) && path.filename() != RunLock::kName; });
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
  remove_run();
  fresh.commit();
}

void RunFolder::remove_run() {
  for (const auto& path : find_in(path_, is_file_of_a_run)) remove_file(path);
  for (const auto& name : checkpoints()) remove_checkpoint(name);
  for (const auto& path : find_in(path_, [](const auto& p) { return is_checkpoint_with(kDamagedEnd, p); }))
    remove_path(path);
}

void RunFolder::take(const fs::path& from) {
  for (const auto& path : find_in(from, [](const auto& p) { return p.filename() != RunLock::kName; }))
    rename_path(path, path_ / path.filename());
  flush_folder(path_);
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
  for (const auto& path : find_in(path_, [](const auto& p) { return is_checkpoint_with("", p); }))
    names.push_back(path.filename().string());
  std::ranges::sort(names, {}, checkpoint_step);
  return names;
}

std::string RunFolder::pointer(const char* name) const {
  const auto path = path_ / name;
  const auto kind = kind_of(path);
  if (kind == PathKind::Nothing) return {};
  const auto wrong = [&](std::string_view found, std::string_view first = "") {
    throw Error(
        ErrorKind::Model,
        "{}: expected the name of a checkpoint in the run, found {}; {}resume the run, which mends it, "
        "or name a checkpoint",
        path.string(), found, first);
  };
  if (kind == PathKind::Folder) wrong("a folder", "remove it and ");
  if (kind == PathKind::Other) wrong("a pipe or a device", "remove it and ");
  auto line = pointer_text(path);
  line.resize(std::min(line.find_first_of("\r\n"), line.size()));
  if (line.empty()) wrong("nothing");
  if (!is_checkpoint_name(line)) wrong(fmt::format("'{:.60}'", line));
  if (!is_folder(path_ / line)) wrong(line + ", which is not there");
  return line;
}

void RunFolder::set_pointer(const char* name, const std::string& checkpoint) {
  const auto path = path_ / name;
  const auto text = checkpoint + "\n";
  if (checkpoint.empty())
    remove_file(path);
  else if (!is_file(path) || pointer_text(path) != text)
    write_file_atomically(path, text);
}

void RunFolder::remove_checkpoint(const std::string& name) {
  // Renamed first: a half-removed checkpoint must not look like a whole one.
  const auto doomed = path_ / (name + kDoomedEnd);
  rename_path(path_ / name, doomed);
  remove_path(doomed);
}

std::string RunFolder::set_aside(const std::string& name) {
  const auto aside = name + kDamagedEnd;
  remove_path(path_ / aside);
  rename_path(path_ / name, path_ / aside);
  return aside;
}

void RunFolder::remove_leftovers() {
  for (const auto& path : find_in(path_, is_leftover)) remove_path(path);
}

std::string RunFolder::resolve(const std::string& choice, const Notice& notice) const {
  const auto names = checkpoints();
  if (names.empty())
    throw Error(ErrorKind::Model, "{}: expected a checkpoint, found none; resume or train the run first",
                path_.string());
  if (choice != "best" && choice != "last") {
    if (std::ranges::find(names, choice) == names.end())
      throw Error(ErrorKind::Model, "{}: expected best, last or one of {}; found '{}'", path_.string(),
                  fmt::join(names, ", "), choice);
    return choice;
  }
  if (choice == "best")
    if (auto named = best(); !named.empty()) return named;
  auto named = last();
  if (named.empty()) {
    named = names.back();
    notice(fmt::format("{}: LAST is missing, {} is the newest checkpoint", path_.string(), named));
  }
  return choice == "best" ? resolve_best(names, named, notice) : named;
}

// There is no BEST, as where nothing was ever validated. If there should be one, the last checkpoint knows.
std::string RunFolder::resolve_best(const std::vector<std::string>& names, const std::string& last,
                                    const Notice& notice) const {
  std::string best;
  try {
    best = best_known_to(checkpoint_path(last));
  } catch (const DamagedCheckpoint&) {  // whoever reads it tells
  }
  if (best.empty()) return last;
  if (std::ranges::find(names, best) == names.end())
    throw Error(ErrorKind::Model,
                "{}: expected BEST or {}, the best checkpoint, found neither; name one of {}", path_.string(),
                best, fmt::join(names, ", "));
  notice(fmt::format("{}: BEST is missing, {} is the best checkpoint", path_.string(), best));
  return best;
}

CheckpointLocation locate_checkpoint(const std::string& given, const std::string& choice,
                                     const Notice& notice) {
  auto path = locate_run(given);
  if (kind_of(path) == PathKind::Nothing)
    throw Error(ErrorKind::Model, "{}: expected a run folder, found nothing", given);
  if (is_small_model(path)) return {{}, path.string()};
  if (!path.has_filename()) path = path.parent_path();
  const RunFolder run(path);
  if (is_file(path / "manifest.json")) return {path.parent_path(), path.filename().string()};
  if (!run.exists())
    throw Error(ErrorKind::Model, "{}: expected a run folder, found neither job.toml nor a checkpoint in it",
                given);
  return {path, run.resolve(choice, notice)};
}

}  // namespace semblance
