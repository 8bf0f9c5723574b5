// A classifier as fastText's own model.
#pragma once

#include <string>

#include "data/config.h"
#include "data/notice.h"
#include "training/tasks/sentiment/job.h"

namespace semblance {

class SentimentTask;

/// Writes the classifier to `output`; see FastTextExportable. A column more, of ones in the words' and
/// n-grams' rows, carries the bias; of two classes the first has the logit 0. Blanks in labels become _.
Json write_fasttext_classifier(SentimentTask& task, const SentimentJob& job, const std::string& output,
                               const Notice& notice);

}  // namespace semblance
