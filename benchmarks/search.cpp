// How fast and in how much memory a corpus is searched:
//
//   search_scans FOLDER [ROWS] [QUERIES] [DIM] [THREADS] [BREADTH]
//
// Makes ROWS vectors (1,000,000) of DIM numbers (300) in groups of about twenty, maps them from a file in
// FOLDER, and finds the ten nearest of each of QUERIES (1,000) that lie beside some of them: by each scan in
// a process of its own, in turn. Prints the seconds until the first answer, queries a second, all at once and
// one by one, the memory, the pairs of near rows where there are no more than 200,000, and whether the
// answers are the float scan's; with a BREADTH (100), what a graph (HNSW) takes to be built and how many of
// the answers it finds.
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "data/config.h"
#include "data/random.h"
#include "data/tensors.h"
#include "data/vectors/mapped_vectors.h"
#include "data/vectors/word_vectors.h"
#include "models/hnsw.h"
#include "models/nearest.h"
#include "models/parallel.h"

namespace semblance {
namespace {

constexpr int64_t kTop = 10;
constexpr double kNear = 0.7;

struct Sizes {
  int64_t rows = 1'000'000, queries = 1'000, dim = 300;
  int threads = 2;
  int64_t breadth = 0;  // of a graph, if there is to be one
};

class Laps {
 public:
  double next() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start_, now)).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Sums of uniform numbers are as good as normal ones here.
float draw(uint64_t key) {
  const uint64_t bits = mix(1, key);
  float sum = -2;
  for (int part = 0; part < 4; ++part) sum += static_cast<float>((bits >> (16 * part)) & 0xffff) / 65536.0f;
  return sum * 1.7f;
}

// A row of group `group`, which is a fifth to four fifths of the whole.
void make_vector(uint64_t number, uint64_t group, std::vector<float>& out) {
  const auto own = 0.5f + 0.15f * static_cast<float>(number % 8);
  for (size_t d = 0; d < out.size(); ++d)
    out[d] = draw(group * 4096 + d) + own * draw((uint64_t{1} << 40) + number * 4096 + d);
}

at::Tensor make_queries(const Sizes& sizes) {
  const auto queries = empty_tensor({sizes.queries, sizes.dim});
  std::vector<float> vector(static_cast<size_t>(sizes.dim));
  for (int64_t q = 0; q < sizes.queries; ++q) {
    make_vector((uint64_t{1} << 24) + static_cast<uint64_t>(q),
                static_cast<uint64_t>(q * 7919 % (sizes.rows / 20)), vector);
    std::copy(vector.begin(), vector.end(), queries.mutable_data_ptr<float>() + q * sizes.dim);
  }
  return queries;
}

void make_corpus(const std::string& path, const Sizes& sizes) {
  MappedVectorWriter writer(path, sizes.dim);
  WordTable words;
  std::vector<float> vector(static_cast<size_t>(sizes.dim));
  for (int64_t row = 0; row < sizes.rows; ++row) {
    const auto number = static_cast<uint64_t>(row);
    make_vector(number, mix(2, number) % static_cast<uint64_t>(sizes.rows / 20), vector);
    writer.add(vector);
    words.add(fmt::format("text {}", row));
  }
  writer.finish(std::move(words));
}

double megabytes(const std::string& what) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(what)) return std::stod(line.substr(what.size())) / 1024;
  return 0;
}

int64_t singles(const Sizes& sizes) {
  return std::min<int64_t>(sizes.queries, 100);
}

// In this process alone; writes the ids found to `answers`.
void measure(const std::string& scan_name, const std::string& corpus, const std::string& answers,
             const Sizes& sizes) {
  set_compute_threads(sizes.threads);
  const auto queries = make_queries(sizes);
  const double before = megabytes("VmRSS:");
  Laps laps;
  const auto vectors = WordVectors::load(corpus, {}, [](const std::string&) {});
  const auto scan =
      scan_name == "int8"
          ? scan_codes(vectors.size(), vectors.dim(),
                       [&](int64_t first, int64_t count, float* out) { vectors.read(first, count, out); })
          : scan_floats(tensor_over(vectors.values(), {vectors.size(), vectors.dim()}),
                        tensor_over(vectors.norms(), {vectors.size()}));
  nearest(*scan, queries.narrow(0, 0, 1), {.k = kTop});
  const double first = laps.next();
  const auto found = nearest(*scan, queries, {.k = kTop});
  const double all = laps.next();
  for (int64_t q = 0; q < singles(sizes); ++q) nearest(*scan, queries.narrow(0, q, 1), {.k = kTop});
  const double one_by_one = laps.next();
  fmt::print(
      "{:<6} first answer {:6.2f} s  {:7.1f} queries/s at once {:7.1f} one by one  {:6.0f} MB more than "
      "before, at most {:6.0f}\n",
      scan_name, first, static_cast<double>(sizes.queries) / all,
      static_cast<double>(singles(sizes)) / one_by_one, megabytes("VmRSS:") - before,
      megabytes("VmHWM:") - before);
  std::fflush(stdout);
  if (sizes.rows <= 200'000) {
    int64_t pairs = 0;
    near_pairs(*scan, kNear, [&](int64_t, std::span<const Neighbor> later) { pairs += std::ssize(later); });
    fmt::print("       {} pairs of {} or more in {:.1f} s, at most {:.0f} MB\n", pairs, kNear, laps.next(),
               megabytes("VmHWM:") - before);
    std::fflush(stdout);
  }
  std::ofstream out(answers);
  for (const auto& neighbors : found)
    for (const auto& neighbor : neighbors) out << neighbor.id << ' ' << neighbor.similarity << '\n';
}

void measure_graph(const std::string& corpus, const Sizes& sizes) {
  set_compute_threads(sizes.threads);
  const auto queries = make_queries(sizes);
  const auto vectors = WordVectors::load(corpus, {}, [](const std::string&) {});
  const auto scan = scan_floats(tensor_over(vectors.values(), {vectors.size(), vectors.dim()}),
                                tensor_over(vectors.norms(), {vectors.size()}));
  const auto exact = nearest(*scan, queries, {.k = kTop});
  Laps laps;
  const NearestGraph graph(*scan, sizes.breadth);
  const double built = laps.next();
  const auto found = graph.nearest(queries, {.k = kTop});
  const double all = laps.next();
  for (int64_t q = 0; q < singles(sizes); ++q) graph.nearest(queries.narrow(0, q, 1), {.k = kTop});
  const double one_by_one = laps.next();
  int64_t same = 0;
  for (size_t q = 0; q < exact.size(); ++q)
    for (const auto& neighbor : exact[q])
      same += std::ranges::find(found[q], neighbor.id, &Neighbor::id) != found[q].end();
  fmt::print(
      "hnsw   built in {:.1f} s  {:7.1f} queries/s at once {:7.1f} one by one, {:.3f} of the answers\n",
      built, static_cast<double>(sizes.queries) / all, static_cast<double>(singles(sizes)) / one_by_one,
      static_cast<double>(same) / static_cast<double>(kTop * sizes.queries));
  std::fflush(stdout);
}

std::string content(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments.size() > 6)
    throw Error(ErrorKind::Usage, "usage: search_scans FOLDER [ROWS] [QUERIES] [DIM] [THREADS] [BREADTH]");
  const auto number = [&](size_t i, const char* name, int64_t otherwise) {
    return i < arguments.size()
               ? parse_integer(arguments[i], name, Field{.help = "", .min = 1, .max = 16'000'000})
               : otherwise;
  };
  Sizes sizes;
  sizes.rows = number(1, "rows", sizes.rows);
  sizes.queries = number(2, "queries", sizes.queries);
  sizes.dim = number(3, "dim", sizes.dim);
  sizes.threads = static_cast<int>(number(4, "threads", sizes.threads));
  sizes.breadth = number(5, "breadth", 0);
  const auto corpus = fmt::format("{}/{}x{}.map", arguments[0], sizes.rows, sizes.dim);
  if (!std::filesystem::exists(corpus)) make_corpus(corpus, sizes);
  fmt::print("{} x {}, {} queries, {} thread(s)\n", sizes.rows, sizes.dim, sizes.queries, sizes.threads);
  std::fflush(stdout);
  for (const char* const scan : {"float", "int8", "float", "int8", "hnsw"}) {
    const bool is_graph = std::string_view(scan) == "hnsw";
    if (is_graph && sizes.breadth == 0) continue;
    const auto answers = fmt::format("{}/{}.answers", arguments[0], scan);
    const pid_t child = fork();
    if (child == 0) {
      if (is_graph)
        measure_graph(corpus, sizes);
      else
        measure(scan, corpus, answers, sizes);
      _exit(0);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
      throw Error(ErrorKind::Internal, "{}: could not be measured", scan);
  }
  const bool same = content(arguments[0] + "/float.answers") == content(arguments[0] + "/int8.answers");
  fmt::print("the same answers: {}\n", same ? "yes" : "NO");
  return same ? 0 : 1;
}

}  // namespace
}  // namespace semblance

int main(int argc, char** argv) {
  try {
    return semblance::run({argv + 1, argv + argc});
  } catch (const semblance::Error& error) {
    fmt::print(stderr, "search_scans: {}\n", error.what());
    return error.exit_code();
  }
}
