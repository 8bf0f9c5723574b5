// A run folder: job.toml, metrics, curves, and checkpoints named step-00012000.
//
// Only what a run wrote is ever removed: files and folders of a run's own names (checkpoints/README.md), and
// nothing else that somebody may keep beside them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "data/notice.h"
#include "training/checkpoint.h"
#include "training/locate_run.h"

namespace semblance {

/// Keeps nothing but the path: what is told is what the disk holds at that moment, and what the disk refuses
/// to tell is Error(Model). One thread, and one process (see RunLock), may change a run at a time.
class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  /// Whether a run was begun here: there is a job.toml, or a checkpoint.
  bool exists() const;

  /// Makes the folder ready for a new run and writes job.toml. With `overwrite` the files of an old run go
  /// first. Throws Error(Usage) if a run is there and `overwrite` is not set, or if anything but a run is,
  /// and Error(Model) if the disk refuses.
  void create(const std::string& job, bool overwrite);
  /// Removes the files of a run, but for job.toml, and its checkpoints.
  void remove_run();
  /// Moves all files of the run in `from` here, where no run is. Called again, it moves what is left.
  void take(const std::filesystem::path& from);
  /// Throws what `create` would throw for an occupied folder, and changes nothing.
  void check_free(bool overwrite) const;

  std::filesystem::path job_file() const { return path_ / "job.toml"; }
  std::filesystem::path checkpoint_path(const std::string& name) const { return path_ / name; }
  static std::string checkpoint_name(int64_t step);
  /// The step in a checkpoint's name; negative for any other name.
  static int64_t checkpoint_step(std::string_view name);
  /// The name of a TensorBoard file, which tells it from those of other programs; `made`: when and by whom.
  static std::string event_file_name(const std::string& made);

  /// Names of the complete checkpoints, oldest first.
  std::vector<std::string> checkpoints() const;
  /// The checkpoint that LAST or BEST names; empty if there is no such file. Throws Error(Model) if there is
  /// one that names no checkpoint of the run.
  std::string last() const { return pointer("LAST"); }
  std::string best() const { return pointer("BEST"); }
  /// An empty name removes the pointer.
  void set_last(const std::string& name) { set_pointer("LAST", name); }
  void set_best(const std::string& name) { set_pointer("BEST", name); }

  void remove_checkpoint(const std::string& name);
  /// Takes a damaged checkpoint out of the way, under the name that is returned.
  std::string set_aside(const std::string& name);
  /// Removes what a killed process left under its temporary names.
  void remove_leftovers();

  /// The checkpoint meant by "best" (the last one where none was ever best), "last" or a name. What a missing
  /// LAST or BEST would say is told from the checkpoints, and `notice` of that. Throws Error(Model) if there
  /// is none.
  std::string resolve(const std::string& choice, const Notice& notice) const;

 private:
  std::string resolve_best(const std::vector<std::string>& names, const std::string& last,
                           const Notice& notice) const;
  std::string pointer(const char* name) const;
  void set_pointer(const char* name, const std::string& checkpoint);

  std::filesystem::path path_;
};

/// A run or one of its checkpoints, as the command line names them.
struct CheckpointLocation {
  std::filesystem::path run;  ///< empty of a small model, whose path is the name
  std::string name;           ///< empty of a folder of sentence-transformers, whose path is the run
  std::filesystem::path path() const { return name.empty() ? run : run / name; }
};

/// `given` is a run folder, a run's name within checkpoints/, a checkpoint folder, or a small model; `choice`
/// is best, last or a name, see RunFolder::resolve. Throws Error(Model) if nothing is there.
CheckpointLocation locate_checkpoint(const std::string& given, const std::string& choice,
                                     const Notice& notice);

}  // namespace semblance
