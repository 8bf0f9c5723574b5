#include "training/rank_place.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "data/error.h"

namespace semblance {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (!value || !*value) return {};
  return value;
}

// As parse_integer, which names options.
int number(const char* name, int least, int most, int otherwise) {
  const auto value = variable(name);
  if (!value) return otherwise;
  int parsed = 0;
  const auto* end = value->data() + value->size();
  if (const auto [stop, status] = std::from_chars(value->data(), end, parsed);
      status != std::errc() || stop != end || parsed < least || parsed > most)
    throw Error(ErrorKind::Usage, "{}: expected a whole number from {} to {}, found '{}'", name, least, most,
                *value);
  return parsed;
}

// The first of "node[03-07,11],other".
std::string first_node(const std::string& list) {
  const auto open = list.find('['), comma = list.find(',');
  if (open == std::string::npos || comma < open) return list.substr(0, comma);
  return list.substr(0, open) + list.substr(open + 1, list.find_first_of("-,]", open) - open - 1);
}

// A port that two jobs on one machine hardly share.
uint16_t port_of_job(const std::string& job) {
  uint32_t hash = 0;
  for (const char c : job) hash = hash * 31 + static_cast<unsigned char>(c);
  return static_cast<uint16_t>(20000 + hash % 20000);
}

struct Launcher {
  const char *rank, *size, *local_size;
};

}  // namespace

std::optional<RankPlace> rank_place() {
  constexpr Launcher kLaunchers[] = {
      {"RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"},
      {"SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_TASKS_PER_NODE"},
      {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE"}};
  for (const auto& launcher : kLaunchers) {
    if (!variable(launcher.rank) || !variable(launcher.size)) continue;
    constexpr int kMost = 65536;
    RankPlace place;
    place.size = number(launcher.size, 1, kMost, 1);
    place.rank = number(launcher.rank, 0, place.size - 1, 0);
    if (place.size == 1) continue;
    const auto local = variable(launcher.local_size).value_or("");
    place.local_size = std::clamp(std::atoi(local.c_str()), 1, place.size);  // Slurm's may be "2(x3)"
    place.restarts = number("TORCHELASTIC_RESTART_COUNT", 0, 1 << 20, 0);
    place.store_is_there = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
    if (const auto address = variable("MASTER_ADDR"))
      place.address = *address;
    else if (const auto nodes = variable("SLURM_STEP_NODELIST"))
      place.address = first_node(*nodes);
    else if (place.local_size == place.size)
      place.address = "127.0.0.1";
    else
      throw Error(ErrorKind::Usage, "MASTER_ADDR: expected the machine of rank 0 of {}, found none",
                  place.size);
    const auto job =
        variable("SLURM_JOB_ID").value_or(variable("OMPI_MCA_ess_base_jobid").value_or("semblance"));
    place.port = static_cast<uint16_t>(number("MASTER_PORT", 1, 65535, port_of_job(job)));
    return place;
  }
  return {};
}

void expect_alone(const std::string& verb) {
  if (const auto place = rank_place())
    throw Error(ErrorKind::Usage, "{}: expected one process, found {} that were started together", verb,
                place->size);
}

}  // namespace semblance
