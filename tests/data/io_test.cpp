#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>

#include "data/error.h"
#include "data/io/atomic_file.h"
#include "data/io/byte_stream.h"
#include "data/io/line_reader.h"
#include "tests/temporary_folder.h"

namespace semblance {
namespace {

std::string gzip(const std::string& text) {
  std::string out(text.size() + 200, '\0');
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct File {
  TemporaryFolder folder;
  std::string path;
  explicit File(const std::string& content) : path((folder / "file").string()) {
    std::ofstream(path, std::ios::binary) << content;
  }
};

std::string read_all(const std::string& path, size_t peeked = 0) {
  ByteStream stream(path);
  if (peeked) stream.peek(peeked);
  std::string text;
  char buffer[7];
  while (const size_t n = stream.read(buffer)) text.append(buffer, n);
  return text;
}

TEST(ByteStream, ReadsPlainAndGzippedFilesAlike) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "line " + std::to_string(i) + "\n";
  EXPECT_EQ(read_all(File(text).path), text);
  EXPECT_EQ(read_all(File(gzip(text)).path), text);
  EXPECT_EQ(read_all(File(gzip("first ") + gzip("second")).path), "first second")
      << "members one after another";
  EXPECT_EQ(read_all(File("").path), "");
  EXPECT_EQ(read_all(File("\x1f").path), "\x1f");
  EXPECT_EQ(read_all(File(gzip(text)).path, 1000), text) << "peeking takes nothing away";
}

TEST(ByteStream, RefusesDamagedGzip) {
  std::string text(10000, 'x');
  text += "tail";
  const auto whole = gzip(text);
  EXPECT_THROW(read_all(File(whole.substr(0, whole.size() - 4)).path), Error);
  EXPECT_THROW(read_all(File(whole + "rest").path), Error);
  auto flipped = whole;
  flipped[whole.size() / 2] ^= 0x10;
  EXPECT_THROW(read_all(File(flipped).path), Error);
}

TEST(ByteStream, NamesWhatCannotBeOpened) {
  const TemporaryFolder folder;
  EXPECT_THROW(ByteStream((folder / "none").string()), Error);
  EXPECT_THROW(ByteStream(folder.path().string()), Error);
}

std::vector<std::string> lines_of(const std::string& text) {
  LineReader reader(ByteStream::from_memory("text", text));
  std::vector<std::string> lines;
  for (std::string_view line; reader.next(line);) lines.emplace_back(line);
  return lines;
}

TEST(LineReader, KnowsEveryEnding) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(lines_of("a\nb\n"), (Lines{"a", "b"}));
  EXPECT_EQ(lines_of("a\r\nb"), (Lines{"a", "b"}));
  EXPECT_EQ(lines_of("a\n\nb\n"), (Lines{"a", "", "b"}));
  EXPECT_EQ(lines_of("\xEF\xBB\xBF"
                     "a\n\xEF\xBB\xBF"),
            (Lines{"a", "\xEF\xBB\xBF"}))
      << "a mark is one at the start only";
  EXPECT_EQ(lines_of("a\u0085b\u2028c\x0b"), (Lines{"a\u0085b\u2028c\x0b"}))
      << "no other character ends a line";
  EXPECT_EQ(lines_of(std::string("a\0b\n", 4)), (Lines{std::string("a\0b", 3)}));
  EXPECT_EQ(lines_of(""), Lines{});
}

TEST(LineReader, TakesLongLinesAndRefusesEndlessOnes) {
  const std::string long_line(10 << 20, 'x');
  EXPECT_EQ(lines_of(long_line + "\nb"), (std::vector<std::string>{long_line, "b"}));
  LineReader reader(ByteStream::from_memory("text", long_line), 1 << 20);
  std::string_view line;
  EXPECT_THROW(reader.next(line), Error);
}

TEST(AtomicFile, ReplacesWholeOrNotAtAll) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "f", "one");
  write_file_atomically(folder / "f", "two");
  EXPECT_EQ(read_all((folder / "f").string()), "two");
  EXPECT_FALSE(std::filesystem::exists(folder / "f.tmp"));
  EXPECT_THROW(write_file_atomically(folder / "none" / "f", "x"), Error);
}

}  // namespace
}  // namespace semblance
