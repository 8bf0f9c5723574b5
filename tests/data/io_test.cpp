#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "data/error.h"
#include "data/io/array_file.h"
#include "data/io/atomic_file.h"
#include "data/io/byte_stream.h"
#include "data/io/disk_memory.h"
#include "data/io/file_system.h"
#include "data/io/line_reader.h"
#include "data/io/temporary_path.h"
#include "tests/temporary_folder.h"

namespace semblance {
namespace {

namespace fs = std::filesystem;

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

// S11
TEST(FileSystem, GoesOnAfterASignal) {
  struct sigaction noted{}, before{};
  noted.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &noted, &before);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pthread_t reader = ::pthread_self();
  std::thread other([&] {
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ::pthread_kill(reader, SIGUSR1);
    }
    EXPECT_EQ(::write(ends[1], "x", 1), 1);
  });
  char byte = 0;
  EXPECT_EQ(file_system().read(ends[0], &byte, 1), 1);
  other.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  ::close(ends[0]);
  ::close(ends[1]);
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

std::vector<std::string> names_in(const TemporaryFolder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path())) names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

mode_t mode_of(const fs::path& path) {
  struct stat info{};
  ::lstat(path.c_str(), &info);
  return info.st_mode;
}

TEST(AtomicFile, ReplacesWholeOrNotAtAll) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "f", "one");
  write_file_atomically(folder / "f", "two");
  {
    AtomicFile given_up(folder / "f");
    given_up.writer().write("three");
  }
  EXPECT_EQ(read_all((folder / "f").string()), "two");
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"f"});
  EXPECT_THROW(write_file_atomically(folder / "none" / "f", "x"), Error);
  EXPECT_THROW(write_file_atomically(folder.path(), "x"), Error);
  EXPECT_THROW(write_file_atomically("", "x"), Error);
}

TEST(AtomicFile, OfTwoWritersEachHasAFileOfItsOwn) {
  const TemporaryFolder folder;
  AtomicFile first(folder / "f"), second(folder / "f");
  first.writer().write("fir");
  second.writer().write("second");
  first.writer().write("st");
  second.commit();
  EXPECT_EQ(read_all((folder / "f").string()), "second");
  first.commit();
  EXPECT_EQ(read_all((folder / "f").string()), "first") << "the last one's stays";
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"f"});
}

TEST(AtomicFile, KeepsTheModeOfAnEarlierFile) {
  const TemporaryFolder folder;
  write_file_atomically(folder / "f", "one");
  ::chmod((folder / "f").c_str(), 0640);
  {
    AtomicFile file(folder / "f");
    for (const auto& entry : fs::directory_iterator(folder.path()))
      EXPECT_EQ(mode_of(entry.path()) & 0777, 0640u) << "before the first byte";
    file.commit();
  }
  EXPECT_EQ(mode_of(folder / "f") & 0777, 0640u);
}

TEST(AtomicFile, FollowsLinks) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "sub");
  fs::create_symlink("sub/second", folder / "first");
  fs::create_symlink("../file", folder / "sub" / "second");
  for (const char* content : {"made", "replaced"}) {
    write_file_atomically(folder / "first", content);
    EXPECT_EQ(read_all((folder / "file").string()), content);
  }
  EXPECT_TRUE(fs::is_symlink(folder / "first") && fs::is_symlink(folder / "sub" / "second"));
  EXPECT_EQ(names_in(folder), (std::vector<std::string>{"file", "first", "sub"}));
  fs::create_symlink("circle", folder / "circle");
  EXPECT_THROW(write_file_atomically(folder / "circle", "x"), Error);
}

TEST(AtomicFile, AShorterStartMovesTheRestUp) {
  const TemporaryFolder folder;
  AtomicFile file(folder / "f");
  file.writer().write("????1234");
  file.writer().replace_start(4, "0");
  file.commit();
  EXPECT_EQ(read_all((folder / "f").string()), "01234");
}

TEST(AtomicFile, WritesToWhatIsNoFile) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const int reader = ::open((folder / "pipe").c_str(), O_RDONLY | O_NONBLOCK);
  char buffer[16];
  const auto received = [&] {
    const auto n = ::read(reader, buffer, sizeof buffer);
    return std::string(buffer, n > 0 ? static_cast<size_t>(n) : 0);
  };
  AtomicFile whole(folder / "pipe"), streamed(folder / "pipe", Delivery::AsWritten);
  whole.writer().write("?234");
  EXPECT_EQ(received(), "");
  whole.writer().replace_start(1, "1");
  whole.commit();
  EXPECT_EQ(received(), "1234");
  streamed.writer().write("56");
  EXPECT_EQ(received(), "56");
  streamed.commit();
  ::close(reader);
  EXPECT_TRUE(S_ISFIFO(mode_of(folder / "pipe")));
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"pipe"});
}

TEST(AtomicFile, ALinkToAFileWithoutANameLeadsToThatFile) {
  const TemporaryFolder folder;
  const int file = ::open((folder / "f").c_str(), O_RDWR | O_CREAT, 0600);
  fs::remove(folder / "f");
  write_file_atomically(fmt::format("/proc/self/fd/{}", file), "found");
  char buffer[16];
  EXPECT_EQ(::pread(file, buffer, sizeof buffer, 0), 5);
  ::close(file);
  EXPECT_TRUE(names_in(folder).empty());
}

TEST(TemporaryPath, IsRemovedUnlessKept) {
  const TemporaryFolder folder;
  const auto make = [&](const char* name) { return (std::ofstream(folder / name), folder / name); };
  {
    const TemporaryPath removed(make("a"));
    TemporaryPath kept(make("b"));
    kept.keep();
    const TemporaryPath never_made(folder / "c");
  }
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"b"});
  const TemporaryPath live(make("a"));
  remove_temporaries();
  EXPECT_EQ(names_in(folder), std::vector<std::string>{"b"});
}

TEST(TemporaryPath, ManyThreadsHaveManyOfThem) {
  const TemporaryFolder folder;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) write_file_atomically(folder / std::to_string(t), std::to_string(i));
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(names_in(folder), (std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7"}));
}

TEST(TemporaryPath, NamesTellWhatTheyAreFor) {
  const auto name = temporary_name("LAST");
  EXPECT_TRUE(is_temporary_name(name, "LAST")) << name;
  EXPECT_NE(temporary_name("LAST"), name);
  EXPECT_FALSE(is_temporary_name(name, "BEST"));
  EXPECT_LE(temporary_name(std::string(255, 'x')).size(), 255u);
  for (const char* other : {"LAST", "LAST.tmp", "LAST.semblance-12345.tmp", "LAST.semblance-12345_.tmp",
                            "LAST.semblance-1234567.tmp", "LAST.semblance-123456.txt"})
    EXPECT_FALSE(is_temporary_name(other, "LAST")) << other;
}

TEST(ArrayFile, GivesBackWhatWasAdded) {
  const TemporaryFolder folder;
  const auto path = folder / "numbers";
  const std::vector<int64_t> numbers = {1, -2, int64_t{1} << 40};
  ArrayFileWriter writer(path);
  writer.add("numbers", std::span(numbers));
  writer.add("none", std::span<const float>());
  writer.add_bytes("text", "some bytes");
  EXPECT_FALSE(fs::exists(path)) << "before it is whole";
  writer.finish({{"made", "here"}});

  std::string why;
  const auto file = ArrayFile::open(path, why);
  ASSERT_TRUE(file) << why;
  EXPECT_EQ(file->notes(), (Json{{"made", "here"}}));
  EXPECT_TRUE(std::ranges::equal(file->array<int64_t>("numbers"), numbers));
  EXPECT_TRUE(file->array<float>("none").empty());
  EXPECT_EQ(file->bytes("text"), "some bytes");
  EXPECT_FALSE(file->has("others"));
  EXPECT_THROW(file->array<int64_t>("text"), Error) << "which is no multiple of 8 bytes";
}

TEST(ArrayFile, TellsOfEveryChangedByte) {
  const TemporaryFolder folder;
  const auto path = folder / "numbers";
  const std::vector<int64_t> numbers = {1, 2, 3, 4,
                                        5, 6, 7, 8};  // no bytes between arrays, which nothing reads
  ArrayFileWriter writer(path);
  writer.add("numbers", std::span(numbers));
  writer.finish({{"made", "here"}});
  const auto whole = read_all(path);
  std::string why;
  ASSERT_TRUE(ArrayFile::open(path, why));
  for (size_t size = 0; size < whole.size(); ++size) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, size);
    EXPECT_FALSE(ArrayFile::open(path, why)) << size;
  }
  for (size_t at = 64; at < whole.size(); ++at) {  // nothing hangs on the first 64
    auto damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    std::ofstream(path, std::ios::binary) << damaged;
    EXPECT_FALSE(ArrayFile::open(path, why)) << at;
  }
}

TEST(DiskMemory, HoldsWhatIsLargerThanWhatStaysInMemory) {
  const TemporaryFolder folder;
  DiskMemory memory(folder.path());
  {
    const DiskMemory::Use use(memory);
    Bulk<int64_t> numbers;
    constexpr int64_t kMany = 5 * static_cast<int64_t>(WatchedPages::kMostResident / sizeof(int64_t)) / 4;
    numbers.reserve(kMany);
    for (int64_t i = 0; i < kMany; ++i) numbers.push_back(i * i);
    int64_t wrong = 0;
    for (int64_t i = 0; i < kMany; ++i) wrong += numbers[static_cast<size_t>(i)] != i * i;
    EXPECT_EQ(wrong, 0);
    EXPECT_TRUE(fs::is_empty(folder.path())) << "files without names";
  }
  EXPECT_FALSE(Bulk<int64_t>().get_allocator().resource()->is_equal(memory));
}

TEST(DiskMemory, AFolderThatTakesNoFileIsAnError) {
  DiskMemory memory("/proc");
  const DiskMemory::Use use(memory);
  EXPECT_THROW(Bulk<char>(DiskMemory::kLeast), Error);
  EXPECT_NO_THROW(Bulk<char>(DiskMemory::kLeast - 1)) << "on the heap";
}

}  // namespace
}  // namespace semblance
