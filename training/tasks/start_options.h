// Word vectors that a model's embedding starts from: what option structs need of it.
#pragma once

#include <cstdint>
#include <string>

#include "data/fields.h"

namespace semblance {

struct StartOptions {
  std::string vectors;
  int64_t limit = 0;
  bool vector_words = true;
  bool freeze = false;
  std::string oov;

  void fields(FieldList& list) {
    list.add(
        "vectors", vectors,
        {.help = "word vectors to start from: a file in any format, or a run with a table of words or one "
                 "of trigram",
         .hint = "FILE|RUN"});
    list.add("limit", limit, {.help = "read the first N of --vectors alone; 0: all", .min = 0, .max = 2e9});
    list.add("vector-words", vector_words,
             {.help = "also add words of --vectors that the training texts lack"});
    list.add("freeze", freeze, {.help = "keep the embedding as it starts"});
    list.add("oov", oov,
             {.help = "a trigram run that makes vectors for the words that --vectors lacks", .hint = "RUN"});
  }
};

}  // namespace semblance
