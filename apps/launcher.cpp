// The program as it is called. Loading LibTorch takes a quarter of a second: what does without it is done
// here, and semblance-engine, beside this program, does the rest.
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "apps/predict.h"
#include "apps/program.h"
#include "apps/serving_options.h"
#include "data/error.h"
#include "training/locate_run.h"
#include "training/serving/fasttext.h"
#include "training/small_file.h"
#include "training/tasks/sentiment/plain_classifier.h"

namespace {

using namespace semblance;

[[noreturn]] void start_engine(char** argv) {
  std::error_code unknown;
  const auto engine =
      std::filesystem::read_symlink("/proc/self/exe", unknown).parent_path() / "semblance-engine";
  execv(engine.c_str(), argv);
  throw Error(ErrorKind::Internal, "{}: expected the other part of the program: {}; install it again",
              engine.string(), std::generic_category().message(errno));
}

// A classifier that needs no LibTorch; null for every other model.
std::shared_ptr<Classifier> open_plain(const CommandLine& line, const std::string& run) {
  ServingOptions options;
  line.apply_fields(options);
  if (is_fasttext_model(run)) return std::make_shared<FastTextClassifier>(run);
  const auto path = locate_run(run).string();
  const bool on_cpu = options.device == "auto" || options.device == "cpu";
  const bool alone = on_cpu && options.kernels == KernelChoice::Own && own_kernels();
  return alone && is_small_model(path) ? open_plain_classifier(path) : nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program({argv + 1, argv + argc}, [&](const std::vector<std::string>& arguments) -> int {
    if (arguments.empty() || arguments[0] != "predict") start_engine(argv);
    return predict(std::span(arguments).subspan(1), [&](const CommandLine& line, const std::string& run) {
      auto model = open_plain(line, run);
      if (!model) start_engine(argv);
      return model;
    });
  });
}
