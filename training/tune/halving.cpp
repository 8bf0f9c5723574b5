#include "training/tune/halving.h"

#include <algorithm>
#include <utility>

namespace semblance {

namespace {

bool is_validated(const TrialResult& result) {
  return !result.failed() && std::isfinite(result.value);
}

double sign(const TrialResult& result) {
  return result.higher_is_better ? 1 : -1;
}

double loss_of(const TrialResult& result) {
  return std::isfinite(result.loss) ? result.loss : std::numeric_limits<double>::infinity();
}

// Of a share of the examples, such as an accuracy.
double standard_error(const TrialResult& result) {
  if (result.examples == 0 || !result.higher_is_better || result.value <= 0 || result.value >= 1) return 0;
  return std::sqrt(result.value * (1 - result.value) / static_cast<double>(result.examples));
}

}  // namespace

bool is_better(const TrialResult& a, const TrialResult& b) {
  if (!is_validated(a) || !is_validated(b)) return is_validated(a) && !is_validated(b);
  if (a.value != b.value) return a.higher_is_better ? a.value > b.value : a.value < b.value;
  return a.loss < b.loss;
}

Halving::Halving(const SearchSpace& space, std::function<int64_t(const SearchSpace::Values&)> epochs_of,
                 uint64_t seed)
    : space_(space), epochs_of_(std::move(epochs_of)), seed_(seed) {}

int64_t Halving::rungs(int64_t trials) const {
  const int64_t epochs = epochs_of_(space_.base());
  int64_t rungs = 1;
  for (int64_t share = kKept; share <= trials && share <= epochs; share *= kKept) ++rungs;
  return rungs;
}

double Halving::duration(int64_t trials, int64_t at_once) const {
  double sum = 0, done = 0;
  for (int64_t left = rungs(trials); left-- > 0; trials = std::max<int64_t>(1, trials / kKept)) {
    const double share = 1 / std::pow(kKept, left);
    sum += (share - done) * static_cast<double>((trials + at_once - 1) / at_once);
    done = share;
  }
  return sum;
}

SearchSpace::Values Halving::propose(bool first) {
  RandomStream random(mix(seed_, trials_.size()));
  SearchSpace::Values values;
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    values = first || random.below(kKept) == 0 ? space_.anywhere(random)
                                               : space_.near(trials_[winner()].values, random);
    if (std::ranges::find(trials_, values, &Trial::values) == trials_.end()) break;
  }
  return values;
}

void Halving::begin_bracket(int64_t trials) {
  rung_.clear();
  const size_t before = trials_.size();
  for (int64_t i = 0; i < trials; ++i) {
    auto values = before == 0 ? space_.base() : propose(before == 1);
    const int64_t epochs = epochs_of_(values);
    rung_.push_back(trials_.size());
    trials_.push_back({.values = std::move(values), .epochs = epochs});
  }
  rungs_left_ = rungs(trials) - 1;
  begin_rung();
}

int64_t Halving::stop_after(size_t trial) const {
  int64_t share = 1;
  for (int64_t i = 0; i < rungs_left_; ++i) share *= kKept;
  return (trials_[trial].epochs + share - 1) / share;
}

void Halving::begin_rung() {
  for (const size_t trial : rung_)
    if (trials_[trial].result.status.empty() && trials_[trial].result.epochs < stop_after(trial))
      waiting_.push_back(trial);
  if (idle() && rungs_left_ > 0) report(rung_.front(), trials_[rung_.front()].result);
}

std::optional<TrialStep> Halving::next() {
  if (waiting_.empty()) return std::nullopt;
  const size_t trial = waiting_.front();
  waiting_.erase(waiting_.begin());
  under_way_.push_back(trial);
  return TrialStep{trial, stop_after(trial)};
}

void Halving::report(size_t trial, const TrialResult& result) {
  std::erase(waiting_, trial);
  std::erase(under_way_, trial);
  trials_[trial].result = result;
  if (!idle() || rungs_left_ == 0) return;
  std::ranges::stable_sort(
      rung_, [&](size_t a, size_t b) { return is_better(trials_[a].result, trials_[b].result); });
  const auto kept = std::max<size_t>(1, rung_.size() / kKept);
  for (size_t i = kept; i < rung_.size(); ++i)
    if (auto& status = trials_[rung_[i]].result.status; status.empty()) status = "dropped";
  rung_.resize(kept);
  --rungs_left_;
  begin_rung();
}

std::vector<size_t> Halving::front() const {
  std::vector<size_t> front;
  const auto is_beaten = [&](size_t i, size_t by) {
    const auto &own = trials_[i].result, &other = trials_[by].result;
    if (is_validated(own) != is_validated(other) || !is_validated(own)) return is_validated(other);
    const double gain = sign(own) * (other.value - own.value);
    if (gain < 0 || loss_of(other) > loss_of(own)) return false;
    return gain > 0 || loss_of(other) < loss_of(own) || by < i;
  };
  for (size_t i = 0; i < trials_.size(); ++i) {
    bool beaten = false;
    for (size_t by = 0; by < trials_.size() && !beaten; ++by) beaten = by != i && is_beaten(i, by);
    if (!beaten || i == 0) front.push_back(i);
  }
  return front;
}

size_t Halving::winner() const {
  size_t best = 0;
  for (size_t i = 1; i < trials_.size(); ++i)
    if (is_better(trials_[i].result, trials_[best].result)) best = i;
  const auto& top = trials_[best].result;
  if (!is_validated(top)) return 0;
  const double least = sign(top) * top.value - standard_error(top);
  const auto is_close = [&](size_t i) {
    return is_validated(trials_[i].result) && sign(top) * trials_[i].result.value >= least;
  };
  if (is_close(0)) return 0;
  size_t winner = best;
  for (const size_t i : front())
    if (is_close(i) && loss_of(trials_[i].result) < loss_of(trials_[winner].result)) winner = i;
  return winner;
}

}  // namespace semblance
