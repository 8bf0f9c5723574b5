// Options of an embedding, the same for every task that has one, under torch.nn.Embedding's names.
#pragma once

#include <string_view>

#include "data/error.h"
#include "data/fields.h"
#include "models/networks.h"
#include "training/tasks/start_options.h"

namespace semblance {

inline void add_embedding_fields(FieldList& list, EmbeddingOptions& embedding) {
  list.add("max-norm", embedding.max_norm,
           {.help = "shorten rows of the embedding to this 2-norm as they are looked up; 0: never",
            .min = 0,
            .max = 1e6});
  list.add("scale-grad-by-freq", embedding.scale_by_frequency,
           {.help = "divide the gradient of a row by how often the batch names it"});
}

/// Throws Error(Usage) if they would change a frozen table, or say how to.
inline void check_embedding(const EmbeddingOptions& embedding, const StartOptions& start) {
  const auto expect_none = [&](bool given, std::string_view option) {
    if (given && start.freeze)
      throw Error(ErrorKind::Usage, "--{}: expected none with --freeze, which changes no row", option);
  };
  expect_none(embedding.max_norm > 0, "max-norm");
  expect_none(embedding.scale_by_frequency, "scale-grad-by-freq");
}

}  // namespace semblance
