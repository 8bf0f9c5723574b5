#include "training/interrupt.h"

#include <unistd.h>

#include <csignal>

namespace semblance {
namespace {

volatile std::sig_atomic_t guarded = 0;
volatile std::sig_atomic_t noted = 0;

void handle(int signal) {
  if (!guarded) _exit(128 + signal);
  noted = signal;
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action{};
  action.sa_handler = handle;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

InterruptGuard::InterruptGuard() {
  guarded = 1;
}
InterruptGuard::~InterruptGuard() {
  guarded = 0;
}

int noted_signal() {
  return noted;
}

}  // namespace semblance
