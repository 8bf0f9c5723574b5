#include "training/failure.h"

#include <new>
#include <string>
#include <system_error>

namespace semblance {
namespace {

constexpr const char* kNoMemory =
    "out of memory; use smaller data, fewer words, a smaller --dim or --batch-size";

}  // namespace

std::string message_of(const std::exception& error) {
  const std::string message = error.what();
  return message.substr(0, message.find("\nException raised from "));
}

Error as_error(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return {ErrorKind::Internal, kNoMemory};
  } catch (const std::system_error& error) {
    if (error.code() != std::errc::resource_unavailable_try_again)
      return {ErrorKind::Internal, std::string(error.what())};
    return {ErrorKind::Internal,
            "the system has no room for another thread; allow the program more memory or more threads"};
  } catch (const std::exception& error) {
    // LibTorch's allocators have no type of their own for it.
    const auto message = message_of(error);
    return {ErrorKind::Internal,
            message.find("allocate memory") != std::string::npos ? std::string(kNoMemory) : message};
  }
}

}  // namespace semblance
