#include "training/device.h"

#include <gtest/gtest.h>
#include <torch/cuda.h>

#include <fstream>

#include "data/error.h"
#include "tests/temporary_folder.h"

namespace semblance {
namespace {

TEST(Device, IsTheOneThatIsNamed) {
  EXPECT_EQ(resolve_device("cpu"), c10::Device("cpu"));
  const bool cuda = torch::cuda::is_available();
  EXPECT_EQ(resolve_device("auto"), c10::Device(cuda ? "cuda:0" : "cpu"));
  if (cuda) {
    EXPECT_EQ(resolve_device("cuda:0"), resolve_device("cuda"));
  }
}

TEST(Device, ThatIsNotThereIsAnErrorOfItsOwn) {
  for (const auto& [choice, kind] : {std::pair{"cuda:99", ErrorKind::Device},
                                     {"gpu", ErrorKind::Usage},
                                     {"cuda:", ErrorKind::Usage},
                                     {"cuda:x", ErrorKind::Usage},
                                     {"cuda:-1", ErrorKind::Usage}}) {
    try {
      resolve_device(choice);
      ADD_FAILURE() << choice;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      EXPECT_NE(std::string(error.what()).find("device"), std::string::npos) << error.what();
    }
  }
}

TEST(Device, IsDescribedByItsName) {
  const TemporaryFolder proc;
  EXPECT_EQ(describe_device(c10::kCPU, proc.path()), "cpu");
  std::ofstream(proc / "cpuinfo")
      << "processor\t: 0\nmodel name\t: A Machine @ 3.1GHz\nprocessor\t: 1\nmodel name\t: X\n";
  EXPECT_EQ(describe_device(c10::kCPU, proc.path()), "cpu (A Machine @ 3.1GHz)");
  std::ofstream(proc / "cpuinfo") << "model name\t:\n";
  EXPECT_EQ(describe_device(c10::kCPU, proc.path()), "cpu");
  EXPECT_TRUE(describe_device(c10::Device("cuda:3"), proc.path()).starts_with("cuda:3"));
}

}  // namespace
}  // namespace semblance
