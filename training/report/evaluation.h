// The part of a report that is measured: on what training held out, or on other data.
#pragma once

#include <span>
#include <string>

#include "training/report/left_out.h"
#include "training/tasks/registry.h"

namespace semblance {

/// Adds `evaluation` and `measured` to `content`, see report_content. What training held out is taken for
/// that as long as the model's measures on it are those recorded with the checkpoint; otherwise `evaluation`
/// is what was recorded, or null.
///
/// Of evaluations of classes `classes` is their number, `confused` the pairs most often taken for each other
/// (actual, predicted, texts, of so many); `confusion` is there of few classes alone, and `per_class` has
/// those of the lowest F1 where they are very many. Throws Error(Data) where `data` is not as it should be.
void add_evaluation(const OpenedModel& opened, const Job& job, std::span<const std::string> data,
                    Json& content, LeftOut& left_out, const Notice& notice);

}  // namespace semblance
