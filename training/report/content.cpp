#include "training/report/content.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>

#include "training/callbacks/metrics_files.h"
#include "training/report/evaluation.h"
#include "training/report/word_map.h"
#include "training/serving/layer_table.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kWordsOfAClass = 15;
constexpr size_t kMostClasses = 40;      // of which words are told
constexpr size_t kMostCharacters = 600;  // of a text

std::string time_of(const fs::path& file) {
  std::error_code error;
  const auto written = fs::last_write_time(file, error);
  if (error) return {};
  const auto seconds =
      std::chrono::time_point_cast<std::chrono::seconds>(std::chrono::file_clock::to_sys(written));
  const std::time_t time = seconds.time_since_epoch().count();
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &utc);
  return text;
}

std::unique_ptr<Job> job_of(const OpenedModel& opened) {
  auto job = find_task(opened.task()).make_job();
  stored_job_from_json(*job, opened.checkpoint.config);
  return job;
}

// The fields that are not as they are where nothing is given, but for the files trained on.
Json changed_options(const OpenedModel& opened, const Job& job) {
  const auto inputs = inputs_of(job);
  const Json defaults = job_to_json(*find_task(opened.task()).make_job());
  Json changed = Json::array();
  for (const auto& [section, values] : opened.checkpoint.config.items()) {
    if (!values.is_object()) continue;
    for (const auto& [name, value] : values.items()) {
      const Json before = defaults.contains(section) ? defaults[section].value(name, Json()) : Json();
      const bool is_input =
          std::ranges::any_of(inputs, [&](const auto& input) { return input.first == name; });
      if (value != before && !is_input)
        changed.push_back({{"section", section}, {"name", name}, {"value", value}, {"default", before}});
    }
  }
  return changed;
}

// What was trained on what.
Json facts_of(const OpenedModel& opened, const Job& job, const Json& manifest, LeftOut& left_out) {
  const auto& [location, checkpoint, model] = opened;
  const RunFolder run(location.run);
  Json facts = Json::array();
  const auto add = [&](std::string_view name, Json value) {
    if (!value.is_null() && value != "") facts.push_back({name, std::move(value)});
  };
  for (const auto& [option, path] : inputs_of(job)) add("--" + option, path);
  if (const auto words = checkpoint.model_info.find("vocabulary"); words != checkpoint.model_info.end())
    add("vocabulary", *words);
  if (const auto* classifier = dynamic_cast<const Classifier*>(model.get())) {
    const auto& labels = classifier->classes();
    constexpr size_t kMostNamed = 12;
    std::string names;
    for (size_t i = 0; i < std::min(labels.size(), kMostNamed); ++i)
      (names += i == 0 ? "" : ", ") += labels[i];
    add(classifier->is_multi_label() ? "labels" : "classes",
        labels.size() > kMostNamed ? fmt::format("{}: {}, …", labels.size(), names) : names);
  }
  int64_t parameters = 0;
  for (const auto& layer : model->layers()) parameters += layer.parameters;
  add("parameters", parameters);
  const Json learnt = model->learnt();
  for (const auto& [name, value] : learnt.items()) add(name, value);
  uint64_t bytes = 0;
  for (const auto& file : manifest.at("files")) bytes += file.at("size").get<uint64_t>();
  add("bytes of the checkpoint", bytes);
  add("checkpoint", location.name);
  add("epoch", fmt::format("{} of {}", checkpoint.training.epoch, job.training.epochs));
  add("step", checkpoint.training.step);
  add("examples seen", checkpoint.training.examples);
  left_out.attempt("How the training ended is", [&] {
    const auto last = run.resolve("last", [](const std::string&) {});
    const Json training = verify_checkpoint(run.checkpoint_path(last)).at("training");
    const auto stopped = training.at("stopped").get<std::string>();
    add("ended",
        stopped.empty()
            ? fmt::format("not yet: it stands in epoch {}, at step {}",
                          training.at("epoch").get<int64_t>() + 1, training.at("step").get<int64_t>())
            : fmt::format("{} after epoch {}", stopped, training.at("epoch").get<int64_t>()));
    add("last checkpoint written", time_of(run.checkpoint_path(last) / "manifest.json"));
  });
  add("job.toml written", time_of(run.job_file()));
  add("seed", job.training.seed);
  return facts;
}

// Columns of metrics.tsv that are drawn together, what belongs to other scales apart. What never changes
// tells nothing as a curve.
Json panels_of(const Json& history) {
  struct Panel {
    std::string_view title;
    Json columns = Json::array();
  } panels[] = {{"loss"},  {"measures"}, {"hits@K"},       {"MRR and DCG@K"},
                {"ranks"}, {"learnt"},   {"learning rate"}};
  const auto& rows = history["rows"];
  for (size_t c = 2; c < history["columns"].size(); ++c) {
    const auto name = history["columns"][c].get<std::string>();
    const bool valid = name.starts_with("valid_");
    const auto has = [&](std::string_view part) { return name.find(part) != std::string::npos; };
    const bool varies = std::ranges::any_of(rows, [&](const Json& row) { return row[c] != rows[0][c]; });
    if (has("examples") || has("ties") || has("empty") || (rows.size() > 1 && valid && !varies)) continue;
    const int panel = name == "lr"                         ? 6
                      : has("loss") || has("mse")          ? 0
                      : !valid                             ? 5
                      : has("hits@")                       ? 2
                      : has("dcg@") || name == "valid_mrr" ? 3
                      : has("_rank")                       ? 4
                                                           : 1;
    panels[panel].columns.push_back(name);
  }
  Json list = Json::array();
  for (auto& panel : panels)
    if (!panel.columns.empty()) list.push_back({{"title", panel.title}, {"columns", panel.columns}});
  return list;
}

Json words_json(const std::vector<Coefficient>& words) {
  Json list = Json::array();
  for (const auto& [word, value] : words) list.push_back({word, value});
  return list;
}

// The strongest words of each class; of two with one logit those against the second are the first's.
Json strongest_words(const ServedModel& model) {
  const auto* linear = dynamic_cast<const LinearInWords*>(&model);
  if (!linear) return nullptr;
  const auto classes = linear->coefficients(kWordsOfAClass);
  const auto& labels = dynamic_cast<const Classifier&>(model).classes();
  Json list = Json::array();
  if (classes.size() == 1 && labels.size() == 2) {
    list.push_back({{"label", labels[0]}, {"words", words_json(classes[0].smallest)}});
    list.push_back({{"label", labels[1]}, {"words", words_json(classes[0].largest)}});
    return list;
  }
  for (size_t i = 0; i < std::min(classes.size(), kMostClasses); ++i)
    list.push_back({{"label", classes[i].label},
                    {"words", words_json(classes[i].largest)},
                    {"against", words_json(classes[i].smallest)}});
  return list;
}

// Texts, words and labels may be of any length.
void shorten(Json& json) {
  if (json.is_structured()) {
    for (auto& part : json) shorten(part);
  } else if (json.is_string() && json.get_ref<const std::string&>().size() > kMostCharacters) {
    const auto text = json.get<std::string>();
    size_t end = kMostCharacters;
    while ((text[end] & 0xC0) == 0x80) --end;
    json = text.substr(0, end) + "…";
  }
}

}  // namespace

Json report_content(const OpenedModel& opened, std::span<const std::string> data, const Notice& notice) {
  const auto& location = opened.location;
  if (location.run.empty() || location.name.empty())
    throw Error(ErrorKind::Model, "{}: expected a run folder, found a model without its training",
                location.path().string());
  const auto job = job_of(opened);
  const Json manifest = verify_checkpoint(location.path());
  LeftOut left_out(notice);
  Json content = {{"run", location.run.string()},
                  {"task", opened.task()},
                  {"checkpoint", location.name},
                  {"epoch", opened.checkpoint.training.epoch},
                  {"step", opened.checkpoint.training.step}};
  content["facts"] = facts_of(opened, *job, manifest, left_out);
  content["options"] = changed_options(opened, *job);
  content["config"] = write_toml(opened.checkpoint.config);
  content["layers"] = layers_json(opened.model->layers());
  content["history"] = nullptr;
  left_out.attempt("The curves are", [&] {
    const auto file = location.run / "metrics.tsv";
    Json history = read_history_table(file);
    if (history.is_null() || history["rows"].empty())
      throw Error(ErrorKind::Data, "{}: expected a line for each epoch, found none", file.string());
    history["panels"] = panels_of(history);
    content["history"] = std::move(history);
  });
  add_evaluation(opened, *job, data, content, left_out, notice);
  const auto& records = opened.checkpoint.training.history;
  content["class_mix"] = records.empty() ? Json() : records.back().value("class_mix", Json());
  content["words"] = nullptr;
  left_out.attempt("The strongest words of each class are",
                   [&] { content["words"] = strongest_words(*opened.model); });
  content["map"] = nullptr;
  left_out.attempt("The map is", [&] { content["map"] = word_map(*opened.model, content["words"]); });
  content["left_out"] = left_out.sentences();
  for (const auto& [name, part] : content.items())
    if (name != "config") shorten(part);
  return content;
}

}  // namespace semblance
