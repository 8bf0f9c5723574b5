#include "training/tune/trial_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <utility>

#include "data/io/atomic_file.h"
#include "data/io/byte_stream.h"
#include "data/io/folders.h"
#include "training/failure.h"
#include "training/interrupt.h"

namespace semblance {
namespace {

// Where memory is short the system is to end a trial and not what keeps account of them.
void go_first() {
  if (std::FILE* file = std::fopen("/proc/self/oom_score_adj", "w")) {
    std::fputs("500", file);
    std::fclose(file);
  }
}

void write_to(const std::filesystem::path& log) {
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (file < 0) return;
  ::dup2(file, STDOUT_FILENO);
  ::dup2(file, STDERR_FILENO);
  ::close(file);
}

[[noreturn]] void be_child(const std::function<Json(const Notice&)>& work,
                           const std::filesystem::path& answer, const std::filesystem::path& log,
                           pid_t parent) {
  begin_child_process();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  go_first();
  write_to(log);
  const auto note = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
  int code = 0;
  try {
    const Json report = work(note);
    write_file_atomically(answer, json_line({{"report", report}}));
  } catch (...) {
    const auto error = as_error(std::current_exception());
    note(error.what());
    code = error.exit_code();
    try {
      write_file_atomically(answer, json_line({{"error", error.what()}}));
    } catch (...) {  // the exit code tells
    }
  }
  std::fflush(nullptr);
  ::_exit(code);
}

}  // namespace

TrialProcess::TrialProcess(const std::function<Json(const Notice&)>& work, std::filesystem::path answer,
                           const std::filesystem::path& log)
    : answer_(std::move(answer)), begun_(std::chrono::steady_clock::now()) {
  remove_file(answer_);
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  process_ = ::fork();
  if (process_ < 0)
    throw Error(ErrorKind::Internal, "a process for a trial cannot be made: {}", std::strerror(errno));
  if (process_ == 0) be_child(work, answer_, log, parent);
}

TrialProcess::~TrialProcess() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

std::optional<TrialAnswer> TrialProcess::answer() {
  int status = 0;
  if (::waitpid(process_, &status, WNOHANG) != process_) return std::nullopt;
  process_ = 0;
  return read_answer(status);
}

TrialAnswer TrialProcess::read_answer(int status) const {
  if (WIFSIGNALED(status))
    return {.report = {},
            .error = fmt::format("the trial was ended by signal {}, as for want of memory", WTERMSIG(status)),
            .code = 128 + WTERMSIG(status)};
  const int code = WEXITSTATUS(status);
  constexpr uint64_t kMost = uint64_t{1} << 28;
  const Json told = is_file(answer_) ? json_if_any(read_file(answer_.string(), kMost)) : Json();
  if (code == 0) return {.report = object_in(told, "report"), .error = {}, .code = 0};
  const auto why = told.is_object() ? told.value("error", std::string()) : std::string();
  return {
      .report = {}, .error = why.empty() ? fmt::format("the trial ended with {}", code) : why, .code = code};
}

void TrialProcess::signal(int signal) const {
  if (process_ > 0) ::kill(process_, signal);
}

double TrialProcess::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
}

}  // namespace semblance
