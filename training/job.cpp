#include "training/job.h"

#include <algorithm>

namespace semblance {

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

}  // namespace semblance
