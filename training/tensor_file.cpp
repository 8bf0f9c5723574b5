#include "training/tensor_file.h"

#include <c10/core/GradMode.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "data/config.h"
#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/io/byte_stream.h"
#include "data/tensors.h"

namespace semblance {
namespace {

constexpr std::pair<const char*, c10::ScalarType> kTypes[] = {
    {"F32", at::kFloat}, {"F64", at::kDouble}, {"I64", at::kLong}, {"I32", at::kInt}, {"U8", at::kByte}};

std::string type_name(c10::ScalarType type) {
  for (const auto& [name, candidate] : kTypes)
    if (candidate == type) return name;
  throw Error(ErrorKind::Internal, "tensors of type {} cannot be saved", c10::toString(type));
}

[[noreturn]] void damaged(const std::filesystem::path& path, const std::string& what) {
  throw Error(ErrorKind::Model, "{}: {}; the file is damaged", path.string(), what);
}

}  // namespace

void write_tensors(const std::filesystem::path& path, const NamedTensors& tensors) {
  Json header = Json::object();
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

NamedTensors read_tensors(const std::filesystem::path& path) {
  std::error_code error;
  const auto file_size = std::filesystem::file_size(path, error);
  if (error) throw Error(ErrorKind::Model, "{}: cannot be opened: {}", path.string(), error.message());
  ByteStream stream(path.string(), Compression::None);
  const auto read_exactly = [&](char* to, size_t size) {
    while (size > 0) {
      const size_t n = stream.read({to, size});
      if (n == 0) damaged(path, "expected more bytes, found the end");
      to += n;
      size -= n;
    }
  };
  uint64_t length = 0;
  read_exactly(reinterpret_cast<char*>(&length), sizeof length);
  if (length > file_size - sizeof length) damaged(path, "the header claims to be longer than the file");
  std::string text(length, '\0');
  read_exactly(text.data(), length);
  const uint64_t data_size = file_size - sizeof length - length;
  NamedTensors tensors;
  try {
    uint64_t place = 0;
    const Json entries = Json::parse(text);
    for (const auto& [name, entry] : entries.items()) {
      const auto shape = entry.at("shape").get<std::vector<int64_t>>();
      const auto offsets = entry.at("data_offsets").get<std::vector<uint64_t>>();
      const auto type = std::ranges::find(kTypes, entry.at("dtype").get<std::string>(),
                                          [](const auto& t) { return std::string(t.first); });
      if (type == std::end(kTypes)) damaged(path, "tensor " + name + " has an unknown type");
      uint64_t bytes = c10::elementSize(type->second);
      for (const int64_t size : shape)
        if (size < 0 || (size > 0 && bytes > data_size / static_cast<uint64_t>(size) + 1))
          damaged(path, "tensor " + name + " has an impossible shape");
        else
          bytes *= static_cast<uint64_t>(size);
      if (offsets.size() != 2 || offsets[0] != place || offsets[1] != place + bytes || offsets[1] > data_size)
        damaged(path, "tensor " + name + " does not fit the file");
      place = offsets[1];
      auto tensor = empty_tensor(shape, type->second);
      read_exactly(static_cast<char*>(tensor.data_ptr()), bytes);
      tensors.emplace_back(name, tensor);
    }
  } catch (const Json::exception& json_error) {
    damaged(path, std::string("the header is not as expected (") + json_error.what() + ")");
  }
  return tensors;
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
