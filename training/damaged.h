// What every reader of a trained model throws.
#pragma once

#include <string>

#include "data/error.h"

namespace semblance {

/// What a checkpoint holds is not what was written: another may do. Every other Error(Model) says that the
/// checkpoint cannot be read now or here, whatever it holds.
class DamagedCheckpoint : public Error {
 public:
  explicit DamagedCheckpoint(const std::string& message) : Error(ErrorKind::Model, message) {}
};

}  // namespace semblance
