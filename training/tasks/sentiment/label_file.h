// A classifier's labels in its checkpoint: a file of their own beside the manifest, which is read as a whole
// by whoever looks at a checkpoint and so must not grow with them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/config.h"
#include "training/checkpoint.h"

namespace semblance {

/// Classes in the order of the logits.
struct LabelFile {
  std::vector<std::string> classes;
  std::vector<double> weights = {};  ///< of each in the loss; none: all count the same

  /// Adds labels.jsonl, an object of JSON for each class, to `files`.
  void save(std::map<std::string, std::string>& files) const;
  /// Also of checkpoints of before, whose model_info lists the classes. Throws Error(Data) where the file is
  /// not as `save` writes it.
  static LabelFile load(const Json& info, const std::map<std::string, std::string>& files);
};

/// Gives a checkpoint of before a file of labels, as if it were written now.
void move_labels_to_file(Checkpoint& checkpoint);

}  // namespace semblance
