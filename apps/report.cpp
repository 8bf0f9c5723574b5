// semblance report RUN --output FILE.html [options]
#include <algorithm>

#include "apps/output.h"
#include "apps/serving.h"
#include "apps/verbs.h"
#include "data/io/atomic_file.h"
#include "training/report/content.h"
#include "training/report/page.h"

namespace semblance {

int run_report(Arguments arguments) {
  CommandLine line(
      "report RUN --output FILE.html [options]",
      "Writes a page about a run that needs nothing beside itself: what was trained on what, curves, "
      "measures\n"
      "and examples, of the data that training held out, where that is still there, or of --data; and a map "
      "of\nwords.");
  line.add_option("Output", "output", "FILE|-", "where to write the page; a file is replaced in one step");
  line.add_option("Data", "data", "FILE",
                  "measure the model on this file, as evaluate does; may be given several times");
  add_serving_options(line);
  add_evaluation_options(line);
  if (!line.parse(arguments)) return 0;
  const auto& given = line.positional(1, 1);
  const auto output = output_file(line);
  const auto data = line.all("data");
  auto opened = open_served(line, given[0], "can be reported on", [](const TaskKind&) { return true; });
  apply_evaluation_options(line, opened, !data.empty());
  AtomicFile file(output);
  const auto page = report_page(report_content(opened, data, print_note), SEMBLANCE_VERSION);
  file.writer().write(page);
  file.commit();
  if (output == "-") return 0;
  const Json report = {{"output", output},
                       {"bytes", page.size()},
                       {"run", opened.location.run.string()},
                       {"checkpoint", opened.location.name}};
  print_out(line.given("json") ? json_line(report) + "\n" : metrics_table(report));
  return 0;
}

}  // namespace semblance
