#include "training/report/page.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>
#include <vector>

#include "data/text/markup.h"
#include "training/metrics.h"
#include "training/report/assets.h"

namespace semblance {
namespace {

using Row = std::vector<std::string>;

// A text of anybody's, which keeps its own direction of writing; of a list, its parts.
std::string text(const Json& value) {
  if (value.is_array()) {
    std::string joined;
    for (const auto& one : value) joined += (joined.empty() ? "" : ", ") + text(one);
    return joined.empty() ? "none" : joined;
  }
  return "<bdi>" + escape_markup(value.is_string() ? value.get<std::string>() : json_line(value)) + "</bdi>";
}

std::string number(const Json& value) {
  if (value.is_null()) return "–";
  if (!value.is_number_float()) return json_line(value);
  const auto real = value.get<double>();
  return real != 0 && std::abs(real) < 0.01 ? fmt::format("{:.3g}", real) : fmt::format("{:.4f}", real);
}

// `head` and `rows` are markup; a row's first cell names it. A wide table scrolls by itself.
std::string table(const std::string& caption, const Row& head, const std::vector<Row>& rows,
                  std::string_view kind = "numbers") {
  std::string out = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\"><table "
      "class=\"{1}\"><caption>{0}</caption>",
      escape_markup(caption), kind);
  if (!head.empty()) {
    out += "<thead><tr>";
    for (const auto& cell : head) out += "<th scope=\"col\">" + cell + "</th>";
    out += "</tr></thead>";
  }
  out += "<tbody>";
  // On narrow screens long cells stand below each other, and each says what it is.
  const bool tells_columns = kind.ends_with("stacked");
  for (const auto& row : rows) {
    out += "<tr>";
    for (size_t i = 0; i < row.size(); ++i)
      out += i == 0 ? "<th scope=\"row\">" + row[i] + "</th>"
                    : (tells_columns ? "<td data-column=\"" + head[i] + "\">" : "<td>") + row[i] + "</td>";
    out += "</tr>";
  }
  return out + "</tbody></table></div>\n";
}

std::string details(std::string_view summary, const std::string& content) {
  return fmt::format("<details><summary>{}</summary>{}</details>\n", summary, content);
}

struct Section {
  std::string_view id, title;
  std::string content;  // none: it is left out
};

std::string all_sections(const std::vector<Section>& sections) {
  std::string links, bodies;
  for (const auto& [id, title, content] : sections) {
    if (content.empty()) continue;
    links += fmt::format("<li><a href=\"#{}\">{}</a></li>", id, title);
    bodies += fmt::format("<section aria-labelledby=\"{0}\"><h2 id=\"{0}\">{1}</h2>\n{2}</section>\n", id,
                          title, content);
  }
  return "<nav aria-label=\"Sections\"><ul>" + links + "</ul></nav>\n" + bodies;
}

bool has(const Json& content, const char* key) {
  return content.contains(key) && !content[key].empty();
}

std::string left_out(const Json& content) {
  if (content["left_out"].empty()) return {};
  std::string items;
  for (const auto& sentence : content["left_out"]) items += "<li>" + text(sentence) + "</li>";
  return "<ul class=\"note\">" + items + "</ul>\n";
}

std::string trained(const Json& content) {
  std::vector<Row> facts, options, layers;
  for (const auto& fact : content["facts"]) facts.push_back({text(fact[0]), text(fact[1])});
  for (const auto& option : content["options"])
    options.push_back({text(option["name"]), text(option["section"]), text(option["value"]),
                       option["default"].is_null() ? "–" : text(option["default"])});
  for (const auto& layer : content["layers"]) {
    layers.emplace_back();
    for (const auto& [name, value] : layer.items())
      layers.back().push_back(value.is_string() ? text(value) : number(value));
  }
  std::string out = table("The training", {}, facts, "texts");
  if (!options.empty())
    out += table("Options that differ from the defaults, given or chosen by the data",
                 {"option", "section", "value", "default"}, options, "texts");
  if (!layers.empty()) {
    Row head;
    for (const auto& [name, value] : content["layers"][0].items()) head.push_back(escape_markup(name));
    out += table("Layers", head, layers);
  }
  return out +
         details("All options, as <code>job.toml</code> has them",
                 "<pre tabindex=\"0\">" + escape_markup(content["config"].get<std::string>()) + "</pre>");
}

std::string curves(const Json& content) {
  const Json& history = content["history"];
  if (history.is_null()) return {};
  std::string out = "<div class=\"charts\">";
  for (size_t i = 0; i < history["panels"].size(); ++i) {
    const auto title = escape_markup(history["panels"][i]["title"].get<std::string>());
    out += fmt::format(
        "<figure><figcaption id=\"panel-{0}\">{1}</figcaption><div class=\"chart\" data-panel=\"{0}\" "
        "role=\"img\" aria-labelledby=\"panel-{0}\"></div></figure>",
        i, title);
  }
  Row head;
  for (const auto& name : history["columns"]) head.push_back(text(name));
  std::vector<Row> rows;
  for (const auto& cells : history["rows"]) {
    rows.emplace_back();
    for (const auto& cell : cells) rows.back().push_back(cell.is_null() ? "–" : json_line(cell));
  }
  return out + "</div>\n" + details("The curves as a table", table("metrics.tsv", head, rows));
}

std::string measures(const Json& content) {
  const Json& evaluation = content["evaluation"];
  if (!evaluation.is_object()) return {};
  std::vector<Row> rows;
  const bool ranked = has(evaluation, "hits");
  for (const auto& [name, value] : evaluation.items())
    if (value.is_primitive() && name != "task" && name != "classes")
      rows.push_back({text(name), value.is_string() ? text(value) : number(value)});
  for (const auto& [name, value] : named_numbers(evaluation))
    if (!ranked && name.find('@') != std::string::npos) rows.push_back({text(name), number(value)});
  std::string out =
      table("Measured on " + content["measured"].get<std::string>(), {"measure", "value"}, rows);
  if (has(evaluation, "held_out")) {
    rows.clear();
    for (const auto& [name, value] : evaluation["held_out"].items())
      if (value.is_primitive()) rows.push_back({text(name), number(value)});
    out += table("Words that training held out", {"measure", "value"}, rows);
  }
  if (has(evaluation, "sections")) {
    rows.clear();
    for (const auto& one : evaluation["sections"])
      rows.push_back({text(one["section"]), number(one["accuracy"]), number(one["correct"]),
                      number(one["examples"]), number(one["skipped"])});
    out += table("Sections", {"section", "accuracy", "correct", "examples", "skipped"}, rows);
  }
  return out;
}

std::string bar(double share) {
  return fmt::format(
      "<svg class=\"bar\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect "
      "width=\"{:.1f}\" height=\"10\"/></svg>",
      100 * share);
}

std::string classes(const Json& content) {
  const Json& evaluation = content["evaluation"];
  const Json& mix = content["class_mix"];
  std::vector<Row> rows;
  double most = 0;
  for (const auto& [label, share] : mix.items()) most = std::max(most, share.get<double>());
  const auto share_of = [&](const std::string& label) {
    if (!mix.is_object() || !mix.contains(label)) return std::string("–");
    const auto share = mix[label].get<double>();
    return fmt::format("{:.1f} %{}", 100 * share, bar(most > 0 ? share / most : 0));
  };
  if (!evaluation.is_object() || !evaluation.contains("per_class")) {
    for (const auto& [label, share] : mix.items()) rows.push_back({text(label), share_of(label)});
    return rows.empty() ? std::string() : table("Class mix", {"class", "of the epoch's texts"}, rows);
  }
  const Json& all = evaluation["per_class"];
  const Json& count = evaluation["classes"];
  for (const auto& one : all) {
    rows.push_back({text(one["label"]), number(one["examples"]), number(one["precision"]),
                    number(one["recall"]), number(one["f1"])});
    if (mix.is_object()) rows.back().insert(rows.back().begin() + 1, share_of(one["label"]));
  }
  Row head = {"class", "examples", "precision", "recall", "F1"};
  if (mix.is_object()) head.insert(head.begin() + 1, "of the epoch’s training texts");
  return table(count != all.size()
                   ? fmt::format("The {} of {} classes with the lowest F1", all.size(), number(count))
                   : "Each class",
               head, rows);
}

std::string confusion_matrix(const Json& labels, const Json& matrix) {
  std::string out =
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Confusion matrix\"><table "
      "class=\"numbers confusion\"><caption>Confusion matrix: texts of each actual class (rows) by the class "
      "predicted (columns); right answers are framed</caption><thead><tr><th scope=\"col\">actual \\ "
      "predicted</th>";
  for (const auto& label : labels) out += "<th scope=\"col\">" + text(label["label"]) + "</th>";
  out += "</tr></thead><tbody>";
  for (size_t i = 0; i < matrix.size(); ++i) {
    double row = 0;
    for (const auto& count : matrix[i]) row += count.get<double>();
    out += "<tr><th scope=\"row\">" + text(labels[i]["label"]) + "</th>";
    for (size_t j = 0; j < matrix.size(); ++j) {
      const double share = row > 0 ? matrix[i][j].get<double>() / row : 0;
      out += fmt::format("<td class=\"h{}{}\">{}</td>", std::lround(9 * share), i == j ? " right" : "",
                         number(matrix[i][j]));
    }
    out += "</tr>";
  }
  return out + "</tbody></table></div>\n";
}

std::string confusion(const Json& content) {
  const Json& evaluation = content["evaluation"];
  if (!evaluation.is_object()) return {};
  std::string out;
  if (has(evaluation, "confusion")) out = confusion_matrix(evaluation["per_class"], evaluation["confusion"]);
  if (!has(evaluation, "confused")) return out;
  std::vector<Row> rows;
  for (const auto& pair : evaluation["confused"])
    rows.push_back(
        {text(pair["actual"]), text(pair["predicted"]), number(pair["texts"]), number(pair["of"])});
  return out + table("The most frequent mistakes", {"actual", "predicted", "texts", "of"}, rows, "texts");
}

// A point for each bin, near the diagonal where probabilities are right as often as they say.
std::string reliability(const Json& content) {
  const Json& evaluation = content["evaluation"];
  if (!evaluation.is_object() || !has(evaluation, "reliability")) return {};
  constexpr double kSide = 240, kLeft = 44, kTop = 10;
  const auto x = [](double value) { return kLeft + kSide * value; };
  const auto y = [](double value) { return kTop + kSide * (1 - value); };
  std::string svg =
      "<svg class=\"reliability\" viewBox=\"0 0 300 300\" role=\"img\" "
      "aria-labelledby=\"calibration\"><title>"
      "Share of right answers over the probability given; the numbers are in the table</title>";
  for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0})
    svg += fmt::format(
        "<path class=\"grid\" d=\"M{0:.1f} {1:.1f}H{2:.1f}M{3:.1f} {4:.1f}V{5:.1f}\"/><text x=\"{6:.1f}\" "
        "y=\"{7:.1f}\" text-anchor=\"end\">{8}</text><text x=\"{3:.1f}\" y=\"{9:.1f}\" "
        "text-anchor=\"middle\">{8}</text>",
        x(0), y(tick), x(1), x(tick), y(1), y(0), x(0) - 5, y(tick) + 4, tick, y(0) + 15);
  svg += fmt::format(
      "<path class=\"ideal\" d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\"/><text x=\"{:.1f}\" y=\"292\" "
      "text-anchor=\"middle\">probability given</text><text transform=\"rotate(-90)\" x=\"{:.1f}\" y=\"11\" "
      "text-anchor=\"middle\">share right</text>",
      x(0), y(0), x(1), y(1), x(0.5), -y(0.5));
  double most = 1;
  std::string line;
  for (const auto& bin : evaluation["reliability"]) most = std::max(most, bin["examples"].get<double>());
  std::string dots;
  std::vector<Row> rows;
  for (const auto& bin : evaluation["reliability"]) {
    const double px = x(bin["confidence"].get<double>()), py = y(bin["accuracy"].get<double>());
    line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? "M" : "L", px, py);
    dots += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"/>", px, py,
                        3 + 6 * std::sqrt(bin["examples"].get<double>() / most));
    rows.push_back({fmt::format("{:.3f} to {:.3f}", bin["from"].get<double>(), bin["to"].get<double>()),
                    number(bin["examples"]), number(bin["confidence"]), number(bin["accuracy"])});
  }
  svg += "<path class=\"line\" d=\"" + line + "\"/>" + dots + "</svg>";
  return "<h3 id=\"calibration\">Calibration</h3><p>Each point is of the answers within a range of "
         "probabilities, "
         "the larger the more they are. On the dashed line they are right as often as they say; below it the "
         "model is too sure.</p><div class=\"beside\">" +
         svg +
         table("Answers by their probability", {"range", "answers", "mean probability", "right"}, rows) +
         "</div>\n";
}

std::string ranking(const Json& content) {
  const Json& evaluation = content["evaluation"];
  if (!evaluation.is_object() || !has(evaluation, "hits")) return {};
  std::vector<Row> rows;
  for (const auto& [k, hits] : evaluation["hits"].items())
    rows.push_back({k, number(hits), number(evaluation["dcg"].value(k, Json()))});
  return "<div class=\"beside\"><figure><figcaption id=\"hits\">Share of questions whose duplicate is among "
         "the K "
         "nearest</figcaption><div class=\"chart\" data-hits role=\"img\" "
         "aria-labelledby=\"hits\"></div></figure>" +
         table("Hits@K and DCG@K", {"K", "hits", "DCG"}, rows) + "</div>\n";
}

std::string words(const Json& content) {
  if (content["words"].is_null()) return {};
  const auto listed = [](const Json& list) {
    std::string out;
    for (const auto& word : list)
      out += fmt::format("<li>{} <span class=\"weight\">{:+.2f}</span></li>", text(word[0]),
                         word[1].get<double>());
    return out.empty() ? std::string("none") : "<ul class=\"words\">" + out + "</ul>";
  };
  std::vector<Row> rows;
  bool against = false;
  for (const auto& one : content["words"]) {
    rows.push_back({text(one["label"]), listed(one["words"])});
    if (one.contains("against")) rows.back().push_back(listed(one["against"]));
    against = against || one.contains("against");
  }
  Row head = {"class", "words that speak for it"};
  if (against) head.push_back("against it");
  const auto listing = table("The strongest words, with what each adds to the class’s logit", head, rows,
                             "texts strongest stacked");
  constexpr size_t kMostAtOnce = 12;
  return rows.size() > kMostAtOnce ? details(fmt::format("Of {} classes", rows.size()), listing) : listing;
}

std::string hardest(const Json& content) {
  const Json& evaluation = content["evaluation"];
  if (!evaluation.is_object() || !has(evaluation, "hardest")) return {};
  std::vector<Row> rows;
  const Json& examples = evaluation["hardest"];
  if (examples[0].contains("text")) {
    for (const auto& one : examples)
      rows.push_back({text(one["text"]), text(one["actual"]), text(one["predicted"]),
                      fmt::format("{} {}", text(one["about"]), number(one["probability"]))});
    return table("The wrong answers of which the model is surest",
                 {"text", "actual", "predicted", "probability of"}, rows, "texts examples stacked");
  }
  if (examples[0].contains("question")) {
    for (const auto& one : examples)
      rows.push_back({text(one["question"]),
                      fmt::format("{} ({})", text(one["duplicate"]), number(one["similarity"])),
                      fmt::format("{} ({})", text(one["nearest"]), number(one["nearest_similarity"])),
                      fmt::format("{:g} of {}", one["rank"].get<double>(), number(one["candidates"]))});
    return table("The questions whose duplicate is found the latest, with cosines to the question",
                 {"question", "duplicate", "nearest instead", "rank"}, rows, "texts examples stacked");
  }
  for (const auto& one : examples) rows.push_back({text(one["word"]), number(one["cosine"])});
  return table("The held-out words whose vector is farthest from the one they were to get",
               {"word", "cosine"}, rows);
}

std::string map(const Json& content) {
  const Json& map = content["map"];
  if (map.is_null()) return {};
  std::vector<Row> rows;
  const bool grouped =
      std::ranges::any_of(map["points"], [](const Json& point) { return !point[3].is_null(); });
  for (const auto& point : map["points"]) {
    rows.push_back({text(point[0]), number(point[1]), number(point[2])});
    if (grouped) rows.back().push_back(point[3].is_null() ? "–" : text(point[3]));
  }
  std::set<Json> classes;
  for (const auto& point : map["points"]) classes.insert(point[3]);
  const bool marked = classes.size() <= map["most_shapes"].get<size_t>() + 1;
  Row head = {"name", "x", "y"};
  if (grouped) head.push_back("speaks for");
  const auto of = escape_markup(map["of"].get<std::string>());
  return fmt::format(
             "<p>The first two principal components of the vectors of {} {}, which hold {:.1f} % and "
             "{:.1f} % of "
             "their variance, each drawn by its own scale.{}</p><div class=\"map\" data-map></div>\n",
             map["points"].size(), of, 100 * map["explained"][0].get<double>(),
             100 * map["explained"][1].get<double>(),
             grouped ? marked ? " The shape tells which class a word speaks for most."
                              : " Pointing at a word tells which class it speaks for most."
                     : "") +
         details("The map as a table", table("Points of the map", head, rows));
}

// As a script's text, in which nothing can end it or begin a comment.
std::string script_json(const Json& content) {
  std::string out;
  const auto json = json_line(content);
  for (size_t i = 0; i < json.size(); ++i) {
    const auto rest = std::string_view(json).substr(i);
    if (rest[0] == '<' || rest[0] == '>' || rest[0] == '&') {
      out += fmt::format("\\u{:04x}", rest[0]);
    } else if (rest.starts_with("\u2028") || rest.starts_with("\u2029")) {
      out += rest.starts_with("\u2028") ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += rest[0];
    }
  }
  return out;
}

}  // namespace

std::string report_page(const Json& gathered, std::string_view version) {
  namespace assets = report_assets;
  const Json content = parse_json(json_line(gathered), "report");  // whose texts are well-formed UTF-8
  const auto run = text(content["run"]);
  return fmt::format(
             "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
             "'sha256-{}'; script-src 'sha256-{}' 'sha256-{}'; img-src data:; base-uri 'none'; form-action "
             "'none'\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta "
             "name=\"color-scheme\" content=\"light dark\">\n<title>{}: report</title>\n<style>",
             assets::kStyleHash, assets::kChartScriptHash, assets::kScriptHash,
             escape_markup(content["run"].get<std::string>())) +
         assets::kStyle + "</style></head>\n<body><main>\n" +
         fmt::format(
             "<h1>{}</h1>\n<p class=\"lead\">A <strong>{}</strong> model, checkpoint {}: epoch {}, step "
             "{}.</p>\n",
             run, text(content["task"]), text(content["checkpoint"]), number(content["epoch"]),
             number(content["step"])) +
         left_out(content) +
         all_sections({{"measures", "Measures", measures(content)},
                       {"training", "What was trained", trained(content)},
                       {"curves", "Curves", curves(content)},
                       {"ranking", "Ranking", ranking(content)},
                       {"classes", "Classes", classes(content) + confusion(content) + reliability(content)},
                       {"words", "Strongest words", words(content)},
                       {"hardest", "Hardest examples", hardest(content)},
                       {"map", "Map", map(content)}}) +
         fmt::format(
             "</main>\n<footer><p>Made by semblance {}. The curves are drawn by uPlot 1.6.32, © 2022 Leon "
             "Sorokin, MIT licence, whose text is in this page’s source.</p></footer>\n",
             escape_markup(version)) +
         "<script type=\"application/json\" id=\"report\">" + script_json(content) + "</script>\n<script>" +
         assets::kChartScript + "</script>\n<script>" + assets::kScript + "</script>\n</body></html>\n";
}

}  // namespace semblance
