// The classes that one batch of --loss sampled is computed for: its own, and others drawn at random.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "data/alias_table.h"

namespace semblance {

/// As sampled_loss takes them.
struct DrawnClasses {
  at::Tensor classes;     ///< int64 [candidates], ascending: the batch's own and those drawn, each once
  at::Tensor places;      ///< int64 [batch]: of each text's own class among them
  at::Tensor log_chance;  ///< float [candidates]; infinite for one that was not drawn
};

/// Never changes once made.
class ClassSampler {
 public:
  /// Draws a class `draws` times a batch, in proportion to its count^¾ (word2vec's choice; one that was never
  /// seen counts as seen once).
  ClassSampler(std::span<const int64_t> counts, int64_t draws);

  /// For texts of these classes, int64 [batch], on the CPU; the same for the same key.
  DrawnClasses draw(const at::Tensor& targets, uint64_t key) const;

 private:
  int64_t draws_;
  AliasTable table_;
  std::vector<float> log_chance_;  // of each class to be among those of a batch
};

}  // namespace semblance
