#include "apps/program.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "apps/output.h"
#include "training/failure.h"
#include "training/interrupt.h"
#include "training/rank_place.h"

namespace semblance {
namespace {

int fail(int code, std::string message) {
  for (char& c : message)
    if (c == '\n' || c == '\r') c = ' ';
  std::string who;
  bool among_others = false;
  try {
    const auto place = rank_place();
    among_others = place.has_value();
    if (among_others && place->rank > 0) who = fmt::format("rank {}: ", place->rank);
  } catch (const Error&) {  // which is told of
  }
  print_note("semblance: error: " + who + message);
  // At once: what is under way with other processes waits for them, and they for this one to end.
  if (among_others) {
    std::fflush(stdout);
    std::_Exit(code);
  }
  return code;
}

}  // namespace

int run_program(const std::vector<std::string>& arguments,
                const std::function<int(const std::vector<std::string>& arguments)>& run) {
  install_signal_handlers();
  // A file-size limit and a reader that left are write errors like any other.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    open_missing_streams();
    const int code = run(arguments);
    flush_out();
    return code;
  } catch (...) {
    const auto error = as_error(std::current_exception());
    return fail(error.exit_code(), error.what());
  }
}

}  // namespace semblance
