#include "training/serving/word_table.h"

namespace semblance {

WordVectors word_rows(const Vocabulary& vocabulary, const at::Tensor& rows, const std::string& source) {
  WordTable words;
  for (int32_t id = vocabulary.first_word(); id < vocabulary.size(); ++id) words.add(vocabulary.word(id));
  const auto copied = rows.detach().cpu().contiguous();
  const auto* first = copied.const_data_ptr<float>();
  return WordVectors::of(std::move(words), {first, first + copied.numel()}, source);
}

}  // namespace semblance
