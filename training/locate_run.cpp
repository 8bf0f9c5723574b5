#include "training/locate_run.h"

#include "data/io/folders.h"

namespace semblance {

namespace fs = std::filesystem;

fs::path locate_run(const std::string& given) {
  const auto within = fs::path("checkpoints") / given;
  return kind_of(given) == PathKind::Nothing && kind_of(within) != PathKind::Nothing ? within
                                                                                     : fs::path(given);
}

}  // namespace semblance
