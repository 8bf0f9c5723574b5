#include "training/serving/build_model.h"

#include <new>
#include <stdexcept>

#include "data/config.h"
#include "data/error.h"
#include "training/failure.h"

namespace semblance {

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
  } catch (const std::runtime_error&) {  // the system's
    throw;
  } catch (const std::exception& error) {
    unexpected(message_of(error));
  }
}

}  // namespace semblance
