#include "data/io/container.h"

#include "data/error.h"

namespace semblance {
namespace {

using namespace std::string_view_literals;

struct Container {
  std::string_view magic, name, remedy;
};

constexpr std::string_view kSpreadsheet =
    "write what is in it as CSV or JSON lines, as pandas' to_csv(index=False) does";

constexpr Container kContainers[] = {
    {"PK\x03\x04"sv, "a zip archive or a spreadsheet", "unpack it with unzip, or save its sheet as CSV"},
    {"PK\x05\x06"sv, "an empty zip archive", "look for the file itself"},
    {"BZh"sv, "a bzip2 file", "unpack it: bzcat FILE > TEXT"},
    {"\xFD\x37zXZ\x00"sv, "an xz file", "unpack it: xzcat FILE > TEXT"},
    {"\x28\xB5\x2F\xFD"sv, "a zstd file", "unpack it: zstdcat FILE > TEXT"},
    {"\x04\x22\x4D\x18"sv, "an lz4 file", "unpack it: lz4cat FILE > TEXT"},
    {"7z\xBC\xAF\x27\x1C"sv, "a 7-Zip archive", "unpack it with 7z x"},
    {"Rar!\x1A\x07"sv, "a RAR archive", "unpack it with unrar x"},
    {"PAR1"sv, "a parquet file", kSpreadsheet},
    {"ORC\x01"sv, "an ORC file", kSpreadsheet},
    {"ARROW1"sv, "an Arrow file", kSpreadsheet},
    {"FEA1"sv, "a feather file", kSpreadsheet},
    {"Obj\x01"sv, "an Avro file", kSpreadsheet},
    {"\x89HDF\r\n\x1A\n"sv, "an HDF5 file", kSpreadsheet},
    {"SQLite format 3\x00"sv, "an SQLite database", "write the table as CSV: sqlite3 -csv -header"},
    {"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"sv, "an Excel or Word file", "save its sheet as CSV"},
    {"%PDF-"sv, "a PDF file", "write its text out: pdftotext FILE"},
};

}  // namespace

bool may_become_container(std::string_view head) {
  for (const auto& container : kContainers)
    if (head.size() < container.magic.size() && container.magic.starts_with(head)) return true;
  return false;
}

void refuse_container(std::string_view head, const std::string& file) {
  for (const auto& container : kContainers) {
    if (!head.starts_with(container.magic)) continue;
    // "BZh" alone could begin a text.
    if (container.magic == "BZh" && (head.size() < 10 || head.substr(4, 6) != "1AY&SY")) continue;
    throw Error(ErrorKind::Data, "{}: expected text, plain or gzipped, found {}; {}", file, container.name,
                container.remedy);
  }
}

}  // namespace semblance
