"""Reading a file takes a few times its size, and where there is no memory the program says so in one line."""

import pathlib
import resource
import subprocess
import sys
import time

import pytest
from conftest import BIN, sanitized_by, semblance

pytestmark = pytest.mark.skipif(sanitized_by("asan", "tsan"), reason="a sanitizer takes memory of its own")

MB = 10**6
SIZE = 30 * MB
INTERNAL, USAGE = 1, 2

ONE_EPOCH = ["--dim", 2, "--max-words", 1000, "--epochs", 1, "--threads", 2, "--no-tensorboard", "--overwrite"]


def words(i, count):
    """Always others, of some 30,000, which costs no time."""
    return " ".join(f"word{(i * 7919 + j * j * 31) % 30011}" for j in range(count))


def repeated(size, lines):
    """`lines`, a format each that takes the number of the line, until they come to `size` bytes."""
    text = "".join(lines)
    times = -(-size // len(text))
    return "".join(line.replace("#", str(i)) for i in range(times) for line in lines)


def labelled_texts(size):
    return repeated(size, [f"{'good' if i % 3 else 'bad'}\t{words(i, 12)} id#\n" for i in range(500)])


def pairs(size):
    return repeated(size, [f"{words(i, 8)} {i} #\t{words(i + 1, 8)} # {i}\n" for i in range(500)])


def vectors(size):
    rows = [" ".join(f"{(i * 77 + j * 13) % 199 / 100 - 1:.5f}" for j in range(50)) + "\n" for i in range(500)]
    return repeated(size, [f"word#of{i} {row}" for i, row in enumerate(rows)])


# The reading of each takes so many times the file, at most: what docs/reliability.md promises.
JOBS = {
    "labelled texts": (labelled_texts, 2, ["train", "sentiment", "--hidden", 2, "--batch-size", 4096, *ONE_EPOCH, "--train"]),
    "pairs": (pairs, 3, ["train", "dssm", "--batch-size", 1024, "--negatives", 10, *ONE_EPOCH, "--train"]),
    "vectors": (vectors, 1.5, ["vectors", "info", "--threads", 2]),
    "running text": (labelled_texts, 0.5, ["train", "word2vec", *ONE_EPOCH, "--corpus"]),
}


@pytest.fixture(scope="module", params=JOBS)
def job(request, tmp_path_factory):
    """The most times that reading may take, and the command for the large file and for a small one."""
    make, times, command = JOBS[request.param]
    folder = tmp_path_factory.mktemp("memory")
    (folder / "large").write_text(make(SIZE))
    (folder / "small").write_text(make(1))
    run = ["--run", folder / "run"] if command[0] == "train" else []
    yield times, [*command, folder / "large", *run], [*command, folder / "small", *run]
    (folder / "large").unlink()


def peak(command):
    """Bytes of memory that the program holds at most. Of a process that has no other child."""
    script = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, capture_output=True); print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    command = [sys.executable, "-c", script, BIN / "semblance", *map(str, command)]
    return 1024 * int(subprocess.run(command, check=True, capture_output=True).stdout)


def limited(command, size):
    """With so much memory to write to. Address space would say little: LibTorch maps much that it does not use."""
    return semblance(*command, check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (size, size)))


@pytest.fixture(scope="module")
def least():
    """What the program needs for next to nothing."""
    fails, works = 8 * MB, 4096 * MB
    while works - fails > 4 * MB:
        middle = (fails + works) // 2
        if limited(["--version"], middle).code == 0:
            works = middle
        else:
            fails = middle
    return works


def test_reading_takes_a_few_times_the_file(job):
    times, large, small = job
    taken = (peak(large) - peak(small)) / SIZE
    print(f"{taken:.2f} times the file")
    assert taken < times


def own_memory(command):
    """Bytes that the program holds at most which are no file's: the system can take those back at any time."""
    most = 0
    with subprocess.Popen([BIN / "semblance", *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            most = max(most, *(1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon")), 0)
            time.sleep(0.01)
    assert process.returncode == 0
    return most


def test_with_a_cache_it_takes_so_much_whatever_the_file(tmp_path):
    """Arrays of 32 MB and more lie on the disk; those below come to a few hundred MB at most."""
    make, _, command = JOBS["labelled texts"]
    (tmp_path / "texts").write_text(make(6 * SIZE))
    command = [*command[:-1], "--split", "0.99,0.01,0", "--cache", tmp_path / "cache", "--run", tmp_path / "run", "--train", tmp_path / "texts"]
    made, found = own_memory(command), own_memory(command)
    print(f"made {made / MB:.0f} MB, found {found / MB:.0f} MB")
    assert made < 450 * MB
    assert found < 200 * MB


def test_without_memory_it_ends_with_one_line(job, least):
    times, large, _ = job
    if times < 1:
        pytest.skip("it is read block by block, and fits")
    for more in (0.1 * times, 0.2 * times, 0.3 * times):
        result = limited(large, int(least + more * SIZE))
        assert "memory" in result.error
        # In training there is something that can be done about it.
        assert result.code == INTERNAL or (result.code == USAGE and "--batch-size" in result.error)
