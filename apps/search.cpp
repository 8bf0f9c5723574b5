// semblance search RUN --corpus FILE [FILE|-] [options]
#include <algorithm>

#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "data/io/line_reader.h"
#include "data/tensors.h"
#include "data/text/word_table.h"
#include "data/vectors/mapped_vectors.h"
#include "models/nearest.h"
#include "training/serving/text_encoder.h"

namespace semblance {
namespace {

// The texts to find, with their vectors: encoded now, or mapped from a file that `encode` wrote.
class Corpus {
 public:
  Corpus(const std::string& path, TextEncoder& model, uint64_t identity) {
    if (is_mapped_vector_file(path)) {
      mapped_ = WordVectors::load(path, {}, print_note);
      if (mapped_->encoder() != identity || mapped_->dim() != model.dim())
        throw Error(ErrorKind::Data,
                    "{}: expected texts encoded by this checkpoint, found another's; encode them again",
                    path);
      vectors_ = tensor_over(mapped_->values(), {mapped_->size(), mapped_->dim()});
      norms_ = tensor_over(mapped_->norms(), {mapped_->size()});
      return;
    }
    WordTable different;  // as in a mapped corpus
    int64_t repeated = 0;
    for_each_line(path, [&](std::string_view text, bool) {
      const int32_t known = different.size();
      if (!split_blanks(text).empty()) repeated += different.add(text) < known;
    });
    texts_ = different.take_words();
    if (texts_.size() == 0) throw Error(ErrorKind::Data, "{}: expected texts, found none", path);
    const auto encoded = model.encode(texts_);
    vectors_ = encoded.vectors;
    keep_known(encoded.known, path);
    norms_ = row_norms(vectors_);
    print_note(fmt::format("{}: {} texts encoded{}", path, texts_.size(),
                           repeated > 0 ? fmt::format(", {} repeated line(s) left out", repeated) : ""));
  }

  std::string_view text(int64_t id) const { return mapped_ ? mapped_->word(id) : texts_[id]; }
  const at::Tensor& vectors() const { return vectors_; }
  const at::Tensor& norms() const { return norms_; }

 private:
  // Nothing is near to a text of which nothing is known, whatever its vector.
  void keep_known(const std::vector<char>& known, const std::string& path) {
    std::vector<int64_t> kept;
    for (size_t text = 0; text < known.size(); ++text)
      if (known[text]) kept.push_back(static_cast<int64_t>(text));
    const auto unknown = known.size() - kept.size();
    if (unknown == 0) return;
    if (kept.empty())
      throw Error(ErrorKind::Data, "{}: expected texts with a word that is known, found none", path);
    print_note(fmt::format("warning: {}: {} of {} text(s) have no word that is known, and are not found",
                           path, unknown, known.size()));
    texts_ = select_rows(texts_, kept);
    const auto rows = empty_tensor({static_cast<int64_t>(kept.size())}, at::kLong);
    std::ranges::copy(kept, rows.mutable_data_ptr<int64_t>());
    vectors_ = vectors_.index_select(0, rows);
  }

  std::optional<WordVectors> mapped_;
  Texts texts_;
  at::Tensor vectors_, norms_;  // [texts, dim], [texts]
};

void print_answer(std::string_view query, bool known, const std::vector<Neighbor>& found,
                  const Corpus& corpus, bool as_json) {
  if (!as_json) {
    print_out(fmt::format("{}{}\n", query, known ? "" : ": no word is known"));
    for (const auto& neighbor : found)
      print_out(fmt::format("{:>8.4f}  {}\n", neighbor.similarity, corpus.text(neighbor.id)));
    return;
  }
  Json results = Json::array();
  for (const auto& neighbor : found)
    results.push_back({{"text", corpus.text(neighbor.id)}, {"similarity", neighbor.similarity}});
  Json object = {{"query", query}, {"results", std::move(results)}};
  if (!known) object["unknown"] = true;
  print_out(json_line(object) + "\n");
}

}  // namespace

int run_search(Arguments arguments) {
  CommandLine line(
      "search RUN --corpus FILE [FILE|-] [options]",
      "Finds the texts of a corpus that are nearest to each line of a file or of standard input. The corpus\n"
      "has one text per line; encoded before (semblance encode RUN TEXTS --output-format mapped --output "
      "FILE) "
      "it\n"
      "opens at once.");
  add_serving_options(line);
  line.add_option("Search", "corpus", "FILE", "the texts to find, or what encode made of them");
  TopOptions options;
  line.add_fields(options, "Search");
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 2);
  const auto corpus_path = line.last("corpus");
  if (!corpus_path) throw Error(ErrorKind::Usage, "--corpus: expected a file of texts, found none");
  line.apply_fields(options);
  const bool as_json = line.given("json");
  const auto served =
      open_served(line, given[0], "encodes texts", [](const TaskKind& kind) { return kind.encodes_texts; });
  auto& model = dynamic_cast<TextEncoder&>(*served.model);
  const Corpus corpus(*corpus_path, model, served.checkpoint.identity);

  const int64_t at_once = queries_at_once(options.top);
  Texts queries;
  int64_t unknown = 0, total = 0;
  const auto answer = [&] {
    const auto encoded = model.encode(queries);
    const auto found = nearest(corpus.vectors(), corpus.norms(), encoded.vectors, options.top);
    for (int64_t i = 0; i < queries.size(); ++i) {
      const auto at = static_cast<size_t>(i);
      print_answer(queries[i], encoded.known[at], encoded.known[at] ? found[at] : std::vector<Neighbor>{},
                   corpus, as_json);
      unknown += !encoded.known[at];
    }
    total += queries.size();
    queries = {};
    flush_out();
  };
  for_each_line(given.size() > 1 ? given[1] : "-", [&](std::string_view query, bool may_wait) {
    queries.push_back(query);
    if (may_wait || queries.size() == at_once) answer();
  });
  if (queries.size() > 0) answer();
  if (unknown > 0)
    print_note(fmt::format("warning: {} of {} queries have no word that is known", unknown, total));
  return 0;
}

}  // namespace semblance
