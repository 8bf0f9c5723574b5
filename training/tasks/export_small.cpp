#include "training/tasks/export_small.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "data/error.h"
#include "training/metrics.h"
#include "training/small_file.h"
#include "training/small_model.h"

namespace semblance {
namespace {

// What counts in a report: the first of these that it has.
constexpr std::string_view kScores[] = {"accuracy", "hits@1", "mrr", "spearman"};

struct Quality {
  std::string_view name;
  double score = 0;
  double loss = 0;
  int64_t examples = 0;
};

std::optional<Quality> quality_of(const Json& report) {
  for (const auto name : kScores)
    if (const Json score = named_number(report, name); score.is_number())
      return Quality{
          .name = name,
          .score = score.get<double>(),
          .loss = report.contains("loss") && report["loss"].is_number() ? report["loss"].get<double>() : 0,
          .examples = report.at("examples").get<int64_t>()};
  return std::nullopt;
}

// The full model, and others in its place.
class Shrinking {
 public:
  Shrinking(const OpenedModel& full, const SmallOptions& options, const Notice& notice)
      : full_(full),
        options_(options),
        prunable_(dynamic_cast<Prunable*>(full.model.get())),
        ngrams_(prunable_ ? prunable_->ngram_rows() : 0) {
    try {
      measured_ = measure(*full.model, notice);
    } catch (const Error& error) {
      if (!options.check.empty()) throw;
      notice(fmt::format("warning: the validation part is not measured: {}", error.what()));
    }
    if (measured_) return;
    if (!options.check.empty())
      throw Error(ErrorKind::Usage, "--check: expected files that a {} model is measured on", full.task());
    notice(fmt::format("warning: the small model is not held against the full one{}; --check FILE does",
                       ngrams_ > 0 && options.max_bytes == 0 ? ", and keeps all n-grams" : ""));
  }

  int64_t ngrams() const { return ngrams_; }
  /// Of the full model, where there is something to measure it on.
  const std::optional<Quality>& measured() const { return measured_; }

  /// Packed, and with so many n-grams.
  Checkpoint with(int64_t ngrams) const {
    return packed_checkpoint(ngrams < ngrams_ ? prunable_->pruned(full_.checkpoint, ngrams)
                                              : full_.checkpoint);
  }

  Quality measure(const Checkpoint& small) const {
    const auto model = find_task(small.task).open(small, full_.location.path().string(), at::kCPU);
    return measure(*model, [](const auto&) {}).value();
  }

  bool answers_as_well(const Quality& small) const {
    return small.score >=
           measured_->score - std::max(options_.tolerance, 1.0 / static_cast<double>(small.examples)) - 1e-9;
  }

  int64_t choose_ngrams() const {
    if (options_.max_bytes > 0) {
      const auto bytes = [&](int64_t ngrams) { return small_model_bytes(with(ngrams)); };
      if (const int64_t least = bytes(0); least > options_.max_bytes)
        throw Error(ErrorKind::Usage, "--max-bytes: expected at least {}, found {}", least,
                    options_.max_bytes);
      return bytes(ngrams_) <= options_.max_bytes
                 ? ngrams_
                 : bisect([&](int64_t ngrams) { return bytes(ngrams) > options_.max_bytes; }).first;
    }
    if (!measured_ || ngrams_ == 0) return ngrams_;
    return bisect([&](int64_t ngrams) {
             const auto small = measure(with(ngrams));
             return answers_as_well(small) && small.loss <= measured_->loss + options_.tolerance;
           })
        .second;
  }

 private:
  std::optional<Quality> measure(ServedModel& model, const Notice& notice) const {
    auto* evaluable = dynamic_cast<Evaluable*>(&model);
    if (!evaluable) return std::nullopt;
    return quality_of(options_.check.empty() ? evaluable->evaluate_validation(notice)
                                             : evaluable->evaluate(options_.check, notice, [](int64_t) {}));
  }

  // Numbers of n-grams, near to each other, of which the greater is enough and the lesser is not.
  std::pair<int64_t, int64_t> bisect(const std::function<bool(int64_t)>& enough) const {
    int64_t less = 0, more = ngrams_;
    while (more - less > std::max<int64_t>(ngrams_ / 128, 1)) {
      const int64_t middle = less + (more - less) / 2;
      (enough(middle) ? more : less) = middle;
    }
    return {less, more};
  }

  const OpenedModel& full_;
  const SmallOptions& options_;
  Prunable* prunable_;
  int64_t ngrams_;
  std::optional<Quality> measured_;
};

int64_t bytes_of(const Checkpoint& checkpoint) {
  size_t bytes = 0;
  for (const auto& [name, tensor] : checkpoint.model) bytes += tensor.nbytes();
  for (const auto& [name, content] : checkpoint.files) bytes += content.size();
  return static_cast<int64_t>(bytes);
}

}  // namespace

Json export_small(const OpenedModel& full, const SmallOptions& options, const std::string& output,
                  const Notice& notice) {
  if (is_small_model(full.location.path()))
    throw Error(ErrorKind::Usage, "{}: expected a run, found a small model", full.location.path().string());
  const Shrinking shrinking(full, options, notice);
  const int64_t ngrams = shrinking.choose_ngrams();
  const auto small = shrinking.with(ngrams);
  if (options.max_bytes > 0 && small_model_bytes(small) > options.max_bytes)
    throw Error(ErrorKind::Usage, "--max-bytes: expected at least {}, found {}", small_model_bytes(small),
                options.max_bytes);
  Json report = {{"output", output}, {"format", "small"}, {"full_bytes", bytes_of(full.checkpoint)}};
  if (shrinking.ngrams() > 0) report.update({{"ngrams", shrinking.ngrams()}, {"ngrams_kept", ngrams}});
  if (const auto& before = shrinking.measured()) {
    const auto after = shrinking.measure(small);
    if (!shrinking.answers_as_well(after))
      throw Error(
          ErrorKind::Model,
          "{}: expected {} to fall by at most {} from {:.4f}, found {:.4f}; it is not written. Give a "
          "larger --tolerance{}",
          output, before->name, options.tolerance, before->score, after.score,
          options.max_bytes > 0 ? " or --max-bytes" : "");
    report.update({{"measure", before->name},
                   {"examples", before->examples},
                   {"full", before->score},
                   {"small", after.score}});
  }
  report["bytes"] = write_small_model(output, small);
  return report;
}

}  // namespace semblance
