// SIGINT and SIGTERM: a training finishes its step and writes a checkpoint, anything else ends at once, its
// temporary files removed. Either way the exit code is 128 + signal. SIGBUS, where a mapped file lost a page,
// ends with one line and exit code 4.
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

/// First of all in a child process: neither the parent's guards and signals nor its temporary files are its
/// own.
void begin_child_process();

/// The signal noted, or 0.
int noted_signal();

}  // namespace semblance
