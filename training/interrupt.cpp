#include "training/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>

#include "data/error.h"
#include "data/io/temporary_path.h"

namespace semblance {
namespace {

// A signal may come to any of the threads.
std::atomic<int> guarded = 0, noted = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler must not wait");

void handle(int signal) {
  noted = signal;
  if (guarded) return;
  remove_temporaries();
  _exit(128 + signal);
}

// A page of a mapped file that is no longer there.
void lose_mapped_file(int) {
  constexpr char kMessage[] =
      "semblance: error: a mapped file was cut short or overwritten while it was in use; write the new one "
      "under another name and rename it\n";
  const auto ignored = ::write(STDERR_FILENO, kMessage, sizeof kMessage - 1);
  static_cast<void>(ignored);
  remove_temporaries();
  _exit(static_cast<int>(ErrorKind::Model));
}

}  // namespace

void install_signal_handlers() {
  struct sigaction action{};
  action.sa_handler = handle;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // a signal that is noted breaks off no read and no write
  for (const int signal : {SIGINT, SIGTERM}) {
    struct sigaction before{};
    sigaction(signal, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
  std::signal(SIGBUS, lose_mapped_file);
}

InterruptGuard::InterruptGuard() {
  guarded = 1;
}
InterruptGuard::~InterruptGuard() {
  guarded = 0;
}

void begin_child_process() {
  guarded = 0;
  noted = 0;
  forget_temporaries();
}

int noted_signal() {
  return noted;
}

}  // namespace semblance
