// semblance tokens RUN [FILE|-] [options]
#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"

namespace semblance {

int run_tokens(Arguments arguments) {
  CommandLine line(
      "tokens RUN [FILE|-] [options]",
      "Prints the words that a model sees of each line, parted by blanks: what its own cleaning and cutting "
      "make\nof a text, for programs that have none of their own. A line in is a line out.");
  ServingOptions options;
  line.add_option("Model", "checkpoint", "best|last|NAME", "which checkpoint of the run", options.checkpoint);
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 2);
  const auto opened =
      open_model(given[0], line.last("checkpoint").value_or(options.checkpoint), at::kCPU,
                 "cuts texts into words", print_note, [](const TaskKind& kind) { return kind.tokenizes; });
  const auto& pipeline = dynamic_cast<const Tokenizes&>(*opened.model).pipeline();
  TokenBuffer buffer;
  std::string out;
  for_each_line(given.size() > 1 ? given[1] : "-", [&](std::string_view text, bool may_wait) {
    pipeline.tokenize(text, buffer);
    for (const auto token : buffer.tokens) (out += out.empty() || out.back() == '\n' ? "" : " ") += token;
    out += '\n';
    if (!may_wait && out.size() < size_t{1} << 16) return;
    print_out(out);
    flush_out();
    out.clear();
  });
  print_out(out);
  return 0;
}

}  // namespace semblance
