#include "training/tasks/dssm/sentence_transformers.h"

#include <algorithm>
#include <map>
#include <string>

#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/tensors.h"
#include "data/text/unicode.h"
#include "models/module_access.h"
#include "training/tasks/dssm/task.h"
#include "training/tasks/dssm/torch_activation.h"
#include "training/tensor_file.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

// Stands before each word in the tokenizer, so that no part of an unknown word can be taken for a word.
constexpr const char* kMark = "\uF8FF";
constexpr const char* kOwnMark = "config_sentence_transformers.json";

// Regular expressions of the tokenizers library (Onigmo).
constexpr const char* kStrippable = "[\\p{P}\\p{Cc}\\x{FEFF}$+<=>^`|~]";
constexpr const char* kWords = "[\\p{L}\\p{N}\\p{M}](?:[\\p{L}\\p{N}\\p{M}'\\x{2019}]*[\\p{L}\\p{N}\\p{M}])?";
#define SEMBLANCE_SPACES                                                                                  \
  "\\x{9}-\\x{D}\\x{1C}-\\x{20}\\x{85}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{" \
  "205F}"                                                                                                 \
  "\\x{3000}"
constexpr const char* kWhitespace = "[^" SEMBLANCE_SPACES "]+";
constexpr const char* kWordPunct = "[\\p{L}\\p{N}_]+|[^\\p{L}\\p{N}_" SEMBLANCE_SPACES "]+";
#undef SEMBLANCE_SPACES

Json replace(const Json& pattern, const char* content) {
  return {{"type", "Replace"}, {"pattern", pattern}, {"content", content}};
}

Json sequence(const char* part, Json list) {
  return {{"type", "Sequence"}, {part, std::move(list)}};
}

// What TextPipeline does before it cuts.
Json normalizer(const TextOptions& text) {
  Json list = Json::array();
  if (text.nfc) list.push_back({{"type", "NFC"}});
  if (text.strip_punctuation) {
    std::string pattern = kStrippable;
    if (!text.strip_characters.empty()) {
      pattern = "[";
      for (size_t i = 0; i < text.strip_characters.size();)
        pattern += fmt::format("\\x{{{:X}}}", static_cast<uint32_t>(decode_utf8(text.strip_characters, i)));
      pattern += "]";
    }
    list.push_back(replace({{"Regex", pattern}}, " "));
  }
  if (text.lowercase) {
    // Σ at a word's end is ς, which the library's lower case does not know.
    list.push_back(replace({{"Regex", "(?<=[\\p{L}\\p{M}])\\x{3A3}(?![\\p{L}\\p{M}])"}}, "ς"));
    list.push_back({{"type", "Lowercase"}});
  }
  return sequence("normalizers", std::move(list));
}

Json pre_tokenizer(const TextOptions& text) {
  const char* pattern = text.tokenizer == Tokenizer::Words        ? kWords
                        : text.tokenizer == Tokenizer::Whitespace ? kWhitespace
                                                                  : kWordPunct;
  const Json split = {
      {"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Removed"}, {"invert", true}};
  const Json mark = {
      {"type", "Metaspace"}, {"replacement", kMark}, {"prepend_scheme", "always"}, {"split", false}};
  return sequence("pretokenizers", {split, mark});
}

// Words as a BPE model without merges: what it does not know it leaves out. The first word has the number
// `first`.
Json tokenizer(const TextOptions& text, const Vocabulary& vocabulary, int32_t first) {
  Json words = Json::object();
  for (int32_t id = vocabulary.first_word(); id < vocabulary.size(); ++id)
    words[kMark + std::string(vocabulary.word(id))] = id - vocabulary.first_word() + first;
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", Json::array()},
          {"normalizer", normalizer(text)},
          {"pre_tokenizer", pre_tokenizer(text)},
          {"post_processor", nullptr},
          {"decoder", nullptr},
          {"model",
           {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", true},
            {"vocab", std::move(words)},
            {"merges", Json::array()}}}};
}

std::string activation_class(Activation activation) {
  const auto name = class_of_activation(activation);
  if (!name)
    throw Error(ErrorKind::Usage,
                "sentence-transformers: expected another --activation than {}, which it has not",
                enum_name(activation));
  return std::string(*name);
}

// The module that embeds what tokenizer.json cannot say: row numbers as in TextFeatures.
constexpr const char* kModule =
    R"py("""Words, hashed n-grams and their weights as semblance embeds them; needs `xxhash`. checkpoints/README.md of semblance describes
the hashes."""

import json
import os

import numpy
import torch
import xxhash
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

try:
    from sentence_transformers.sentence_transformer.modules import InputModule
except ImportError:  # before version 6
    from sentence_transformers.models import InputModule

WORD = 2**64 - 1


def mix(key, value):
    z = (key + 0x9E3779B97F4A7C15 * (value + 1)) & WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


class NgramEmbedding(InputModule):
    def __init__(self, tokenizer, config, tensors):
        super().__init__()
        self.tokenizer, self.config, self.tensors = tokenizer, config, tensors
        self.words = tokenizer.get_vocab()
        self.stop_words = set(config["stop_words"])
        self.embedding = torch.nn.EmbeddingBag.from_pretrained(tensors["embedding.weight"], mode="sum")
        self.rows = None
        if "ngram_rows" in tensors:
            bits = numpy.unpackbits(tensors["ngram_rows"].numpy(), bitorder="little")
            self.rows = numpy.where(bits, numpy.cumsum(bits, dtype=numpy.int64) - 1, -1)

    def bucket(self, number):
        row = number if self.rows is None else int(self.rows[number])
        return [] if row < 0 else [self.config["vocabulary"] + row]

    def ids(self, text):
        config, mark = self.config, self.config["mark"]
        pieces = [piece for piece, _ in self.tokenizer.pre_tokenizer.pre_tokenize_str(self.tokenizer.normalizer.normalize_str(text))]
        pieces = [piece for piece in pieces if len(piece) - 1 >= config["min_word_length"] and piece[1:] not in self.stop_words]
        known = [self.words.get(piece, config["unknown"]) for piece in pieces]
        known = [word for word in known if word is not None]
        ids = list(known)
        for i in range(len(known)):
            key = known[i]
            for word in known[i + 1 : i + config["ngrams"]]:
                key = mix(key, word)
                ids += self.bucket(key % config["buckets"])
        first = config["buckets"] if config["ngrams"] > 1 else 0
        for piece in pieces if config["char_ngrams"] else []:
            marked = f"<{piece[1:]}>"
            for start in range(len(marked)):
                for length in range(config["min_char_ngrams"], min(config["char_ngrams"], len(marked) - start) + 1):
                    if length > 1 or 0 < start < len(marked) - 1:
                        ngram = marked[start : start + length].encode()
                        ids += self.bucket(first + xxhash.xxh3_64_intdigest(ngram) % config["char_buckets"])
        return ids

    def preprocess(self, inputs, prompt=None, **kwargs):
        ids = [self.ids((prompt or "") + text) for text in inputs]
        lengths = torch.tensor([0] + [len(row) for row in ids])
        return {"input_ids": torch.tensor([i for row in ids for i in row], dtype=torch.long), "offsets": lengths.cumsum(0)[:-1]}

    tokenize = preprocess

    def forward(self, features, **kwargs):
        ids, offsets = features["input_ids"], features["offsets"]
        weights = self.tensors["idf"].to(ids.device)[ids] if "idf" in self.tensors else torch.ones(len(ids), device=ids.device)
        ends = torch.cat([offsets[1:], torch.tensor([len(ids)], device=ids.device)])
        bags = torch.repeat_interleave(torch.arange(len(offsets), device=ids.device), ends - offsets)
        sums = torch.zeros(len(offsets), device=ids.device).index_add_(0, bags, weights)
        totals = self.embedding(ids, offsets, per_sample_weights=weights)
        features["sentence_embedding"] = torch.where(sums[:, None] > 0, totals / sums[:, None], 0.0)
        return features

    def get_embedding_dimension(self):
        return self.embedding.embedding_dim

    get_sentence_embedding_dimension = get_embedding_dimension

    @property
    def max_seq_length(self):
        return float("inf")

    def save(self, output_path, *args, **kwargs):
        self.tokenizer.save(os.path.join(output_path, "tokenizer.json"))
        save_file(self.tensors, os.path.join(output_path, "model.safetensors"))
        with open(os.path.join(output_path, "semblance.json"), "w") as file:
            json.dump(self.config, file)

    @classmethod
    def load(cls, model_name_or_path, subfolder="", **kwargs):
        def path(name):
            return cls.load_file_path(model_name_or_path, name, subfolder=subfolder)

        with open(path("semblance.json")) as file:
            config = json.load(file)
        return cls(Tokenizer.from_file(path("tokenizer.json")), config, load_file(path("model.safetensors")))
)py";

constexpr const char* kCard = R"md(---
library_name: sentence-transformers
pipeline_tag: sentence-similarity
tags: [sentence-transformers, static-embeddings]
---

A question encoder of {dim} dimensions: the mean of {rows} vectors of words{ngrams}{layers}. Texts that mean the same have a
large cosine. Trained with semblance {loss}.

```python
from sentence_transformers import SentenceTransformer
model = SentenceTransformer("{name}"{trust})
model.similarity(model.encode("how to open a file"), model.encode("opening files"))
```
{model2vec}
A text of which it knows no word has {empty}.
)md";

at::Tensor contiguous(const at::Tensor& tensor) {
  return tensor.detach().cpu().contiguous();
}

// A new folder beside the one that is wanted, which takes its place when it is whole.
class FolderWriter {
 public:
  explicit FolderWriter(fs::path folder) : folder_(std::move(folder)), temporary_(folder_.string() + ".tmp") {
    std::error_code failure;
    if (fs::exists(folder_, failure) &&
        (!fs::is_directory(folder_, failure) ||
         (!fs::is_empty(folder_, failure) && !fs::exists(folder_ / kOwnMark, failure))))
      throw Error(ErrorKind::Usage, "--output: expected a new folder or an earlier export, found {}",
                  folder_.string());
    fs::remove_all(temporary_, failure);
    make("");
  }
  ~FolderWriter() {
    std::error_code ignored;
    fs::remove_all(temporary_, ignored);
  }
  FolderWriter(const FolderWriter&) = delete;
  FolderWriter& operator=(const FolderWriter&) = delete;

  fs::path make(const std::string& name) {
    std::error_code failure;
    fs::create_directories(temporary_ / name, failure);
    if (failure)
      throw Error(ErrorKind::Model, "{}: cannot be made: {}", temporary_.string(), failure.message());
    return temporary_ / name;
  }
  void write(const std::string& name, const std::string& content) {
    write_file_atomically(temporary_ / name, content);
  }
  void write(const std::string& name, const Json& content) {
    write(name, content.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
  }
  void commit() {
    std::error_code failure;
    fs::remove_all(folder_, failure);
    if (!failure) fs::rename(temporary_, folder_, failure);
    if (failure)
      throw Error(ErrorKind::Model, "{}: cannot be replaced: {}", folder_.string(), failure.message());
  }

 private:
  fs::path folder_, temporary_;
};

std::string filled(std::string text, const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values)
    for (size_t at; (at = text.find("{" + name + "}")) != std::string::npos;)
      text.replace(at, name.size() + 2, value);
  return text;
}

}  // namespace

namespace {

// Throws Error(Usage) for what a folder of word pieces cannot say.
void check_pieces(const WordPiece& pieces, const TextFeatures& features, const DssmJob& job,
                  bool own_module) {
  const auto refuse = [](const std::string& wanted) {
    throw Error(ErrorKind::Usage, "sentence-transformers: expected {} beside word pieces, found other",
                wanted);
  };
  if (own_module) refuse("no n-grams, no --token-weights and no --unknown-word");
  if (!features.pipeline().stop_words().empty() || job.text.min_word_length > 1)
    refuse("no stop words and no --min-word-length");
  if (pieces.drops_unknown() && !job.model.projection.empty())
    refuse("no --projection, which model2vec has not,");
  const int32_t expected = pieces.pieces().size() - (pieces.drops_unknown() ? 1 : 0);
  if (features.vocabulary().words() != expected)
    throw Error(ErrorKind::Usage,
                "sentence-transformers: expected a row for each of the {} pieces, found {}; train with "
                "--vector-words",
                expected, features.vocabulary().words());
}

// `rows`, [words, dim], in the order of the pieces' numbers; zeros for the one that texts never have.
at::Tensor piece_rows(const WordPiece& pieces, const Vocabulary& vocabulary, const at::Tensor& rows) {
  const auto& list = pieces.pieces();
  auto ordered = zero_tensor({list.size(), rows.size(1)});
  for (int32_t piece = 0; piece < list.size(); ++piece)
    if (const int32_t id = vocabulary.id(list[piece]); id >= vocabulary.first_word())
      ordered[piece].copy_(rows[id - vocabulary.first_word()]);
  return ordered;
}

}  // namespace

Json write_sentence_transformers(DssmTask& task, const DssmJob& job, const fs::path& folder,
                                 const Notice& notice) {
  const auto& features = task.setup().features;
  const auto& vocabulary = features.vocabulary();
  const auto& ngrams = job.ngrams;
  const bool own_module =
      ngrams.all_buckets() > 0 || vocabulary.has_unknown() || job.model.token_weights != TokenWeights::None;
  if (ngrams.hash != NgramHash::Semblance)
    throw Error(ErrorKind::Usage, "sentence-transformers: expected --hash semblance, found fasttext");
  if (job.model.embedding.max_norm > 0)
    throw Error(ErrorKind::Usage, "sentence-transformers: expected --max-norm 0, found {}",
                job.model.embedding.max_norm);
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : model_tensors(task.module())) tensors.emplace(name, contiguous(tensor));

  const auto& pieces = features.pipeline().word_piece();
  if (pieces) check_pieces(*pieces, features, job, own_module);

  FolderWriter writer(folder);
  // model2vec wants as many rows as words.
  const int32_t first = own_module ? 0 : vocabulary.first_word();
  const auto words = contiguous(task.encoder().rows(first, features.rows() - first));
  NamedTensors embedding;
  if (pieces) {
    writer.write("tokenizer.json", pieces->serialize());
    const bool of_model2vec = pieces->drops_unknown();
    embedding.emplace_back(of_model2vec ? "embeddings" : "embedding.weight",
                           piece_rows(*pieces, vocabulary, words));
    if (of_model2vec)
      writer.write("config.json",
                   Json{{"model_type", "model2vec"},
                        {"max_length", pieces->most_pieces() > 0 ? Json(pieces->most_pieces()) : Json()},
                        {"normalize", job.model.normalize},
                        {"embedding_dtype", "float32"}});
  } else {
    writer.write("tokenizer.json", tokenizer(job.text, vocabulary, vocabulary.first_word() - first));
    embedding.emplace_back("embedding.weight", words);
  }
  if (own_module) {
    if (const auto idf = tensors.find("embedding.idf"); idf != tensors.end())
      embedding.emplace_back("idf", idf->second);
    std::map<std::string, std::string> files;
    features.save(files);
    Json config = {{"mark", kMark},
                   {"vocabulary", vocabulary.size()},
                   {"unknown", vocabulary.has_unknown() ? Json(1) : Json()},
                   {"stop_words", features.pipeline().stop_words()},
                   {"min_word_length", job.text.min_word_length},
                   {"ngrams", ngrams.longest},
                   {"buckets", ngrams.buckets},
                   {"char_ngrams", ngrams.longest_chars},
                   {"min_char_ngrams", ngrams.shortest_chars},
                   {"char_buckets", ngrams.char_buckets}};
    if (const auto rows = files.find(TextFeatures::kNgramRowsFile); rows != files.end()) {
      const auto& bytes = rows->second;
      auto bits = empty_tensor({static_cast<int64_t>(bytes.size())}, at::kByte);
      std::ranges::copy(bytes, static_cast<char*>(bits.mutable_data_ptr()));
      embedding.emplace_back("ngram_rows", bits);
    }
    writer.write("semblance.json", config);
    writer.write("semblance_encoder.py", std::string(kModule));
  }
  write_tensors(writer.make("") / "model.safetensors", embedding);

  Json modules = {{{"idx", 0},
                   {"name", "0"},
                   {"path", ""},
                   {"type", own_module ? "semblance_encoder.NgramEmbedding"
                                       : "sentence_transformers.models.StaticEmbedding"}}};
  const size_t layers = job.model.projection.size();
  for (size_t i = 0; i < layers; ++i) {
    const auto name = fmt::format("{}_Dense", i + 1);
    const auto &weight = tensors.at(fmt::format("layers.{}.weight", i)),
               &bias = tensors.at(fmt::format("layers.{}.bias", i));
    write_tensors(writer.make(name) / "model.safetensors",
                  {{"linear.weight", weight}, {"linear.bias", bias}});
    writer.write(name + "/config.json",
                 Json{{"in_features", weight.size(1)},
                      {"out_features", weight.size(0)},
                      {"bias", true},
                      {"activation_function", i + 1 < layers ? activation_class(job.model.activation)
                                                             : "torch.nn.modules.linear.Identity"}});
    modules.push_back({{"idx", i + 1},
                       {"name", std::to_string(i + 1)},
                       {"path", name},
                       {"type", "sentence_transformers.models.Dense"}});
  }
  if (job.model.normalize) {
    const auto name = fmt::format("{}_Normalize", layers + 1);
    writer.make(name);
    modules.push_back({{"idx", layers + 1},
                       {"name", std::to_string(layers + 1)},
                       {"path", name},
                       {"type", "sentence_transformers.models.Normalize"}});
  }
  writer.write("modules.json", modules);
  writer.write(kOwnMark, Json{{"model_type", "SentenceTransformer"},
                              {"prompts", Json::object()},
                              {"default_prompt_name", nullptr},
                              {"max_length", nullptr},  // model2vec's: it cuts texts otherwise
                              {"normalize", job.model.normalize},
                              {"similarity_fn_name", "cosine"}});
  writer.write(
      "README.md",
      filled(kCard,
             {{"dim", std::to_string(task.encoder().dim())},
              {"rows", std::to_string(features.rows())},
              {"ngrams", ngrams.all_buckets() > 0 ? " and hashed n-grams" : ""},
              {"layers", layers > 0 ? fmt::format(", and {} layer(s) after it", layers) : ""},
              {"loss", job.scored() ? "on scored pairs" : "with in-batch negatives (NT-Xent)"},
              {"name", folder.filename().string()},
              {"trust", own_module ? ", trust_remote_code=True" : ""},
              {"model2vec",
               own_module || layers > 0 ? "" : "\n`model2vec.StaticModel.from_pretrained` opens it too.\n"},
              {"empty", layers > 0 ? "what the layers make of zeros, where semblance has zeros" : "zeros"}}));
  writer.commit();
  if (own_module)
    notice(fmt::format(
        "{}: n-grams, weights or a row for unknown words come as a module of the folder: open it with "
        "trust_remote_code=True, with the package xxhash",
        folder.string()));
  return {{"output", folder.string()},   {"format", "sentence-transformers"},
          {"words", vocabulary.words()}, {"ngram_rows", features.ngram_rows()},
          {"dim", task.encoder().dim()}, {"own_module", own_module}};
}

}  // namespace semblance
