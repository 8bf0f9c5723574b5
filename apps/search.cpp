// semblance search RUN --corpus FILE [FILE|-] [options]
#include <algorithm>
#include <numeric>

#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "data/io/line_reader.h"
#include "data/readers/columns.h"
#include "data/readers/labelled_texts.h"
#include "data/tensors.h"
#include "data/text/word_table.h"
#include "data/vectors/mapped_vectors.h"
#include "models/hnsw.h"
#include "models/nearest.h"
#include "training/serving/text_encoder.h"

namespace semblance {
namespace {

enum class ScanKind { Float, Int8 };
enum class IndexKind { None, Hnsw };

}  // namespace

template <>
struct EnumNames<ScanKind> {
  static constexpr std::array names{std::pair{ScanKind::Float, "float"}, std::pair{ScanKind::Int8, "int8"}};
};
template <>
struct EnumNames<IndexKind> {
  static constexpr std::array names{std::pair{IndexKind::None, "none"}, std::pair{IndexKind::Hnsw, "hnsw"}};
};

namespace {

struct SearchOptions {
  TopOptions top;
  double min_score = -1;
  bool exclude_self = false;
  bool pairs = false;
  ScanKind scan = ScanKind::Float;
  IndexKind index = IndexKind::None;
  int64_t breadth = 100;
  std::string id_column;
  std::vector<std::string> text_columns;

  void fields(FieldList& list) {
    top.fields(list);
    list.add("min-score", min_score, {.help = "print nothing whose cosine is below", .min = -1, .max = 1});
    list.add("exclude-self", exclude_self, {.help = "a query is no answer to itself"});
    list.add(
        "pairs", pairs,
        {.help =
             "print, instead of answers, every two texts of the corpus whose cosine is --min-score or more"});
    list.add("scan", scan,
             {.help = "how the corpus is looked through, with the same answers: int8 is faster and has its "
                      "vectors in memory in a quarter of the room, but has to make them first"});
    list.add(
        "index", index,
        {.help = "hnsw: a graph of the corpus, which takes long to build and then answers at once, but may "
                 "miss some of the nearest: how many is measured and told"});
    list.add(
        "breadth", breadth,
        {.help = "with --index hnsw, how many texts are kept in sight on the way to the nearest: more find "
                 "more, in more time",
         .min = 1,
         .max = 1e6});
    list.add(
        "id-column", id_column,
        {.help = "the corpus is a table, whose texts have their ids in this column", .hint = "NAME|NUMBER"});
    list.add("text-column", text_columns,
             {.help = "with --id-column, the column of the text, where that cannot be told",
              .hint = "NAME|NUMBER",
              .repeated = true});
  }
};

// The texts to find, with their vectors: encoded now, or mapped from a file that `encode` wrote. A text is
// there once, with all ids that it has.
class Corpus {
 public:
  Corpus(const std::string& path, TextEncoder& model, uint64_t identity, const SearchOptions& options) {
    if (is_mapped_vector_file(path)) {
      if (!options.id_column.empty())
        throw Error(ErrorKind::Usage, "--id-column: expected a corpus of texts, found encoded ones in {}",
                    path);
      mapped_ = WordVectors::load(path, {}, print_note);
      if (mapped_->encoder() != identity || mapped_->dim() != model.dim())
        throw Error(ErrorKind::Data,
                    "{}: expected texts encoded by this checkpoint, found another's; encode them again",
                    path);
      if (options.scan == ScanKind::Int8)
        scan_ = scan_codes(mapped_->size(), mapped_->dim(), [this](int64_t first, int64_t count, float* out) {
          mapped_->read(first, count, out);
        });
      else
        scan_ = scan_floats(tensor_over(mapped_->values(), {mapped_->size(), mapped_->dim()}),
                            tensor_over(mapped_->norms(), {mapped_->size()}));
      return;
    }
    if (options.id_column.empty())
      read_lines(path);
    else
      read_table(path, options);
    if (texts_.size() == 0) throw Error(ErrorKind::Data, "{}: expected texts, found none", path);
    const auto vectors = encode(model, path);
    if (options.scan == ScanKind::Int8)
      scan_ =
          scan_codes(vectors.size(0), vectors.size(1), [vectors](int64_t first, int64_t count, float* out) {
            std::copy_n(vectors.const_data_ptr<float>() + first * vectors.size(1), count * vectors.size(1),
                        out);
          });
    else
      scan_ = scan_floats(vectors, row_norms(vectors));
    if (options.exclude_self)
      for (int64_t row = 0; row < texts_.size(); ++row) rows_.add(texts_[row]);
  }
  Corpus(const Corpus&) = delete;
  Corpus& operator=(const Corpus&) = delete;

  const Scan& scan() const { return *scan_; }
  std::string_view text(int64_t row) const { return mapped_ ? mapped_->word(row) : texts_[row]; }
  /// The row of `text`, or -1; for --exclude-self alone.
  int64_t find(std::string_view text) const { return mapped_ ? mapped_->find(text) : rows_.find(text); }
  bool has_ids() const { return !first_ids_.empty(); }
  /// Of a row there may be several, in the order of the table.
  std::vector<std::string_view> ids(int64_t row) const {
    std::vector<std::string_view> ids;
    const auto at = static_cast<size_t>(row);
    for (int64_t i = first_ids_[at]; i < first_ids_[at + 1]; ++i) ids.push_back(ids_[i]);
    return ids;
  }

 private:
  void read_lines(const std::string& path) {
    WordTable different;  // as in a mapped corpus
    for_each_line(path, [&](std::string_view text, bool) {
      const int32_t known = different.size();
      if (!split_blanks(text).empty()) repeated_ += different.add(text) < known;
    });
    texts_ = different.take_words();
  }

  void read_table(const std::string& path, const SearchOptions& options) {
    InputOptions layout;
    layout.text_columns = options.text_columns;
    if (layout.text_columns.empty()) layout.label_columns = {options.id_column};  // and so not of texts
    size_t column = 0;
    std::string name;
    WordTable different;
    auto report = read_texts(
        path, layout, {.needs_labels = false},
        [&](const Layout& found) {
          if (found.columns.empty())
            throw Error(ErrorKind::Data, "{}: --id-column: expected a table with a column of ids, found {}",
                        path, found.description());
          column = find_column("id-column", options.id_column, found.columns,
                               found.header || !found.delimited(), path);
          name = found.columns[column];
          auto shown = found;
          shown.labels.clear();
          print_note(
              fmt::format("{}: read as {}, id in {}", path, shown.description(), found.column_name(column)));
        },
        [&](const ReadText& row) {
          if (row.left_out || split_blanks(row.text).empty()) return;
          text_of_id_.push_back(different.add(row.text));
          if (row.object) {
            const auto id = row.object->find(name);
            if (id == row.object->end())
              throw Error(ErrorKind::Data, "{}: text {}: expected an id, found no '{}' (--id-column)", path,
                          ids_.size() + 1, name);
            ids_.push_back(id->is_string() ? id->get<std::string>() : id->dump());
          } else {
            ids_.push_back(row.cells[column]);
          }
        });
    report.layout.clear();  // it was told before the first text
    report.tell(path, print_note);
    texts_ = different.take_words();
  }

  // Nothing is near to a text of which nothing is known, whatever its vector: such texts go.
  at::Tensor encode(TextEncoder& model, const std::string& path) {
    const auto encoded = model.encode(texts_);
    std::vector<int64_t> kept;
    for (size_t text = 0; text < encoded.known.size(); ++text)
      if (encoded.known[text]) kept.push_back(static_cast<int64_t>(text));
    const auto total = encoded.known.size();
    auto vectors = encoded.vectors;
    if (!text_of_id_.empty()) order_ids(kept);
    if (kept.size() < total) {
      if (kept.empty())
        throw Error(ErrorKind::Data, "{}: expected texts with a word that is known, found none", path);
      print_note(fmt::format("warning: {}: {} of {} text(s) have no word that is known, and are not found",
                             path, total - kept.size(), total));
      texts_ = select_rows<Texts>(texts_, kept);
      const auto rows = empty_tensor({static_cast<int64_t>(kept.size())}, at::kLong);
      std::ranges::copy(kept, rows.mutable_data_ptr<int64_t>());
      vectors = vectors.index_select(0, rows);
    }
    print_note(fmt::format("{}: {} texts encoded{}", path, total,
                           repeated_ > 0 ? fmt::format(", {} repeated line(s) left out", repeated_) : ""));
    return vectors;
  }

  // Ids beside each other that have the same text, in the order of the texts that were `kept`.
  void order_ids(std::span<const int64_t> kept) {
    std::vector<int64_t> row_of_text(static_cast<size_t>(texts_.size()), -1);
    for (size_t row = 0; row < kept.size(); ++row)
      row_of_text[static_cast<size_t>(kept[row])] = static_cast<int64_t>(row);
    const auto row_of = [&](int64_t id) {
      return row_of_text[static_cast<size_t>(text_of_id_[static_cast<size_t>(id)])];
    };
    std::vector<int64_t> order;
    for (int64_t id = 0; id < ids_.size(); ++id)
      if (row_of(id) >= 0) order.push_back(id);
    std::ranges::stable_sort(order, {}, row_of);
    first_ids_.assign(kept.size() + 1, 0);
    for (const int64_t id : order) ++first_ids_[static_cast<size_t>(row_of(id)) + 1];
    std::partial_sum(first_ids_.begin(), first_ids_.end(), first_ids_.begin());
    ids_ = select_rows<Texts>(ids_, order);
    text_of_id_ = {};
  }

  std::optional<WordVectors> mapped_;
  Texts texts_;
  WordTable rows_;
  int64_t repeated_ = 0;
  Texts ids_;
  std::vector<int32_t> text_of_id_;  // until they are in order
  std::vector<int64_t> first_ids_;   // of each row in ids_; empty: there are none
  std::unique_ptr<Scan> scan_;
};

// A text that was found, or one of its ids.
struct Item {
  std::string_view id, text;
};

std::vector<Item> items(const Corpus& corpus, int64_t row) {
  if (!corpus.has_ids()) return {{{}, corpus.text(row)}};
  std::vector<Item> items;
  for (const auto id : corpus.ids(row)) items.push_back({id, corpus.text(row)});
  return items;
}

std::string shown(const Corpus& corpus, const Item& item) {
  return corpus.has_ids() ? fmt::format("{}  {}", item.id, item.text) : std::string(item.text);
}

void print_answer(std::string_view query, bool known, const std::vector<Neighbor>& found,
                  const Corpus& corpus, int64_t top, bool as_json) {
  if (!as_json) print_out(fmt::format("{}{}\n", query, known ? "" : ": no word is known"));
  Json results = Json::array();
  int64_t told = 0;
  for (const auto& neighbor : found)
    for (const auto& item : items(corpus, neighbor.id)) {
      if (told++ == top) break;
      if (as_json) {
        Json result = {{"text", item.text}, {"similarity", neighbor.similarity}};
        if (corpus.has_ids()) result["id"] = item.id;
        results.push_back(std::move(result));
      } else {
        print_out(fmt::format("{:>8.4f}  {}\n", neighbor.similarity, shown(corpus, item)));
      }
    }
  if (!as_json) return;
  Json object = {{"query", query}, {"results", std::move(results)}};
  if (!known) object["unknown"] = true;
  print_out(json_line(object) + "\n");
}

void print_pair(const Corpus& corpus, const Item& first, const Item& second, float similarity, bool as_json) {
  if (!as_json) {
    print_out(fmt::format("{:>8.4f}  {}\t{}\n", similarity, shown(corpus, first), shown(corpus, second)));
    return;
  }
  Json object = {{"texts", {first.text, second.text}}, {"similarity", similarity}};
  if (corpus.has_ids()) object["ids"] = {first.id, second.id};
  print_out(json_line(object) + "\n");
}

// Near-duplicates: of a row's ids each two, and each with each of the rows that are near.
int64_t print_pairs(const Corpus& corpus, double min_score, bool as_json) {
  int64_t printed = 0;
  const auto print = [&](const Item& first, const Item& second, float similarity) {
    print_pair(corpus, first, second, similarity, as_json);
    ++printed;
  };
  const auto print_within = [&](std::span<const Item> same) {
    for (size_t i = 0; i < same.size(); ++i)
      for (size_t j = i + 1; j < same.size(); ++j) print(same[i], same[j], 1);
  };
  int64_t next = 0;  // row whose own pairs are not printed yet
  const auto print_up_to = [&](int64_t end) {
    for (; corpus.has_ids() && next < end; ++next) print_within(items(corpus, next));
  };
  near_pairs(corpus.scan(), min_score, [&](int64_t row, std::span<const Neighbor> later) {
    print_up_to(row + 1);
    const auto own = items(corpus, row);
    for (const auto& item : own)
      for (const auto& neighbor : later)
        for (const auto& other : items(corpus, neighbor.id)) print(item, other, neighbor.similarity);
  });
  print_up_to(corpus.scan().size());
  return printed;
}

}  // namespace

int run_search(Arguments arguments) {
  CommandLine line(
      "search RUN --corpus FILE [FILE|-] [options]",
      "Finds the texts of a corpus that are nearest to each line of a file or of standard input, or with\n"
      "--pairs those that are near to each other. The corpus has one text per line, or is a table with an\n"
      "--id-column; encoded before (semblance encode RUN TEXTS --output-format mapped --output FILE) it "
      "opens\n"
      "at once.");
  add_serving_options(line);
  line.add_option("Search", "corpus", "FILE", "the texts to find, or what encode made of them");
  SearchOptions options;
  line.add_fields(options, "Search");
  if (!line.parse(arguments)) return 0;
  line.apply_fields(options);
  const auto& given = line.positional(1, options.pairs ? 1 : 2);
  const auto corpus_path = line.last("corpus");
  if (!corpus_path) throw Error(ErrorKind::Usage, "--corpus: expected a file of texts, found none");
  if (options.pairs) {
    if (!line.given("min-score"))
      throw Error(ErrorKind::Usage, "--pairs: expected --min-score, the least cosine of a pair");
    for (const auto* name : {"top", "exclude-self", "index"})
      if (line.given(name)) throw Error(ErrorKind::Usage, "--{}: does not apply to --pairs", name);
  }
  if (line.given("breadth") && options.index != IndexKind::Hnsw)
    throw Error(ErrorKind::Usage, "--breadth: expected --index hnsw beside it");
  if (!options.text_columns.empty() && options.id_column.empty())
    throw Error(ErrorKind::Usage, "--text-column: expected --id-column beside it");
  const bool as_json = line.given("json");
  const auto served =
      open_served(line, given[0], "encodes texts", [](const TaskKind& kind) { return kind.encodes_texts; });
  auto& model = dynamic_cast<TextEncoder&>(*served.model);
  if (options.scan == ScanKind::Int8 && model.dim() > kMostPacked)
    throw Error(ErrorKind::Usage, "--scan: expected float for vectors of more than {} dimensions, found int8",
                kMostPacked);
  const Corpus corpus(*corpus_path, model, served.checkpoint.identity, options);
  if (options.pairs) {
    print_note(fmt::format("{} pair(s)", print_pairs(corpus, options.min_score, as_json)));
    return 0;
  }

  std::unique_ptr<NearestGraph> graph;
  if (options.index == IndexKind::Hnsw) {
    graph = std::make_unique<NearestGraph>(corpus.scan(), options.breadth);
    constexpr int64_t kSample = 200;
    const int64_t k = std::min(options.top.top, corpus.scan().size());
    print_note(fmt::format("hnsw: graph of {} texts; of the {} nearest to {} of them it finds {:.1f} %",
                           corpus.scan().size(), k, std::min(kSample, corpus.scan().size()),
                           100 * graph->recall(k, kSample)));
  }

  const int64_t top = options.top.top, at_once = queries_at_once(top);
  Texts queries;
  int64_t unknown = 0, total = 0;
  const auto answer = [&] {
    const auto encoded = model.encode(queries);
    std::vector<std::vector<int64_t>> excluded(
        static_cast<size_t>(options.exclude_self ? queries.size() : 0));
    for (size_t i = 0; i < excluded.size(); ++i)
      if (const int64_t own = corpus.find(queries[static_cast<int64_t>(i)]); own >= 0) excluded[i] = {own};
    NearestOptions wanted{.k = top, .excluded = excluded};
    if (line.given("min-score")) wanted.min_score = options.min_score;
    const auto found =
        graph ? graph->nearest(encoded.vectors, wanted) : nearest(corpus.scan(), encoded.vectors, wanted);
    for (int64_t i = 0; i < queries.size(); ++i) {
      const auto at = static_cast<size_t>(i);
      print_answer(queries[i], encoded.known[at], encoded.known[at] ? found[at] : std::vector<Neighbor>{},
                   corpus, top, as_json);
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
