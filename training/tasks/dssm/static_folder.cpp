#include "training/tasks/dssm/static_folder.h"

#include <algorithm>
#include <filesystem>

#include "data/error.h"
#include "data/fingerprint.h"
#include "data/io/byte_stream.h"
#include "data/io/folders.h"
#include "data/tensors.h"
#include "data/text/features.h"
#include "data/text/unicode.h"
#include "training/tasks/dssm/job.h"
#include "training/tasks/dssm/torch_activation.h"
#include "training/tensor_file.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

constexpr const char *kModules = "modules.json", *kTokenizer = "tokenizer.json", *kConfig = "config.json",
                     *kTensors = "model.safetensors";
constexpr int64_t kMaxLength = 512;  // model2vec's, where its config says nothing

bool is_there(const fs::path& path) {
  return kind_of(path) != PathKind::Nothing;
}

std::string read_text(const fs::path& path) {
  constexpr uint64_t kMost = uint64_t{1} << 30;
  return read_file(path.string(), kMost);
}

Json read_json(const fs::path& path) {
  Json json = parse_json(read_text(path), path.string());
  if (!json.is_object() && !json.is_array())
    throw Error(ErrorKind::Data, "{}: expected an object or a list, found {}", path.string(),
                json.type_name());
  return json;
}

// The parts of a model, in their order.
struct Modules {
  fs::path embedding;
  std::vector<fs::path> layers;
  bool normalizes = false;
};

Modules read_modules(const fs::path& folder) {
  const auto path = folder / kModules;
  if (!is_there(path)) return {.embedding = folder, .layers = {}, .normalizes = false};
  Modules modules;
  const Json list = read_json(path);
  for (const Json& module : list) {
    const auto type = last_part(text_in(module, "type"));
    const auto place = folder / text_in(module, "path");
    const bool first = modules.embedding.empty();
    if (type == "StaticEmbedding" && first)
      modules.embedding = place;
    else if (type == "Dense" && !first && !modules.normalizes)
      modules.layers.push_back(place);
    else if (type == "Normalize" && !first)
      modules.normalizes = true;
    else
      throw Error(ErrorKind::Data,
                  "{}: expected a StaticEmbedding, then Dense and Normalize modules, the only ones that are "
                  "read, found {}",
                  path.string(), type);
  }
  if (modules.embedding.empty())
    throw Error(ErrorKind::Data, "{}: expected a StaticEmbedding, found no module", path.string());
  return modules;
}

const at::Tensor* find(const NamedTensors& tensors, std::string_view name) {
  const auto found = std::ranges::find(tensors, name, &NamedTensors::value_type::first);
  return found == tensors.end() ? nullptr : &found->second;
}

at::Tensor matrix(const NamedTensors& tensors, const char* name, const fs::path& source) {
  const auto* tensor = find(tensors, name);
  if (!tensor || tensor->dim() != 2 || tensor->numel() == 0)
    throw Error(ErrorKind::Data, "{}: expected a matrix {}, found {}", source.string(), name,
                tensor ? fmt::format("{} dimensions", tensor->dim()) : "none");
  return tensor->to(at::kFloat);
}

void expect_rows(const at::Tensor& tensor, int64_t rows, const char* name, const fs::path& source) {
  if (tensor.size(0) != rows)
    throw Error(ErrorKind::Data, "{}: expected {} of {} numbers, one for each piece, found {}",
                source.string(), name, rows, tensor.size(0));
}

// model2vec's: a row of `embeddings` for each group of pieces, and a weight of each piece.
at::Tensor fold_pieces(const NamedTensors& tensors, int64_t pieces, const fs::path& source) {
  auto table = matrix(tensors, "embeddings", source);
  if (const auto* mapping = find(tensors, "mapping")) {
    const auto rows = mapping->to(at::kLong).flatten();
    expect_rows(rows, pieces, "mapping", source);
    if (rows.min().item<int64_t>() < 0 || rows.max().item<int64_t>() >= table.size(0))
      throw Error(ErrorKind::Data, "{}: expected mapping to name rows of {}, found others", source.string(),
                  table.size(0));
    table = table.index_select(0, rows);
  }
  expect_rows(table, pieces, "embeddings", source);
  if (const auto* weights = find(tensors, "weights")) {
    const auto factors = weights->to(at::kFloat).flatten();
    expect_rows(factors, pieces, "weights", source);
    table = table.mul(factors.unsqueeze(1));
  }
  return table;
}

// Its characters that count: so many times the pieces' median length (model2vec's StaticModel.encode).
int64_t most_characters(const WordTable& pieces, int64_t max_length) {
  std::vector<int64_t> lengths;
  for (int32_t id = 0; id < pieces.size(); ++id)
    lengths.push_back(static_cast<int64_t>(count_characters(pieces[id])));
  std::ranges::sort(lengths);
  const size_t middle = lengths.size() / 2;
  const int64_t median =
      lengths.size() % 2 == 1 ? lengths[middle] : (lengths[middle - 1] + lengths[middle]) / 2;
  return max_length * median;
}

// What model2vec's config.json adds; returns whether vectors are made as long as 1.
bool apply_config(const fs::path& folder, const std::string& name, WordPiece& pieces, const Notice& notice) {
  pieces.drop_unknown();
  const auto path = folder / kConfig;
  const Json config = is_there(path) ? read_json(path) : Json::object();
  const bool has_length = config.contains("max_length");
  const int64_t length = !has_length ? kMaxLength
                         : config["max_length"].is_null()
                             ? 0
                             : whole_number_in(config, "max_length", 0, INT32_MAX);
  pieces.limit(length > 0 ? most_characters(pieces.pieces(), length) : 0, length);
  notice(fmt::format("{}: read as model2vec reads it: unknown words are left out{}", name,
                     length > 0 ? fmt::format(", and texts end after {} pieces", length) : ""));
  return config.value("normalize", false);
}

void read_layers(const std::vector<fs::path>& folders, int64_t width, DssmJob& job, NamedTensors& model) {
  for (size_t i = 0; i < folders.size(); ++i) {
    const auto& folder = folders[i];
    const Json config = read_json(folder / kConfig);
    const auto source = folder / kTensors;
    const auto tensors = read_tensors(source);
    const auto weight = matrix(tensors, "linear.weight", source);
    if (weight.size(1) != width)
      throw Error(ErrorKind::Data, "{}: expected a layer of {} inputs, found {}", source.string(), width,
                  weight.size(1));
    width = weight.size(0);
    const auto* bias = find(tensors, "linear.bias");
    if (bias && bias->numel() != width)
      throw Error(ErrorKind::Data, "{}: expected {} biases, found {}", source.string(), width, bias->numel());
    const auto name =
        config.contains("activation_function") ? text_in(config, "activation_function") : "Tanh";
    if (const bool last = i + 1 == folders.size(); last != (last_part(name) == "Identity"))
      throw Error(
          ErrorKind::Data,
          "{}: expected an activation after each layer but the last, as this program's encoders have, "
          "found {}",
          (folder / kConfig).string(), name);
    else if (!last) {
      const auto activation = activation_of_class(name);
      if (!activation || (i > 0 && *activation != job.model.activation))
        throw Error(ErrorKind::Data, "{}: expected one activation of {}, found {}",
                    (folder / kConfig).string(), enum_choices<Activation>(), name);
      job.model.activation = *activation;
    }
    job.model.projection.push_back(width);
    model.emplace_back(fmt::format("layers.{}.weight", i), weight);
    model.emplace_back(fmt::format("layers.{}.bias", i),
                       bias ? bias->to(at::kFloat).flatten() : zero_tensor({width}));
  }
}

Checkpoint read(const fs::path& folder, const Notice& notice) {
  const auto modules = read_modules(folder);
  const auto tokenizer = modules.embedding / kTokenizer, source = modules.embedding / kTensors;
  auto pieces = std::make_shared<WordPiece>(read_text(tokenizer), tokenizer.string());
  const auto tensors = read_tensors(source);
  if (const auto name = find_not_finite(tensors); !name.empty())
    throw Error(ErrorKind::Data, "{}: expected finite numbers, found others in {}", source.string(), name);
  const bool is_model2vec = !find(tensors, "embedding.weight");

  DssmJob job;
  job.text.tokenizer = Tokenizer::WordPiece;
  const int64_t count = pieces->pieces().size();
  at::Tensor rows;
  if (is_model2vec) {
    rows = fold_pieces(tensors, count, source);
    job.model.normalize =
        apply_config(modules.embedding, folder.string(), *pieces, notice) || modules.normalizes;
  } else {
    rows = matrix(tensors, "embedding.weight", source);
    expect_rows(rows, count, "embedding.weight", source);
    job.model.normalize = modules.normalizes;
  }
  job.model.dim = rows.size(1);

  Checkpoint checkpoint;
  checkpoint.task = DssmJob::kTask;
  std::string listed =
      Vocabulary(WordTable(), std::span<const int64_t>(), VocabularyOptions{}).serialize();  // padding
  for (int32_t id = 0; id < count; ++id)
    if (id != pieces->unknown() || !pieces->drops_unknown())
      listed += fmt::format("{}\t0\n", pieces->pieces()[id]);
  std::vector<at::Tensor> table = {zero_tensor({1, rows.size(1)}), rows};
  if (const int64_t unknown = pieces->unknown(); pieces->drops_unknown())
    table = {table[0], rows.narrow(0, 0, unknown), rows.narrow(0, unknown + 1, count - unknown - 1)};
  checkpoint.model.emplace_back("embedding.weight", concatenate(table));
  read_layers(modules.layers, rows.size(1), job, checkpoint.model);

  TextFeatures features(job.text, job.ngrams, pieces);
  features.set_vocabulary(Vocabulary::parse(listed, tokenizer.string()));
  features.save(checkpoint.files);
  checkpoint.model_info = {{"dim", rows.size(1)}, {"training_data", ""}};
  features.describe(checkpoint.model_info);
  checkpoint.config = job_to_json(job);
  Fingerprint fingerprint;
  for (const auto& [name, text] : checkpoint.files) fingerprint.add(text);
  for (const auto& [name, tensor] : checkpoint.model)
    fingerprint.add(std::span(tensor.const_data_ptr<float>(), static_cast<size_t>(tensor.numel())));
  checkpoint.identity = std::stoull(fingerprint.digest().substr(0, 16), nullptr, 16);
  return checkpoint;
}

}  // namespace

bool is_static_folder(const std::string& path) {
  const fs::path folder(path);
  return (is_there(folder / kModules) || is_there(folder / kTokenizer)) &&
         !is_there(folder / "manifest.json");
}

Checkpoint read_static_folder(const std::string& folder, const Notice& notice) {
  try {
    return read(folder, notice);
  } catch (const ReadError& error) {
    throw Error(ErrorKind::Model, error.what());
  } catch (const Error& error) {
    throw Error(ErrorKind::Model, error.what());
  } catch (const Json::exception& error) {
    throw Error(ErrorKind::Model,
                "{}: expected a model of sentence-transformers, found a file of another form ({})", folder,
                error.what());
  }
}

}  // namespace semblance
