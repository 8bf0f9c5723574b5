"""What --output names: replaced whole or not at all where it is a file, written to where it is anything else."""

import os
import pathlib
import signal
import stat
import subprocess
import threading
import time

import pytest
from conftest import BIN, ROOT, sanitized_by, semblance

USAGE, MODEL = 2, 4

WORDS = ROOT / "tests/fixtures/words.vec"
CONVERT = ("vectors", "convert", WORDS, "--format", "word2vec", "--output")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outputs") / "run"
    semblance("train", "trigram", "--vectors", WORDS, "--run", folder, "--epochs", "1")
    return folder


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """What CONVERT writes."""
    path = tmp_path_factory.mktemp("outputs") / "vectors"
    semblance(*CONVERT, path)
    return path.read_bytes()


def start(*arguments, **options):
    return subprocess.Popen([str(BIN / "semblance"), *map(str, arguments)], stderr=subprocess.PIPE, **options)


def wait_for(happened):
    for _ in range(2000):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen within 20 s")


# Standard output


@pytest.mark.parametrize("form", ["word2vec", "mapped", "jsonl"])
def test_a_dash_is_standard_output(form, run, tmp_path):
    encode = [str(BIN / "semblance"), "encode", str(run), "--output-format", form]
    printed = subprocess.check_output(encode, input=b"noemia\nmia\n")
    assert subprocess.check_output([*encode, "--output", "-"], input=b"noemia\nmia\n", cwd=tmp_path) == printed
    assert not list(tmp_path.iterdir()), "no file is named -"


def test_converted_vectors_go_to_standard_output_alone(converted, tmp_path):
    program = start(*CONVERT, "-", stdout=subprocess.PIPE, cwd=tmp_path)
    assert program.communicate()[0] == converted and program.returncode == 0
    assert not list(tmp_path.iterdir())
    result = semblance(*CONVERT, "-", "--json", check=False)
    assert result.code == USAGE and result.out == "" and "--json" in result.error


def test_standard_output_that_is_full(run):
    for form in ("word2vec", "jsonl"):
        with open("/dev/full", "w") as full:
            program = start("encode", run, "--output-format", form, "--output", "-", stdin=subprocess.PIPE, stdout=full)
        error = program.communicate(b"noemia\n")[1]
        assert program.returncode == 1 and error.startswith(b"semblance: error: standard output cannot be written: ")


@pytest.mark.parametrize("form", ["word2vec", "jsonl"])
def test_a_reader_that_has_left(form, run, tmp_path):
    """Of standard output: the program ends by SIGPIPE, as others do. Of a named pipe: that is an error, the pipe stays."""
    def encode(*output):
        return start("encode", run, "--output-format", form, *output, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    program = encode()
    program.stdout.close()
    assert program.communicate(b"noemia\n")[1] == b"" and program.returncode == -signal.SIGPIPE
    os.mkfifo(tmp_path / "pipe")
    program = encode("--output", tmp_path / "pipe")
    open(tmp_path / "pipe").close()
    error = program.communicate(b"noemia\n")[1]
    assert program.returncode == MODEL and b"pipe: cannot be written: Broken pipe" in error
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode)


# What is no regular file


@pytest.mark.parametrize("form", ["word2vec", "mapped", "jsonl"])
def test_a_named_pipe_is_written_to_and_stays(form, run, tmp_path):
    fifo, received = tmp_path / "pipe", []
    os.mkfifo(fifo)
    reader = threading.Thread(target=lambda: received.append(fifo.read_bytes()), daemon=True)
    reader.start()
    semblance("encode", run, "--output-format", form, "--output", fifo, input="noemia\n")
    reader.join(timeout=20)
    semblance("encode", run, "--output-format", form, "--output", tmp_path / "file", input="noemia\n")
    assert received == [(tmp_path / "file").read_bytes()]
    assert stat.S_ISFIFO(fifo.lstat().st_mode)


def test_a_line_is_in_the_pipe_as_soon_as_it_was_made(run, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    program = start("encode", run, "--output-format", "jsonl", "--output", tmp_path / "pipe", stdin=subprocess.PIPE)
    with open(tmp_path / "pipe") as pipe:
        for word in ("noemia", "mia"):
            program.stdin.write(word.encode() + b"\n")
            program.stdin.flush()
            assert f'"word":"{word}"' in pipe.readline()
    program.communicate()


def device(path, minor):
    """A node of its own for /dev/null (3) or /dev/full (7): the system's are not to be played with."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        os.close(os.open(path, os.O_WRONLY))
    except PermissionError:
        pytest.skip("device nodes can be neither made nor used here")
    return path


def test_a_device_stays_a_device(run, tmp_path):
    null = device(tmp_path / "null", 3)
    (tmp_path / "link").symlink_to("null")
    semblance(*CONVERT, tmp_path / "link")
    semblance("encode", run, "--output-format", "jsonl", "--output", null, input="noemia\n")
    assert stat.S_ISCHR(null.lstat().st_mode)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "null"]


def test_a_device_that_takes_nothing_is_an_error(tmp_path):
    full = device(tmp_path / "full", 7)
    result = semblance(*CONVERT, full, check=False)
    assert result.code == MODEL and f"{full}: cannot be written" in result.error
    assert stat.S_ISCHR(full.lstat().st_mode)


def test_a_folder_is_refused(tmp_path):
    for name in (tmp_path, f"{tmp_path}/"):
        result = semblance(*CONVERT, name, check=False)
        assert result.code == MODEL and "found a folder" in result.error
    assert not list(tmp_path.iterdir())


# Links


def test_a_link_is_followed_and_stays(converted, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("earlier")
    (tmp_path / "second").symlink_to("folder/file")
    (tmp_path / "first").symlink_to("second")
    semblance(*CONVERT, tmp_path / "first")
    assert os.readlink(tmp_path / "first") == "second" and os.readlink(tmp_path / "second") == "folder/file"
    assert (tmp_path / "folder/file").read_bytes() == converted and not (tmp_path / "folder/file").is_symlink()
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["file"]


def test_a_link_to_nothing_makes_the_file(converted, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    semblance(*CONVERT, tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_bytes() == converted


def test_a_circle_of_links_is_an_error(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    result = semblance(*CONVERT, tmp_path / "a", check=False)
    assert result.code == MODEL and "symbolic links" in result.error
    assert (tmp_path / "a").is_symlink() and (tmp_path / "b").is_symlink()


# Files


@pytest.mark.parametrize("mode", [0o640, 0o444])
def test_the_mode_of_an_earlier_file_is_kept(mode, converted, tmp_path):
    (tmp_path / "out").write_text("earlier")
    (tmp_path / "out").chmod(mode)
    semblance(*CONVERT, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == converted
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == mode


@pytest.mark.parametrize("umask", [0o077, 0o002])
def test_a_new_file_has_the_mode_that_the_umask_says(umask, tmp_path):
    semblance(*CONVERT, tmp_path / "out", umask=umask)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o666 & ~umask


def test_the_owner_of_an_earlier_file_is_kept(tmp_path):
    (tmp_path / "out").write_text("earlier")
    try:
        os.chown(tmp_path / "out", 12345, 23456)
    except PermissionError:
        pytest.skip("files cannot be given away here")
    semblance(*CONVERT, tmp_path / "out")
    found = (tmp_path / "out").stat()
    assert (found.st_uid, found.st_gid) == (12345, 23456)


def test_a_file_that_happens_to_be_named_tmp_is_left_alone(converted, tmp_path):
    (tmp_path / "a.tmp").write_text("mine")
    (tmp_path / "treasure").write_text("mine")
    (tmp_path / "b.tmp").symlink_to("treasure")
    for name in ("a", "b"):
        semblance(*CONVERT, tmp_path / name)
        assert (tmp_path / name).read_bytes() == converted
    assert (tmp_path / "a.tmp").read_text() == "mine" and (tmp_path / "treasure").read_text() == "mine"
    assert os.readlink(tmp_path / "b.tmp") == "treasure"
    assert len(list(tmp_path.iterdir())) == 5


def test_a_name_as_long_as_names_may_be(converted, tmp_path):
    semblance(*CONVERT, tmp_path / ("x" * 255))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [converted]


def test_of_two_writers_at_once_one_is_there_whole(tmp_path):
    """Both are in the midst of their writing when either goes on; whichever ends last is there."""
    output = tmp_path / "folder" / "out"
    output.parent.mkdir()

    def rows(name):
        return [f"{name}{i}" + f" {ord(name)}.5" * 60 + "\n" for i in range(8000)]  # several times what is buffered

    def begin(name):
        program = start("vectors", "convert", "-", "--format", "word2vec", "--output", output, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        return program, rows(name)

    def feed(program, lines):
        program.stdin.write("".join(lines).encode())
        program.stdin.flush()

    for trial in range(3):
        first, second = (begin(name) for name in ("ab" if trial % 2 else "ba"))
        for program, lines in (first, second):
            feed(program, lines[:4000])
        for program, lines in (first, second):
            feed(program, lines[4000:])
        for program, _ in (first, second):
            program.stdin.close()
        for program, _ in (first, second):
            assert program.wait(timeout=60) == 0, program.stderr.read()
        header, *found = output.read_text().splitlines(keepends=True)
        assert header.split() == ["8000", "60"] and found in (rows("a"), rows("b"))
        assert [path.name for path in output.parent.iterdir()] == ["out"]


# Signals


@pytest.mark.skipif(sanitized_by("tsan"), reason="ThreadSanitizer hands on no signal while the program waits in read()")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("form", ["word2vec", "mapped", "jsonl"])
def test_a_signal_in_the_midst_of_writing_leaves_nothing(form, number, run, tmp_path):
    (tmp_path / "out").write_text("earlier")
    program = start("encode", run, "--output-format", form, "--output", tmp_path / "out", stdin=subprocess.PIPE)
    wait_for(lambda: len(list(tmp_path.iterdir())) == 2)
    (temporary,) = (path.name for path in tmp_path.iterdir() if path.name != "out")
    assert temporary.startswith("out.semblance-") and temporary.endswith(".tmp")
    program.send_signal(number)
    assert program.wait(timeout=20) == 128 + number
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and (tmp_path / "out").read_text() == "earlier"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_was_ignored_stays_ignored(number, run, tmp_path):
    """As under nohup, or in the background of a shell script."""
    program = start("encode", run, "--output", tmp_path / "out", stdin=subprocess.PIPE, preexec_fn=lambda: signal.signal(number, signal.SIG_IGN))
    wait_for(lambda: list(tmp_path.iterdir()))
    program.send_signal(number)
    program.communicate(b"noemia\n")
    assert program.returncode == 0 and (tmp_path / "out").stat().st_size > 0


def test_what_goes_through_a_spool_leaves_none(run, tmp_path):
    """Not even where the process is killed: the spool has no name."""
    program = start("encode", run, "--output-format", "mapped", stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | {"TMPDIR": str(tmp_path)})
    wait_for(lambda: any("spool" in os.readlink(link) for link in pathlib.Path(f"/proc/{program.pid}/fd").iterdir() if os.path.islink(link)))
    assert not list(tmp_path.iterdir())
    program.kill()
    program.communicate()


# Run folders


TRAIN = ("train", "trigram", "--vectors", WORDS, "--epochs", "2", "--run")
FOREIGN = ("notes.tmp", "drafts.tmp/draft", "step-by-step.txt", "events.out.tfevents.1700000000.host.1", "LAST.tmp")


def add_foreign(folder):
    for name in FOREIGN:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("mine")


def assert_foreign_there(folder):
    for name in FOREIGN:
        assert (folder / name).read_text() == "mine", name


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_a_folder_of_somebodys_files_is_refused(overwrite, tmp_path):
    folder = tmp_path / "folder"
    for name in ("metrics.tsv", "BEST"):
        add_foreign(folder)
        (folder / name).write_text("mine too")
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        result = semblance(*TRAIN, folder, *overwrite, check=False)
        assert result.code == USAGE and "--run: expected a run or an empty folder" in result.error and str(folder) in result.error
        assert semblance("resume", folder, check=False).code == MODEL
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_somebodys_files_in_a_run_stay(tmp_path):
    folder = tmp_path / "run"
    semblance(*TRAIN, folder)
    add_foreign(folder)
    semblance(*TRAIN, folder, "--overwrite", "--keep-last", "1", "--epochs", "3")
    assert_foreign_there(folder)
    assert len(list(folder.glob("events.out.tfevents.*.semblance"))) == 1
    semblance("resume", folder, "--epochs", "5")
    assert_foreign_there(folder)
    assert not list(folder.glob("*semblance-*.tmp"))


def test_a_first_write_that_fails_leaves_nothing(tmp_path):
    result = semblance(*TRAIN, tmp_path / "run", limit="-f 0", check=False)
    assert result.code == MODEL and "job.toml: cannot be written" in result.error
    assert not list((tmp_path / "run").iterdir())
