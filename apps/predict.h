// semblance predict RUN [FILE|-] [options]
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apps/command_line.h"
#include "apps/verbs.h"
#include "training/serving/classifier.h"

namespace semblance {

/// Opens the model that RUN and the options name.
using OpenClassifier =
    std::function<std::shared_ptr<Classifier>(const CommandLine& line, const std::string& run)>;

/// The verb, however its model is opened. Needs no LibTorch itself.
int predict(Arguments arguments, const OpenClassifier& open);

}  // namespace semblance
