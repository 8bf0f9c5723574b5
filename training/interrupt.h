// SIGINT and SIGTERM: a training finishes its step and writes a checkpoint, anything else ends at once, its
// temporary files removed. Either way the exit code is 128 + signal.
#pragma once

namespace semblance {

/// Installs the handlers; once, from main. A signal that is ignored, as under nohup, stays so.
void install_signal_handlers();

/// While one exists, a signal is only noted.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;
};

/// The signal noted, or 0.
int noted_signal();

}  // namespace semblance
