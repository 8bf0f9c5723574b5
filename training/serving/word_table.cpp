#include "training/serving/word_table.h"

namespace semblance {

WordVectors word_rows(const Vocabulary& vocabulary, const at::Tensor& table, const std::string& source) {
  WordTable words;
  for (int32_t id = vocabulary.first_word(); id < vocabulary.size(); ++id) words.add(vocabulary.word(id));
  const auto rows = table.detach().narrow(0, vocabulary.first_word(), words.size()).cpu().contiguous();
  const auto* first = rows.const_data_ptr<float>();
  return WordVectors::of(std::move(words), {first, first + rows.numel()}, source);
}

}  // namespace semblance
