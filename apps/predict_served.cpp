// semblance predict, with any classifier there is.
#include "apps/predict.h"
#include "apps/serving.h"

namespace semblance {

int run_predict(Arguments arguments) {
  return predict(arguments, [](const CommandLine& line, const std::string& run) {
    const auto served = std::make_shared<OpenedModel>(
        open_served(line, run, "predicts", [](const TaskKind& kind) { return kind.predicts; }));
    return std::shared_ptr<Classifier>(served, &dynamic_cast<Classifier&>(*served->model));
  });
}

}  // namespace semblance
