#include "training/tasks/sentiment/label_file.h"

#include <algorithm>

#include "data/error.h"

namespace semblance {
namespace {

constexpr const char* kFile = "labels.jsonl";

// Before version 2 of the format.
bool lists_labels(const Json& info) {
  return info.contains("classes") && info["classes"].is_array();
}

const std::string& text_of(const Json& value) {
  if (!value.is_string()) throw Error(ErrorKind::Data, "classes: expected texts, found {}", json_line(value));
  return value.get_ref<const std::string&>();
}

double number_of(const Json& value) {
  if (!value.is_number())
    throw Error(ErrorKind::Data, "class_weights: expected numbers, found {}", json_line(value));
  return value.get<double>();
}

}  // namespace

void LabelFile::save(std::map<std::string, std::string>& files) const {
  auto& lines = files[kFile];
  for (size_t c = 0; c < classes.size(); ++c) {
    Json line = {{"label", classes[c]}};
    if (!weights.empty()) line["weight"] = weights[c];
    lines += json_line(line) + "\n";
  }
}

LabelFile LabelFile::load(const Json& info, const std::map<std::string, std::string>& files) {
  LabelFile labels;
  if (lists_labels(info)) {
    for (const auto& label : info["classes"]) labels.classes.push_back(text_of(label));
    for (const auto& weight : list_in(info, "class_weights")) labels.weights.push_back(number_of(weight));
    return labels;
  }
  const auto count = whole_number_in(info, "classes", 1, INT32_MAX);
  const auto found = files.find(kFile);
  if (found == files.end()) throw Error(ErrorKind::Data, "expected {}, found none", kFile);
  std::string_view rest = found->second;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto place = [&] { return fmt::format("{}:{}", kFile, labels.classes.size() + 1); };
    const Json label = parse_json(line, place());
    labels.classes.push_back(text_in(label, "label"));
    if (label.contains("weight")) labels.weights.push_back(finite_number_in(label, "weight"));
  }
  if (static_cast<int64_t>(labels.classes.size()) != count)
    throw Error(ErrorKind::Data, "{}: expected {} labels, found {}", kFile, count, labels.classes.size());
  if (!labels.weights.empty() && labels.weights.size() != labels.classes.size())
    throw Error(ErrorKind::Data, "{}: expected a weight for each label or for none, found {} for {}", kFile,
                labels.weights.size(), labels.classes.size());
  return labels;
}

void move_labels_to_file(Checkpoint& checkpoint) {
  if (!lists_labels(checkpoint.model_info)) return;
  const auto labels = LabelFile::load(checkpoint.model_info, checkpoint.files);
  checkpoint.model_info.erase("class_weights");
  checkpoint.model_info["classes"] = labels.classes.size();
  labels.save(checkpoint.files);
}

}  // namespace semblance
