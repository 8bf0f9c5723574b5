#include "training/serving/served_model.h"

#include <c10/util/Exception.h>
#include <fmt/ranges.h>

#include <new>
#include <stdexcept>

#include "data/error.h"

namespace semblance {

void expect_room(const Checkpoint& checkpoint, int64_t rows, std::span<const int64_t> widths) {
  double held = 0, wanted = 0;
  for (const auto& [name, tensor] : checkpoint.model) held += static_cast<double>(tensor.numel());
  bool sound = rows > 0;
  for (int64_t before = rows; const int64_t width : widths) {
    sound = sound && width > 0;
    wanted += static_cast<double>(before) * static_cast<double>(width);
    before = width;
  }
  if (!sound || wanted > held)
    throw Error(ErrorKind::Model, "expected sizes that the {} numbers of its tensors fill, found {} x {}",
                held, rows, fmt::join(widths, " x "));
}

void build_model(const std::string& source, const std::function<void()>& build) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ErrorKind::Model, why.starts_with(source) ? why : source + ": " + why);
  };
  const auto unexpected = [&](const std::string& why) {
    refuse("the model's description is not as expected (" + why + ")");
  };
  try {
    build();
  } catch (const Error& error) {
    refuse(error.what());
  } catch (const Json::exception& error) {
    unexpected(error.what());
  } catch (const std::out_of_range& error) {
    unexpected(error.what());
  } catch (const std::length_error& error) {
    unexpected(error.what());
  } catch (const std::bad_alloc&) {
    unexpected("it takes more memory than there is");
  } catch (const c10::Error& error) {
    unexpected(error.what_without_backtrace());
  }
}

}  // namespace semblance
