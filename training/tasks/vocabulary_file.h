// The vocabulary as a checkpoint holds it: its words in a file, their number in the model's description.
#pragma once

#include <string>

#include "data/text/vocabulary.h"
#include "training/checkpoint.h"

namespace semblance {

constexpr const char* kVocabularyFile = "vocabulary.txt";

/// Throws Error(Model) where the words are not as many as `model_info` says.
inline Vocabulary vocabulary_of(const Checkpoint& checkpoint, const std::string& source) {
  auto vocabulary = Vocabulary::parse(checkpoint.files.at(kVocabularyFile), source + "/" + kVocabularyFile);
  const auto expected = checkpoint.model_info.at("vocabulary").get<int32_t>();
  if (vocabulary.size() != expected)
    throw Error(ErrorKind::Model, "{}: expected {} words, found {}", source, expected, vocabulary.size());
  return vocabulary;
}

}  // namespace semblance
