#include "training/rank_place.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>

#include "data/error.h"

namespace semblance {
namespace {

// A process in whose environment these are, and no other launcher's.
class Started {
 public:
  explicit Started(const std::map<std::string, std::string>& variables) {
    clear();
    for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  }
  ~Started() { clear(); }

 private:
  static void clear() {
    for (const auto* name : {"RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT",
                             "TORCHELASTIC_USE_AGENT_STORE", "TORCHELASTIC_RESTART_COUNT", "SLURM_PROCID",
                             "SLURM_NTASKS", "SLURM_STEP_NUM_TASKS", "SLURM_STEP_TASKS_PER_NODE",
                             "SLURM_STEP_NODELIST", "SLURM_JOB_ID", "OMPI_COMM_WORLD_RANK",
                             "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "OMPI_MCA_ess_base_jobid"})
      unsetenv(name);
  }
};

TEST(RankPlace, OfAProcessByItselfIsNone) {
  const Started alone({});
  EXPECT_FALSE(rank_place());
  EXPECT_NO_THROW(expect_alone("tune"));
  const Started one({{"RANK", "0"}, {"WORLD_SIZE", "1"}});
  EXPECT_FALSE(rank_place());
  const Started in_a_script({{"SLURM_NTASKS", "4"}, {"SLURM_PROCID", "0"}});
  EXPECT_FALSE(rank_place()) << "sbatch runs its script once: only srun starts others";
}

TEST(RankPlace, ByTorchrun) {
  const Started started({{"RANK", "3"},
                         {"WORLD_SIZE", "4"},
                         {"LOCAL_WORLD_SIZE", "2"},
                         {"MASTER_ADDR", "node1"},
                         {"MASTER_PORT", "29500"},
                         {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                         {"TORCHELASTIC_RESTART_COUNT", "2"}});
  const auto place = rank_place();
  ASSERT_TRUE(place);
  EXPECT_EQ(place->rank, 3);
  EXPECT_EQ(place->size, 4);
  EXPECT_EQ(place->local_size, 2);
  EXPECT_EQ(place->address, "node1");
  EXPECT_EQ(place->port, 29500);
  EXPECT_TRUE(place->store_is_there);
  EXPECT_EQ(place->restarts, 2);
  EXPECT_THROW(expect_alone("tune"), Error);
}

TEST(RankPlace, BySlurmMeetsOnTheFirstNode) {
  for (const auto& [nodes, first] : std::map<std::string, std::string>{
           {"node[03-07,11],other", "node03"}, {"a,b", "a"}, {"one", "one"}, {"gpu[2]", "gpu2"}}) {
    const Started started({{"SLURM_PROCID", "1"},
                           {"SLURM_STEP_NUM_TASKS", "6"},
                           {"SLURM_STEP_TASKS_PER_NODE", "2(x3)"},
                           {"SLURM_STEP_NODELIST", nodes},
                           {"SLURM_JOB_ID", "4711"}});
    const auto place = rank_place();
    ASSERT_TRUE(place);
    EXPECT_EQ(place->address, first);
    EXPECT_EQ(place->local_size, 2);
    EXPECT_GE(place->port, 20000);
    EXPECT_LT(place->port, 40000);
    EXPECT_FALSE(place->store_is_there);
  }
}

TEST(RankPlace, ByOpenMpi) {
  const Started here(
      {{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}});
  ASSERT_TRUE(rank_place());
  EXPECT_EQ(rank_place()->address, "127.0.0.1");
  const Started elsewhere(
      {{"OMPI_COMM_WORLD_RANK", "0"}, {"OMPI_COMM_WORLD_SIZE", "2"}, {"OMPI_COMM_WORLD_LOCAL_SIZE", "1"}});
  EXPECT_THROW(rank_place(), Error) << "nobody says where rank 0 is";
}

TEST(RankPlace, RefusesNumbersThatAreNone) {
  const Started started({{"RANK", "4"}, {"WORLD_SIZE", "4"}, {"MASTER_ADDR", "a"}});
  EXPECT_THROW(rank_place(), Error);
  const Started letters({{"RANK", "0"}, {"WORLD_SIZE", "four"}, {"MASTER_ADDR", "a"}});
  EXPECT_THROW(rank_place(), Error);
}

}  // namespace
}  // namespace semblance
