// Scalars as TensorBoard events.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "data/io/atomic_file.h"
#include "training/callback.h"

namespace semblance {

/// Writes events.out.tfevents.<seconds>.<host>.<process>.semblance: TFRecords (length, masked CRC-32C,
/// protobuf message) as tensorflow/core/util/event.proto and summary.proto define them.
class EventFile {
 public:
  /// `first_step`: events of earlier files from this step on are void, as those after the checkpoint of a
  /// resumed training; negative: none are.
  EventFile(const std::filesystem::path& folder, int64_t first_step);
  void scalar(const std::string& tag, int64_t step, double value);
  void finish() { writer_->finish(); }

 private:
  void write_event(const std::string& event);

  std::unique_ptr<FileWriter> writer_;
};

class TensorBoard : public Callback {
 public:
  explicit TensorBoard(std::filesystem::path folder) : folder_(std::move(folder)) {}
  void on_begin(TrainerCore&) override;
  void on_log(TrainerCore&, const StepReport&) override;
  void on_epoch(TrainerCore&) override;
  void on_end(TrainerCore&) override;

 private:
  std::filesystem::path folder_;
  std::unique_ptr<EventFile> events_;
};

}  // namespace semblance
