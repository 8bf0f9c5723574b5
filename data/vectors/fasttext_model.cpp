#include "data/vectors/fasttext_model.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "data/error.h"

namespace semblance {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is mapped as it stands");

constexpr int32_t kMagic = 793712314, kOldestVersion = 11, kVersion = 12;
constexpr int64_t kCentroids = 256;  // of each part of a quantised vector
constexpr int32_t kLargestDim = 65536;

// fastText adds it to a probability before it takes the logarithm, and prints what comes back.
constexpr double kAdded = 1e-5;

// Lies in the file wherever it may.
float float_at(const char* bytes) {
  float value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The sigmoid as fastText looks it up.
float sigmoid_from_table(float x) {
  constexpr float kMost = 8;
  constexpr int64_t kSize = 512;
  if (x < -kMost) return 0;
  if (x > kMost) return 1;
  const auto place = static_cast<int64_t>((x + kMost) * kSize / kMost / 2);
  const auto at = static_cast<float>(place) * 2 * kMost / kSize - kMost;
  return static_cast<float>(1 / (1 + std::exp(-static_cast<double>(at))));
}

}  // namespace

const char* FastTextMatrix::Quantiser::centroid(int64_t part, uint8_t code) const {
  const int64_t place = part + 1 == parts ? part * kCentroids * part_dim + code * last_dim
                                          : (part * kCentroids + code) * part_dim;
  return centroids + static_cast<size_t>(place) * sizeof(float);
}

// Calls visit(first column, width, centroid, length of the row).
template <class Visit>
void FastTextMatrix::for_each_part(int64_t row, Visit&& visit) const {
  const float norm = norms_ ? float_at(norm_quantiser_.centroid(0, norms_[row])) : 1.0f;
  for (int64_t part = 0; part < quantiser_.parts; ++part)
    visit(part * quantiser_.part_dim, quantiser_.width(part),
          quantiser_.centroid(part, codes_[row * quantiser_.parts + part]), norm);
}

void FastTextMatrix::add_row(int64_t row, std::span<float> out) const {
  if (floats_) {
    const char* from = floats_ + static_cast<size_t>(row * dim_) * sizeof(float);
    for (size_t d = 0; d < out.size(); ++d) out[d] += float_at(from + d * sizeof(float));
    return;
  }
  for_each_part(row, [&](int64_t first, int64_t width, const char* centroid, float norm) {
    for (int64_t d = 0; d < width; ++d)
      out[static_cast<size_t>(first + d)] +=
          norm * float_at(centroid + static_cast<size_t>(d) * sizeof(float));
  });
}

float FastTextMatrix::dot_row(int64_t row, std::span<const float> x) const {
  float sum = 0;
  if (floats_) {
    const char* from = floats_ + static_cast<size_t>(row * dim_) * sizeof(float);
    for (size_t d = 0; d < x.size(); ++d) sum += float_at(from + d * sizeof(float)) * x[d];
    return sum;
  }
  for_each_part(row, [&](int64_t first, int64_t width, const char* centroid, float norm) {
    float part = 0;
    for (int64_t d = 0; d < width; ++d)
      part += x[static_cast<size_t>(first + d)] * float_at(centroid + static_cast<size_t>(d) * sizeof(float));
    sum += norm * part;
  });
  return sum;
}

// Reads the parts of a file one after the other.
class FastTextReader {
 public:
  FastTextReader(FastTextModel& model, std::string_view bytes) : model_(model), bytes_(bytes) {}

  void read() {
    read_options();
    read_dictionary();
    const bool quantised = read_flag();
    if (model_.pruned_ && !quantised) damaged("expected a quantised model, since n-grams are pruned");
    const auto ngrams = model_.pruned_ ? static_cast<int64_t>(model_.kept_.size()) : model_.buckets_;
    if (model_.words_.size() + ngrams > std::numeric_limits<int32_t>::max())
      damaged("expected fewer words and n-grams");
    model_.input_ = read_matrix(quantised, model_.words_.size() + ngrams);
    const bool quantised_output = read_flag();
    const auto outputs = model_.supervised_ ? static_cast<int64_t>(model_.labels_.size())
                                            : static_cast<int64_t>(model_.words_.size());
    model_.output_ = read_matrix(quantised && quantised_output, outputs);
    if (at_ != bytes_.size())
      damaged(fmt::format("expected the end of the file after {} bytes, found {} more", at_,
                          bytes_.size() - at_));
    if (model_.supervised_ && model_.loss_ == FastTextModel::Loss::HierarchicalSoftmax)
      model_.build_tree(label_counts_);
  }

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    throw Error(ErrorKind::Model, "{}: {}; the fastText model is truncated or damaged", model_.path_, what);
  }

  std::string_view take(uint64_t size) {
    if (size > bytes_.size() - at_)
      damaged(fmt::format("expected {} bytes more, found {}", size, bytes_.size() - at_));
    const auto part = bytes_.substr(at_, size);
    at_ += size;
    return part;
  }
  template <class T>
  T number(const char* what, T least, T most) {
    T value{};
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    if (!(value >= least && value <= most))
      damaged(fmt::format("expected {} from {} to {}, found {}", what, least, most, value));
    return value;
  }
  bool read_flag() { return number<int8_t>("a flag", 0, 1) == 1; }

  void read_options() {
    constexpr int32_t kAny = std::numeric_limits<int32_t>::max();
    if (number<int32_t>("the magic number", std::numeric_limits<int32_t>::min(), kAny) != kMagic)
      throw Error(ErrorKind::Model,
                  "{}: expected a model of fastText 0.1 or later, found one of before; write it anew",
                  model_.path_);
    const auto version = number<int32_t>("a version", kOldestVersion, kVersion);
    dim_ = number<int32_t>("dim", 1, kLargestDim);
    for (const char* what : {"ws", "epoch", "minCount", "neg"}) number<int32_t>(what, 0, kAny);
    model_.word_ngrams_ = number<int32_t>("wordNgrams", 0, 1000);
    model_.loss_ = static_cast<FastTextModel::Loss>(number<int32_t>("a loss", 1, 4));
    model_.supervised_ = number<int32_t>("a model", 1, 3) == 3;
    model_.buckets_ = number<int32_t>("bucket", 0, kAny);
    model_.shortest_ = number<int32_t>("minn", 0, 1000);
    model_.longest_ = number<int32_t>("maxn", 0, 1000);
    number<int32_t>("lrUpdateRate", 0, kAny);
    take(sizeof(double));  // the sampling threshold
    // Classifiers of that version say that they have character n-grams, and have none.
    if (version == kOldestVersion && model_.supervised_) model_.longest_ = 0;
  }

  void read_dictionary() {
    constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
    constexpr int64_t kAny = std::numeric_limits<int64_t>::max(), kMostTokens = 100'000'000'000'000;
    int64_t total = 0;
    const auto size = number<int32_t>("entries", 1, kMost);
    const auto words = number<int32_t>("words", 0, size);
    number<int32_t>("labels that make up the entries", size - words, size - words);
    number<int64_t>("tokens", 0, kAny);
    const auto pruned = number<int64_t>("pruned n-grams", -1, kMost);
    for (int32_t i = 0; i < size; ++i) {
      const auto length = bytes_.find('\0', at_);
      if (length == std::string_view::npos) damaged("expected a word, found the end");
      const auto word = take(length - at_);
      take(1);
      const auto count = number<int64_t>("a count", 0, kMostTokens - total);
      total += count;
      const auto kind = number<int8_t>("a kind of entry", 0, 1);
      if (kind != (i < words ? 0 : 1)) damaged("expected words before labels");
      if (kind == 0) {
        if (model_.words_.add(word) != i) damaged(fmt::format("found the word '{:.40}' twice", word));
      } else {
        if (model_.labels_in_text_.add(word) != i - words)
          damaged(fmt::format("found the label '{:.40}' twice", word));
        model_.labels_.emplace_back(
            word.substr(word.starts_with(kFastTextLabelPrefix) ? kFastTextLabelPrefix.size() : 0));
        label_counts_.push_back(count);
      }
    }
    if (model_.supervised_ && model_.labels_.empty()) damaged("expected labels, found none");
    model_.pruned_ = pruned >= 0;
    for (int64_t i = 0; i < pruned; ++i) {
      const auto bucket = number<int32_t>("a bucket", 0, kMost);
      const auto row = number<int32_t>("an n-gram's row", 0, static_cast<int32_t>(pruned - 1));
      if (!model_.kept_.emplace(bucket, row).second) damaged("found a bucket twice");
    }
  }

  FastTextMatrix::Quantiser read_quantiser(int64_t dim) {
    FastTextMatrix::Quantiser quantiser;
    number<int32_t>("a quantiser's dim", static_cast<int32_t>(dim), static_cast<int32_t>(dim));
    quantiser.parts = number<int32_t>("parts", 1, static_cast<int32_t>(dim));
    quantiser.part_dim = number<int32_t>("dim of a part", 1, static_cast<int32_t>(dim));
    quantiser.last_dim = number<int32_t>("dim of the last part", 1, static_cast<int32_t>(quantiser.part_dim));
    if ((quantiser.parts - 1) * quantiser.part_dim + quantiser.last_dim != dim)
      damaged("expected parts that make up a vector");
    quantiser.centroids = take(static_cast<uint64_t>(dim * kCentroids) * sizeof(float)).data();
    return quantiser;
  }

  FastTextMatrix read_matrix(bool quantised, int64_t rows) {
    FastTextMatrix matrix;
    const bool with_norms = quantised && read_flag();
    matrix.rows_ = number<int64_t>("rows of a matrix", rows, rows);
    matrix.dim_ = number<int64_t>("columns of a matrix", dim_, dim_);
    if (!quantised) {
      matrix.floats_ = take(static_cast<uint64_t>(rows) * static_cast<uint64_t>(dim_) * sizeof(float)).data();
      return matrix;
    }
    const auto codes = number<int32_t>("codes", 0, std::numeric_limits<int32_t>::max());
    matrix.codes_ = reinterpret_cast<const uint8_t*>(take(static_cast<uint64_t>(codes)).data());
    matrix.quantiser_ = read_quantiser(dim_);
    if (matrix.quantiser_.parts * rows != codes) damaged("expected a code for each part of each row");
    if (with_norms) {
      matrix.norms_ = reinterpret_cast<const uint8_t*>(take(static_cast<uint64_t>(rows)).data());
      matrix.norm_quantiser_ = read_quantiser(1);
    }
    return matrix;
  }

  FastTextModel& model_;
  std::string_view bytes_;
  uint64_t at_ = 0;
  int32_t dim_ = 0;
  std::vector<int64_t> label_counts_;
};

FastTextModel::FastTextModel(const std::string& path) : path_(path), file_(path) {
  FastTextReader(*this, file_.bytes()).read();
}

void FastTextModel::append_bucket(int64_t bucket, std::vector<int32_t>& rows) const {
  if (!pruned_) return rows.push_back(words_.size() + static_cast<int32_t>(bucket));
  if (const auto kept = kept_.find(static_cast<int32_t>(bucket)); kept != kept_.end())
    rows.push_back(words_.size() + kept->second);
}

void FastTextModel::append_subwords(std::string_view word, std::vector<int32_t>& rows) const {
  if (buckets_ == 0) return;
  const std::string whole = "<" + std::string(word) + ">";
  for (size_t begin = 0; begin < whole.size(); ++begin) {
    if (continues_character(whole[begin])) continue;
    size_t end = begin;
    for (int32_t n = 1; end < whole.size() && n <= longest_; ++n) {
      ++end;
      while (end < whole.size() && continues_character(whole[end])) ++end;
      const bool mark_alone = n == 1 && (begin == 0 || end == whole.size());
      if (n >= shortest_ && !mark_alone)
        append_bucket(fasttext_hash(std::string_view(whole).substr(begin, end - begin)) % buckets_, rows);
    }
  }
}

void FastTextModel::append_known(int32_t id, std::vector<int32_t>& rows) const {
  rows.push_back(id);
  if (longest_ > 0 && words_[id] != kFastTextLineEnd) append_subwords(words_[id], rows);
}

void FastTextModel::check_finite(std::span<const float> values) const {
  if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); }))
    throw Error(ErrorKind::Model, "{}: expected finite numbers, found others; the fastText model is damaged",
                path_);
}

bool FastTextModel::mean(std::span<const int32_t> rows, std::span<float> out) const {
  std::ranges::fill(out, 0.0f);
  if (rows.empty()) return false;
  for (const int32_t row : rows) input_.add_row(row, out);
  for (float& value : out) value *= 1.0f / static_cast<float>(rows.size());
  check_finite(out);
  return true;
}

bool FastTextModel::word_vector(std::string_view word, std::span<float> out) const {
  std::vector<int32_t> rows;
  if (const int32_t id = find(word); id >= 0)
    append_known(id, rows);
  else if (word != kFastTextLineEnd)
    append_subwords(word, rows);
  return mean(rows, out);
}

// Of a line that ends after `text`.
std::vector<int32_t> FastTextModel::rows_of(std::string_view text) const {
  std::vector<int32_t> rows, hashes;  // hashes are widened with their sign
  const auto add = [&](std::string_view word) {
    const int32_t id = find(word);
    if (id < 0 && (word.starts_with(kFastTextLabelPrefix) || labels_in_text_.find(word) >= 0)) return;
    if (id >= 0)
      append_known(id, rows);
    else if (word != kFastTextLineEnd)
      append_subwords(word, rows);
    hashes.push_back(static_cast<int32_t>(fasttext_hash(word)));
  };
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    while (end < text.size() && !is_blank(text[end])) ++end;
    if (end > at) add(text.substr(at, end - at));
    at = end + 1;
  }
  add(kFastTextLineEnd);
  for (size_t i = 0; buckets_ > 0 && i < hashes.size(); ++i) {
    auto hash = static_cast<uint64_t>(hashes[i]);
    for (size_t j = i + 1; j < hashes.size() && j < i + static_cast<size_t>(word_ngrams_); ++j) {
      hash = hash * 116049371 + static_cast<uint64_t>(hashes[j]);
      append_bucket(static_cast<int64_t>(hash % static_cast<uint64_t>(buckets_)), rows);
    }
  }
  return rows;
}

// Huffman's, by the labels' counts, which descend; the same tree as fastText's, whose inner nodes are the
// output's rows.
void FastTextModel::build_tree(std::span<const int64_t> counts) {
  const auto leaves = static_cast<int32_t>(counts.size());
  tree_.assign(static_cast<size_t>(2 * leaves - 1), {.count = std::numeric_limits<int64_t>::max()});
  for (size_t i = 0; i < counts.size(); ++i) tree_[i].count = counts[i];
  int32_t leaf = leaves - 1, node = leaves;
  const auto smallest = [&] {
    const bool is_leaf = leaf >= 0 && tree_[static_cast<size_t>(leaf)].count <
                                          tree_[std::min(static_cast<size_t>(node), tree_.size() - 1)].count;
    return is_leaf ? leaf-- : node++;
  };
  for (auto i = static_cast<size_t>(leaves); i < tree_.size(); ++i) {
    tree_[i].left = smallest();
    tree_[i].right = smallest();
    tree_[i].count =
        tree_[static_cast<size_t>(tree_[i].left)].count + tree_[static_cast<size_t>(tree_[i].right)].count;
  }
}

bool FastTextModel::label_probabilities(std::string_view text, std::span<float> out) const {
  std::vector<float> hidden(static_cast<size_t>(dim()));
  const bool known = mean(rows_of(text), hidden);
  const auto score = [&](size_t row) { return output_.dot_row(static_cast<int64_t>(row), hidden); };
  switch (loss_) {
    case Loss::NegativeSampling:
    case Loss::OneVsAll:
      for (size_t i = 0; i < out.size(); ++i) out[i] = sigmoid_from_table(score(i));
      break;
    case Loss::Softmax: {
      for (size_t i = 0; i < out.size(); ++i) out[i] = score(i);
      const float highest = *std::ranges::max_element(out);
      float sum = 0;
      for (float& value : out) sum += value = std::exp(value - highest);
      for (float& value : out) value /= sum;
      break;
    }
    case Loss::HierarchicalSoftmax: {
      // Of each node, the parents, which have higher numbers, first.
      std::vector<double> p(tree_.size());
      p.back() = 1;
      for (size_t node = tree_.size(); node-- > out.size();) {
        const double right = 1 / (1 + std::exp(-static_cast<double>(score(node - out.size()))));
        p[static_cast<size_t>(tree_[node].left)] = p[node] * (1 - right + kAdded);
        p[static_cast<size_t>(tree_[node].right)] = p[node] * (right + kAdded);
      }
      for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(p[i]);
      break;
    }
  }
  const bool by_node = loss_ == Loss::HierarchicalSoftmax;
  if (!by_node)
    for (float& value : out) value += static_cast<float>(kAdded);
  check_finite(out);
  return known;
}

std::vector<size_t> fasttext_best(std::span<const float> probabilities, size_t k, float threshold) {
  using Scored = std::pair<float, size_t>;
  const auto above = [](const Scored& a, const Scored& b) { return a.first > b.first; };
  std::vector<Scored> heap;
  for (size_t i = 0; i < probabilities.size(); ++i) {
    const float p = probabilities[i];
    if (p < threshold || (heap.size() == k && p < heap.front().first)) continue;
    heap.emplace_back(p, i);
    std::push_heap(heap.begin(), heap.end(), above);
    if (heap.size() <= k) continue;
    std::pop_heap(heap.begin(), heap.end(), above);
    heap.pop_back();
  }
  std::sort_heap(heap.begin(), heap.end(), above);
  std::vector<size_t> best;
  for (const auto& [p, i] : heap) best.push_back(i);
  return best;
}

bool is_fasttext_model(const std::string& path) {
  const int32_t magic = kMagic;
  return begins_with(path, {reinterpret_cast<const char*>(&magic), sizeof magic});
}

bool begins_as_fasttext_model(std::string_view bytes) {
  const auto number = [&](size_t i) {
    int32_t value = 0;
    if (bytes.size() >= 4 * (i + 1)) std::memcpy(&value, bytes.data() + 4 * i, 4);
    return value;
  };
  const auto within = [&](size_t i, int32_t least, int32_t most) {
    return number(i) >= least && number(i) <= most;
  };
  if (number(0) == kMagic) return true;
  // Before it had a magic number: dim, ws, epoch, minCount, neg, wordNgrams, loss, model.
  return within(0, 1, 100000) && within(1, 1, 1000) && within(2, 1, 100000) && within(3, 0, 1000000) &&
         within(4, 0, 100000) && within(5, 1, 100) && within(6, 1, 4) && within(7, 1, 3);
}

}  // namespace semblance
