// What nearly every file needs, parsed once: a second for each file instead of four. No more than that
// belongs here: LibTorch's larger headers would cost every file that does not need them.
#include <ATen/core/Tensor.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
