// A model made small: packed, and of a classifier's n-grams only what its answers need (row 2.12).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/config.h"
#include "data/notice.h"
#include "training/tasks/registry.h"

namespace semblance {

struct SmallOptions {
  std::vector<std::string> check;
  double tolerance = 0.003;
  int64_t max_bytes = 0;

  void fields(FieldList& list) {
    list.add("check", check,
             {.help = "small: what the small model is held against the full one on, files as evaluate takes "
                      "them; the run's own validation part unless given. sentence-transformers: lines of "
                      "texts, which that "
                      "encodes too: the largest difference is told",
              .hint = "FILE",
              .repeated = true});
    list.add(
        "tolerance", tolerance,
        {.help = "small: by how much accuracy (dssm: hits@1) may fall, and a loss may rise where n-grams "
                 "are left out; one answer may always be another",
         .min = 0,
         .max = 1});
    list.add("max-bytes", max_bytes,
             {.help = "small: keep as many n-grams as fit; 0: as few as the tolerance allows", .min = 0});
  }
};

/// Writes `full` to `output` as a small model (training/small_model.h), after it was held against the full
/// one. Where there is nothing to hold it against, which `notice` is told, all n-grams are kept. Returns what
/// was written and how it answers. Throws Error(Model), with nothing written, where that is not within the
/// tolerance, Error(Usage) where it cannot be as small as asked, and as Evaluable::evaluate.
Json export_small(const OpenedModel& full, const SmallOptions& options, const std::string& output,
                  const Notice& notice);

}  // namespace semblance
