// How word vectors are measured on sets of words: what option structs need of it.
#pragma once

#include <cstdint>

#include "data/fields.h"

namespace semblance {

struct WordSetOptions {
  int64_t restrict_vocabulary = 300000;
  bool case_insensitive = true;

  void fields(FieldList& list) {
    list.add("restrict-vocab", restrict_vocabulary,
             {.help = "know the first N words of the file alone; 0: all", .min = 0, .max = 2e9});
    list.add("case-insensitive", case_insensitive,
             {.help = "let a word stand for all its spellings in upper and lower case; the first of the "
                      "file counts"});
  }
};

}  // namespace semblance
