#include "training/report/evaluation.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "data/io/folders.h"
#include "training/metrics.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kHardest = 25;
constexpr size_t kMostOfAMatrix = 20, kMostClasses = 100, kMostPairs = 25;

// The current folder is another as long as it lives.
class InFolder {
 public:
  explicit InFolder(const fs::path& folder) : before_(fs::current_path()) { fs::current_path(folder); }
  ~InFolder() {
    std::error_code ignored;
    fs::current_path(before_, ignored);
  }
  InFolder(const InFolder&) = delete;
  InFolder& operator=(const InFolder&) = delete;

 private:
  fs::path before_;
};

// What was measured when the checkpoint was written; null where nothing was.
Json recorded_measures(const Checkpoint& checkpoint) {
  for (const auto& record : checkpoint.training.history)
    if (record.at("step") == checkpoint.training.step && record.contains("valid")) return record["valid"];
  return nullptr;
}

// Throws unless a model's measures on `found` are those that were recorded, but for what other processors may
// round otherwise: then it is the data that was held out.
void expect_recorded(const Json& recorded, const Json& found) {
  constexpr double kRounding = 2e-3;
  for (const auto& [name, value] : named_numbers(recorded)) {
    const Json now = named_number(found, name);
    if (!value.is_number() || !now.is_number()) continue;
    const auto before = value.get<double>(), after = now.get<double>();
    if (std::abs(before - after) > kRounding * std::max(1.0, std::abs(before)) ||
        (name == "examples" && before != after))
      throw Error(ErrorKind::Data,
                  "expected the data that training held out, with {} {}, found other data, with {}", name,
                  json_line(value), json_line(now));
  }
}

Json examine_held_out(const OpenedModel& opened, const Job& job, const Json& recorded) {
  for (const auto& [option, path] : inputs_of(job))
    if (path == "-" || kind_of(path) == PathKind::Other)
      throw Error(ErrorKind::Data, "--{} {}: expected a file, found a pipe, which is read once", option,
                  path);
  std::optional<InFolder> there;
  if (missing_input(job, "."))
    if (const auto folder = folder_of_inputs(job, opened.location.run)) there.emplace(*folder);
  Json found = dynamic_cast<Evaluable&>(*opened.model).examine({}, kHardest, [](const std::string&) {});
  if (!found.is_null()) expect_recorded(recorded, found);
  return found;
}

// `confused`: the pairs of classes that are taken for each other most, of more than two.
Json confused_pairs(std::span<const Json> labels, const Json& confusion) {
  struct Pair {
    size_t actual, predicted;
    int64_t count;
  };
  std::vector<Pair> pairs;
  for (size_t i = 0; i < confusion.size(); ++i)
    for (size_t j = 0; j < confusion.size(); ++j)
      if (const auto count = confusion[i][j].get<int64_t>(); i != j && count > 0)
        pairs.push_back({i, j, count});
  std::ranges::stable_sort(pairs, std::greater(), &Pair::count);
  pairs.resize(std::min(pairs.size(), kMostPairs));
  Json list = Json::array();
  for (const auto& [actual, predicted, count] : pairs)
    list.push_back({{"actual", labels[actual]["label"]},
                    {"predicted", labels[predicted]["label"]},
                    {"texts", count},
                    {"of", labels[actual]["examples"]}});
  return list;
}

// Of many classes what tells most, so that they do not outgrow the page.
void shorten_classes(Json& evaluation) {
  std::vector<Json> classes(evaluation["per_class"].begin(), evaluation["per_class"].end());
  evaluation["classes"] = classes.size();
  if (evaluation.contains("confusion")) {
    // A new key may move what a reference is to.
    Json pairs = confused_pairs(classes, evaluation["confusion"]);
    if (classes.size() > 2) evaluation["confused"] = std::move(pairs);
    if (classes.size() > kMostOfAMatrix) evaluation.erase("confusion");
  }
  if (classes.size() <= kMostClasses) return;
  std::ranges::stable_sort(classes, {}, [](const Json& one) { return one["f1"].get<double>(); });
  classes.resize(kMostClasses);
  evaluation["per_class"] = classes;
}

}  // namespace

void add_evaluation(const OpenedModel& opened, const Job& job, std::span<const std::string> data,
                    Json& content, LeftOut& left_out, const Notice& notice) {
  Json evaluation;
  if (!data.empty()) {
    std::string names;
    for (const auto& path : data) (names += names.empty() ? "" : ", ") += path;
    content["measured"] = names;
    evaluation = dynamic_cast<Evaluable&>(*opened.model).examine(data, kHardest, notice);
  } else if (const Json recorded = recorded_measures(opened.checkpoint); recorded.is_null()) {
    content["measured"] = nullptr;
    left_out.add(job.has_validation()
                     ? "Measures are left out: none were recorded with this checkpoint, which data could be "
                       "held against; --data FILE measures the model on a file."
                     : "Measures are left out: the training held out no data; --data FILE measures the model "
                       "on a file.");
  } else {
    content["measured"] = "what training held out for validation";
    evaluation = recorded;
    try {
      evaluation = examine_held_out(opened, job, recorded);
    } catch (const Error& error) {
      left_out.add(
          fmt::format("Single examples, and what takes the data to tell, are left out: {}; --data "
                      "FILE measures the model on a file.",
                      error.what()));
    }
  }
  if (evaluation.is_object() && evaluation.contains("per_class")) shorten_classes(evaluation);
  content["evaluation"] = std::move(evaluation);
}

}  // namespace semblance
