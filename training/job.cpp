#include "training/job.h"

#include <algorithm>

#include "data/io/folders.h"
#include "training/locate_run.h"

namespace semblance {

std::vector<std::pair<std::string, std::string>> inputs_of(const Job& job) {
  std::vector<std::pair<std::string, std::string>> inputs;
  for (const auto& section : sections_of(job))
    for (const auto& field : section.fields) {
      if (!field.field.input) continue;
      const auto add = [&](const std::string& path) {
        if (!path.empty()) inputs.emplace_back(field.name, path);
      };
      if (const auto* one = std::get_if<std::string*>(&field.value)) add(**one);
      if (const auto* several = std::get_if<std::vector<std::string>*>(&field.value))
        for (const auto& path : **several) add(path);
    }
  return inputs;
}

std::optional<std::pair<std::string, std::string>> missing_input(const Job& job,
                                                                 const std::filesystem::path& folder) {
  for (auto& input : inputs_of(job))
    if (std::filesystem::path(input.second).is_relative() &&
        kind_of(folder / input.second) == PathKind::Nothing &&
        kind_of(folder / locate_run(input.second)) == PathKind::Nothing)
      return input;
  return std::nullopt;
}

std::optional<std::filesystem::path> folder_of_inputs(const Job& job, const std::filesystem::path& run) {
  for (auto folder = std::filesystem::absolute(run).lexically_normal();; folder = folder.parent_path()) {
    if (!missing_input(job, folder)) return folder;
    if (folder == folder.root_path()) return std::nullopt;
  }
}

Json job_to_json(const Job& job) {
  Json json = {{"task", job.task()}};
  for (const auto& section : sections_of(job))
    json[std::string(section.name)] = fields_to_json(section.fields);
  return json;
}

void job_from_json(Job& job, const Json& json) {
  if (!json.is_object()) throw Error(ErrorKind::Usage, "a job is a table of sections");
  const auto sections = sections_of(job);
  for (const auto& [key, value] : json.items()) {
    if (key == "task") continue;
    const auto section = std::ranges::find(sections, key, &Section::name);
    if (section == sections.end())
      throw Error(ErrorKind::Usage, "a {} job has no section [{}]", job.task(), key);
    fields_from_json(section->fields, value, key);
  }
}

void stored_job_from_json(Job& job, const Json& json) {
  job_from_json(job, json);
  for (const auto& section : sections_of(job))
    for (const auto& field : section.fields) {
      const auto stored = json.find(std::string(section.name));
      if (!field.field.before.empty() && (stored == json.end() || !stored->contains(std::string(field.name))))
        parse_field(field, field.field.before);
    }
}

}  // namespace semblance
