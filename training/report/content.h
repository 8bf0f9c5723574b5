// What a report says of a run, as one object of JSON.
#pragma once

#include <span>
#include <string>

#include "data/config.h"
#include "data/notice.h"
#include "training/tasks/registry.h"

namespace semblance {

/// Gathers it from a run that `opened` is of:
/// - run, task, checkpoint, epoch, step, facts (a list of names and values), options (those that differ from
///   the defaults: section, name, value, default), config (as job.toml has it), layers;
/// - history: columns and rows of metrics.tsv, null where there is none, and panels, which of its columns are
///   drawn together;
/// - evaluation: what Evaluable::examine says of `data` or, without any, of what the training held out; null
///   where there is nothing, or other data than the training's. `measured` names what was measured;
/// - class_mix: the share of each class in the batches of the checkpoint's epoch;
/// - words: the strongest of each class; map: words, or n-grams, as points;
/// - left_out: sentences that say what is missing and why; `notice` is told of them.
///
/// Inputs that the job names by relative paths are looked for in the current folder, then in the run's and
/// those around it. Throws Error(Data) where `data` is not as it should be, Error(Model) where `opened` is of
/// no run folder.
Json report_content(const OpenedModel& opened, std::span<const std::string> data, const Notice& notice);

}  // namespace semblance
