#include "training/tensor_file.h"

#include <c10/core/GradMode.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "data/config.h"
#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/io/byte_stream.h"
#include "data/tensors.h"

namespace semblance {
namespace {

constexpr std::pair<const char*, c10::ScalarType> kTypes[] = {
    {"F32", at::kFloat}, {"F64", at::kDouble},    {"I64", at::kLong},  {"I32", at::kInt}, {"U8", at::kByte},
    {"F16", at::kHalf},  {"BF16", at::kBFloat16}, {"I16", at::kShort}, {"I8", at::kChar}};

std::string type_name(c10::ScalarType type) {
  for (const auto& [name, candidate] : kTypes)
    if (candidate == type) return name;
  throw Error(ErrorKind::Internal, "tensors of type {} cannot be saved", c10::toString(type));
}

// A header's own limit in the format's reference implementation.
constexpr uint64_t kMostHeaderBytes = 100'000'000;
constexpr uint64_t kMostOfAShape = uint64_t{1} << 40;
constexpr const char* kMetadata = "__metadata__";

[[noreturn]] void damaged(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorKind::Data, "{}: {}", path.string(), what);
}

// A file from its start: the header, then the tensors' bytes in the order of the list.
class TensorReader {
 public:
  explicit TensorReader(const std::filesystem::path& path)
      : path_(path), stream_(path.string(), Compression::None) {
    std::error_code error;
    const auto file_size = std::filesystem::file_size(path, error);
    if (error) throw ReadError(path.string(), "opened", error.value());
    uint64_t length = 0;
    read(reinterpret_cast<char*>(&length), sizeof length);
    if (length > file_size - sizeof length) damaged(path, "the header claims to be longer than the file");
    if (length > kMostHeaderBytes)
      damaged(path, fmt::format("expected a header of at most {} bytes, found {}", kMostHeaderBytes, length));
    std::string text(length, '\0');
    read(text.data(), length);
    list(parse_json(text, path.string()), file_size - sizeof length - length);
  }

  const std::vector<TensorInfo>& tensors() const { return tensors_; }

  void read(char* to, size_t size) {
    while (size > 0) {
      const size_t n = stream_.read({to, size});
      if (n == 0) damaged(path_, "expected more bytes, found the end");
      to += n;
      size -= n;
    }
  }

 private:
  void list(const Json& entries, uint64_t data_size) {
    if (!entries.is_object()) damaged(path_, "expected a header that names tensors, found none");
    uint64_t place = 0;
    for (const auto& [name, entry] : entries.items()) {
      if (name == kMetadata) continue;
      try {
        place = list(name, entry, place, data_size);
      } catch (const Error& error) {
        damaged(path_, fmt::format("tensor {}: {}", name, error.what()));
      }
    }
    if (place != data_size)
      damaged(path_, fmt::format("expected {} bytes of tensors, found {}", place, data_size));
  }

  // Returns where the tensor ends.
  uint64_t list(const std::string& name, const Json& entry, uint64_t place, uint64_t data_size) {
    const auto wrong = [](auto format, const auto&... args) {
      throw Error(ErrorKind::Data, fmt::format(fmt::runtime(format), args...));
    };
    TensorInfo info{.name = name, .type = at::kFloat, .shape = {}};
    const auto& type_text = text_in(entry, "dtype");
    const auto type =
        std::ranges::find(kTypes, type_text, [](const auto& t) { return std::string(t.first); });
    if (type == std::end(kTypes)) wrong("expected a type that is known, found {}", type_text);
    info.type = type->second;
    uint64_t bytes = c10::elementSize(info.type);
    const auto& shape = list_in(entry, "shape");
    if (std::ranges::find(shape, Json(0)) != shape.end()) bytes = 0;
    for (const auto& part : shape) {
      const auto size = part.is_number_unsigned() ? part.get<uint64_t>() : uint64_t{0};
      if (!part.is_number_unsigned() || size > kMostOfAShape || (bytes > 0 && bytes > data_size / size))
        wrong("expected a shape that fits the file, found {}", json_line(shape));
      bytes *= size;
      info.shape.push_back(static_cast<int64_t>(size));
    }
    const Json expected = {place, place + bytes};
    if (const auto& offsets = list_in(entry, "data_offsets");
        offsets != expected || place + bytes > data_size)
      wrong("expected its bytes at {}, found {}", json_line(expected), json_line(offsets));
    tensors_.push_back(std::move(info));
    return place + bytes;
  }

  std::filesystem::path path_;
  ByteStream stream_;
  std::vector<TensorInfo> tensors_;
};

}  // namespace

void write_tensors(const std::filesystem::path& path, const NamedTensors& tensors) {
  Json header = {{kMetadata, {{"format", "pt"}}}};  // what torch's own tools look for
  NamedTensors on_cpu;
  int64_t place = 0;
  for (const auto& [name, tensor] : tensors) {
    on_cpu.emplace_back(name, tensor.detach().to(at::kCPU).contiguous());
    const auto size = static_cast<int64_t>(tensor.nbytes());
    header[name] = {{"dtype", type_name(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {place, place + size}}};
    place += size;
  }
  std::string text = header.dump();
  text.resize((text.size() + 63) / 64 * 64, ' ');  // so that the tensors are aligned when the file is mapped
  const uint64_t length = text.size();
  FileWriter writer(path);
  writer.write({reinterpret_cast<const char*>(&length), sizeof length});
  writer.write(text);
  for (const auto& [name, tensor] : on_cpu)
    writer.write({static_cast<const char*>(tensor.data_ptr()), static_cast<size_t>(tensor.nbytes())});
  writer.finish();
}

std::vector<TensorInfo> list_tensors(const std::filesystem::path& path) {
  return TensorReader(path).tensors();
}

NamedTensors read_tensors(const std::filesystem::path& path) {
  TensorReader reader(path);
  NamedTensors tensors;
  for (const auto& info : reader.tensors()) {
    auto tensor = empty_tensor(info.shape, info.type);
    reader.read(static_cast<char*>(tensor.data_ptr()), tensor.nbytes());
    tensors.emplace_back(info.name, std::move(tensor));
  }
  return tensors;
}

std::string find_not_finite(const NamedTensors& tensors) {
  const c10::NoGradGuard no_gradient;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.is_floating_point() || tensor.numel() == 0) continue;
    const auto [least, most] = tensor.aminmax();  // a NaN is both
    if (!std::isfinite(least.item<double>()) || !std::isfinite(most.item<double>())) return name;
  }
  return {};
}

void copy_tensors(const NamedTensors& from, NamedTensors to, const std::string& source) {
  c10::NoGradGuard no_gradient;
  std::map<std::string, at::Tensor> wanted(to.begin(), to.end());
  for (const auto& [name, tensor] : from) {
    const auto found = wanted.find(name);
    if (found == wanted.end())
      throw Error(ErrorKind::Model, "{}: expected no tensor {}, found one; it is of another model", source,
                  name);
    if (found->second.sizes() != tensor.sizes() || found->second.scalar_type() != tensor.scalar_type())
      throw Error(ErrorKind::Model, "{}: expected {} of shape {} {}, found {} {}; it is of another model",
                  source, name, fmt::join(found->second.sizes(), "x"),
                  c10::toString(found->second.scalar_type()), fmt::join(tensor.sizes(), "x"),
                  c10::toString(tensor.scalar_type()));
    found->second.copy_(tensor);
    wanted.erase(found);
  }
  if (!wanted.empty())
    throw Error(ErrorKind::Model, "{}: expected a tensor {}, found none; it is of another model", source,
                wanted.begin()->first);
}

}  // namespace semblance
