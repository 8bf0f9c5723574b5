// Encoded texts in a folder, which another training on the same texts finds again (row 10.1).
//
// A file KIND-NAME.semcache for each set of options and of paths of inputs; see ArrayFile. Its notes have
// "key", which stands for all that its arrays follow from: what the inputs hold, the options, this format and
// the program's version; a file with another key is made anew. A file LOCK lets one training at a time make
// one.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/io/array_file.h"
#include "data/io/disk_memory.h"
#include "data/notice.h"
#include "data/ragged.h"
#include "data/text/features.h"
#include "training/job.h"
#include "training/tasks/start_options.h"

namespace semblance {

/// To be used by one thread.
class TextCache {
 public:
  /// `inputs`: the files and folders that the texts follow from, which are read once to tell what is in them.
  /// Throws Error(Model) for a folder that cannot be made, Error(Data) for an input that cannot be read or
  /// not twice.
  TextCache(const std::string& folder, std::vector<std::string> inputs, Notice notice);

  /// What was kept of these inputs under `kind` and `options`; nothing where there is none that is whole.
  /// Says what was said when it was made.
  std::optional<ArrayFile> find(std::string_view kind, const Json& options) const;

  /// Keeps the arrays that `add` writes and the notes that it returns; the first file of several has what was
  /// told. Throws Error(Data) where the inputs have changed meanwhile.
  void keep(std::string_view kind, const Json& options, const std::function<Json(ArrayFileWriter&)>& add);

  /// What `look` finds. Where that is nothing, `make` is called first, with where to tell what is to be told
  /// again by `find`: while it runs, Bulk arrays lie on the disk, and other trainings wait for it.
  template <class Look, class Make>
  auto get(Look&& look, Make&& make) {
    if (auto found = look()) return std::move(*found);
    bool waited = false;
    const auto lock = this->lock(waited);
    if (waited)
      if (auto found = look()) return std::move(*found);
    remove_half_written();
    {
      DiskMemory memory(folder_);
      const DiskMemory::Use use(memory);
      make([this](const std::string& line) {
        told_.push_back(line);
        notice_(line);
      });
    }
    made_ = true;
    return look().value();
  }

 private:
  std::string contents() const;
  std::filesystem::path path_of(std::string_view kind, const Json& options) const;
  std::string key_of(const Json& options) const;
  // Held as long as what it returns, or until the process ends.
  std::shared_ptr<const void> lock(bool& waited) const;
  // What processes that were killed have left: whoever holds the lock is the only one that writes.
  void remove_half_written() const;

  std::filesystem::path folder_;
  std::vector<std::string> inputs_;
  Notice notice_;
  std::string contents_;           // a name for what the inputs hold
  std::vector<std::string> told_;  // while it is made
  bool checked_ = false;           // that the inputs are the same after they were read
  bool made_ = false;              // by this object: all was told then
};

/// What a job's texts follow from: its inputs, and the word vectors that give it words.
std::vector<std::string> inputs_of_texts(const Job& job, const StartOptions& start);

/// Rows under `name`, as two arrays.
void add_rows(ArrayFileWriter& writer, const std::string& name, const RaggedIdsView& rows);
FrozenIds rows_in(const ArrayFile& file, const std::string& name);

/// What TextFeatures::load takes, as arrays and as notes.
Json add_features(ArrayFileWriter& writer, const TextFeatures& features);
TextFeatures features_in(const ArrayFile& file, const TextOptions& text, const NgramOptions& ngrams,
                         const Json& description);

}  // namespace semblance
