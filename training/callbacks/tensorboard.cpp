#include "training/callbacks/tensorboard.h"

#include <unistd.h>

#include <array>
#include <bit>
#include <chrono>

#include "training/run_folder.h"
#include "training/trainer.h"

namespace semblance {
namespace {

constexpr std::array<uint32_t, 256> kCrcTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit) c = c & 1 ? 0x82F63B78u ^ (c >> 1) : c >> 1;  // Castagnoli, reflected
    table[i] = c;
  }
  return table;
}();

// The checksum of a TFRecord: rotated and offset, so that a checksum of checksums stays sound.
uint32_t masked_crc(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char byte : bytes) crc = kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFF] ^ (crc >> 8);
  crc = ~crc;
  return std::rotr(crc, 15) + 0xA282EAD8u;
}

template <class T>
void put_raw(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// Protobuf wire format.
void put_varint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}
void put_key(std::string& out, uint64_t field, uint64_t wire_type) {
  put_varint(out, field << 3 | wire_type);
}
void put_double(std::string& out, uint64_t field, double value) {
  put_key(out, field, 1);
  put_raw(out, value);
}
void put_float(std::string& out, uint64_t field, float value) {
  put_key(out, field, 5);
  put_raw(out, value);
}
void put_integer(std::string& out, uint64_t field, int64_t value) {
  put_key(out, field, 0);
  put_varint(out, static_cast<uint64_t>(value));
}
void put_bytes(std::string& out, uint64_t field, std::string_view value) {
  put_key(out, field, 2);
  put_varint(out, value.size());
  out += value;
}

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string new_event(int64_t step) {
  std::string event;
  put_double(event, 1, now());  // Event.wall_time
  put_integer(event, 2, step);  // Event.step
  return event;
}

std::string host_name() {
  char name[256] = "localhost";
  gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

EventFile::EventFile(const std::filesystem::path& folder, int64_t first_step)
    // 20 digits keep files in the order of their making, also those of one second.
    : writer_(std::make_unique<FileWriter>(
          folder / RunFolder::event_file_name(fmt::format("{:.6f}.{}.{}", now(), host_name(), getpid())))) {
  auto version = new_event(0);
  put_bytes(version, 3, "brain.Event:2");  // Event.file_version
  write_event(version);
  if (first_step < 0) return;
  auto start = new_event(first_step);
  std::string session;
  put_integer(session, 1, 1);    // SessionLog.status = START
  put_bytes(start, 7, session);  // Event.session_log
  write_event(start);
}

void EventFile::scalar(const std::string& tag, int64_t step, double value) {
  std::string entry, summary;
  put_bytes(entry, 1, tag);                        // Summary.Value.tag
  put_float(entry, 2, static_cast<float>(value));  // Summary.Value.simple_value
  put_bytes(summary, 1, entry);                    // Summary.value
  auto event = new_event(step);
  put_bytes(event, 5, summary);  // Event.summary
  write_event(event);
}

void EventFile::write_event(const std::string& event) {
  std::string length, record;
  put_raw(length, static_cast<uint64_t>(event.size()));
  record = length;
  put_raw(record, masked_crc(length));
  record += event;
  put_raw(record, masked_crc(event));
  writer_->write(record);  // in one piece, so that a killed process leaves whole records
}

void TensorBoard::on_begin(TrainerCore& trainer) {
  if (trainer.ended()) return;  // a finished training that is looked at again
  const int64_t step = trainer.state().step;
  events_ = std::make_unique<EventFile>(folder_, step > 0 ? step + 1 : -1);
}

void TensorBoard::on_log(TrainerCore& trainer, const StepReport& report) {
  const int64_t step = trainer.state().step;
  events_->scalar("train/loss", step, report.loss);
  events_->scalar("train/lr", step, report.learning_rate);
  events_->scalar("train/examples_per_second", step, report.examples_per_second);
}

void TensorBoard::on_epoch(TrainerCore& trainer) {
  const auto& record = trainer.state().history.back();
  const int64_t step = trainer.state().step;
  events_->scalar("train/epoch_loss", step, record["train_loss"].get<double>());
  for (const auto& [name, value] : named_numbers(record.value("learnt", Json::object())))
    events_->scalar("train/" + name, step, value.get<double>());
  if (!record.contains("valid")) return;
  for (const auto& [name, value] : named_numbers(record["valid"]))
    if (value.is_number()) events_->scalar("valid/" + name, step, value.get<double>());
}

void TensorBoard::on_end(TrainerCore&) {
  if (events_) events_->finish();
}

}  // namespace semblance
