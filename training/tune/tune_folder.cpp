#include "training/tune/tune_folder.h"

#include <algorithm>
#include <cmath>

#include "data/io/atomic_file.h"
#include "data/io/byte_stream.h"
#include "data/io/folders.h"
#include "data/io/temporary_path.h"
#include "training/run_folder.h"

namespace semblance {
namespace {

double number_or_nan(const Json& json, const char* key) {
  return json.at(key).is_null() ? NAN : finite_number_in(json, key);
}

Json result_to_json(size_t trial, const TrialResult& result) {
  return {{"trial", trial},
          {"epochs", result.epochs},
          {"value", number_or_null(result.value)},
          {"loss", number_or_null(result.loss)},
          {"examples", result.examples},
          {"higher_is_better", result.higher_is_better},
          {"status", result.status},
          {"seconds", result.seconds}};
}

TrialResult result_from_json(const Json& json) {
  return {.epochs = whole_number_in(json, "epochs", 0, INT64_MAX),
          .value = number_or_nan(json, "value"),
          .loss = number_or_nan(json, "loss"),
          .examples = whole_number_in(json, "examples", 0, INT64_MAX),
          .higher_is_better = json.at("higher_is_better").get<bool>(),
          .status = text_in(json, "status"),
          .seconds = finite_number_in(json, "seconds")};
}

template <class T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json state_to_json(const TuneState& state) {
  const auto& plan = state.plan;
  Json results = Json::array();
  for (const auto& [trial, result] : state.results) results.push_back(result_to_json(trial, result));
  return {{"job", plan.job},
          {"given", plan.given},
          {"fixed", plan.fixed},
          {"seconds", or_null(plan.seconds)},
          {"trials", or_null(plan.trials)},
          {"processes", plan.processes},
          {"metric", state.metric},
          {"spent", state.spent},
          {"brackets", state.brackets},
          {"results", results},
          {"winner", or_null(state.winner)}};
}

TuneState state_from_json(const Json& json) {
  TuneState state;
  auto& plan = state.plan;
  plan.job = object_in(json, "job");
  plan.given = object_in(json, "given");
  plan.fixed = list_in(json, "fixed").get<std::vector<std::string>>();
  if (!json.at("seconds").is_null()) plan.seconds = finite_number_in(json, "seconds");
  if (!json.at("trials").is_null()) plan.trials = whole_number_in(json, "trials", 1, INT64_MAX);
  plan.processes = whole_number_in(json, "processes", 0, INT64_MAX);
  state.metric = text_in(json, "metric");
  state.spent = finite_number_in(json, "spent");
  state.brackets = list_in(json, "brackets").get<std::vector<int64_t>>();
  for (const auto& result : list_in(json, "results"))
    state.results.emplace_back(whole_number_in(result, "trial", 0, INT32_MAX), result_from_json(result));
  if (!json.at("winner").is_null())
    state.winner = static_cast<size_t>(whole_number_in(json, "winner", 0, INT32_MAX));
  return state;
}

}  // namespace

bool TuneFolder::is_unfinished() const {
  return is_file(state_file()) && (!load().winner || is_folder(trials()));
}

void TuneFolder::check_free(bool overwrite) const {
  if (!is_file(state_file())) return RunFolder(path_).check_free(overwrite);
  if (!overwrite)
    throw Error(ErrorKind::Usage,
                "--run: {} already holds a tuning; resume it, name another folder, or give --overwrite",
                path_.string());
}

void TuneFolder::clear() const {
  remove_file(state_file());
  remove_file(table_file());
  remove_path(trials());
}

void TuneFolder::save(const TuneState& state, const std::string& table) const {
  write_file_atomically(table_file(), table);
  write_file_atomically(state_file(), json_line(state_to_json(state)) + "\n");
}

TuneState TuneFolder::load() const {
  constexpr uint64_t kMost = uint64_t{1} << 30;
  const auto name = state_file().string();
  try {
    return state_from_json(parse_json(read_file(name, kMost), name));
  } catch (const Error& error) {
    throw Error(ErrorKind::Model, "{}: expected the state of a tuning, found another file ({}); tune anew",
                name, error.what());
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::Model, "{}: expected the state of a tuning, found another file ({}); tune anew",
                name, error.what());
  }
}

std::filesystem::path TuneFolder::trial(size_t number) const {
  return trials() / fmt::format("{}", number + 1);
}
std::filesystem::path TuneFolder::answer(size_t number) const {
  return trials() / fmt::format("{}.json", number + 1);
}
std::filesystem::path TuneFolder::log(size_t number) const {
  return trials() / fmt::format("{}.log", number + 1);
}

void TuneFolder::make_trials() const {
  for (const auto& path : list_folder(path_))
    for (const auto& file : {state_file(), table_file()})
      if (is_temporary_name(path.filename().string(), file.filename().string())) remove_file(path);
  make_folder(trials());
}

void TuneFolder::remove_trials_but(const std::vector<size_t>& kept) const {
  const auto stays = [&](const std::filesystem::path& path) {
    return std::ranges::any_of(
        kept, [&](size_t i) { return path == trial(i) || path == answer(i) || path == log(i); });
  };
  for (const auto& path : list_folder(trials()))
    if (!stays(path)) remove_path(path);
}

void TuneFolder::install(size_t winner) const {
  if (is_folder(trial(winner))) RunFolder(path_).take(trial(winner));
  remove_path(trials());
}

}  // namespace semblance
