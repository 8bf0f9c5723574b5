"""Standard streams that are closed, full, or whose reader has left: results that cannot be written are an error with
exit code 1; notes that cannot be written are lost and change nothing."""

import os
import shutil
import subprocess

import pytest
from conftest import BIN, QUICK, semblance


def redirected(redirection, *arguments, input=""):
    """Runs the program with its streams as a shell sets them, such as "2>&-"; returns exit code, stdout and stderr."""
    command = ["bash", "-c", f'exec "$@" {redirection}', "-", str(BIN / "semblance"), *map(str, arguments)]
    completed = subprocess.run(command, input=input, capture_output=True, text=True, timeout=60)
    return completed.returncode, completed.stdout, completed.stderr


def content(run):
    """All that a run wrote, but for TensorBoard's events, which hold the time of day."""
    return {str(p.relative_to(run)): p.read_bytes() for p in sorted(run.rglob("*")) if p.is_file() and "tfevents" not in p.name}


# Of a verb that prints results and notes.
CODES = {
    "2>/dev/full": 0,
    "2>&-": 0,
    ">/dev/full": 1,
    ">&-": 1,
    ">&- 2>&-": 1,
    "<&-": 0,
    "<&- >&- 2>&-": 1,
}


@pytest.mark.parametrize("redirection", CODES)
def test_training_ends_whole(redirection, opinions, trained, tmp_path):
    code, _, err = redirected(redirection, "train", "sentiment", "--train", opinions, "--run", tmp_path / "r", *QUICK)
    assert code == CODES[redirection]
    assert content(tmp_path / "r") == content(trained)
    if redirection in (">/dev/full", ">&-"):
        assert err.splitlines()[-1].startswith("semblance: error: standard output cannot be written: ")


@pytest.fixture(scope="module")
def resumed(opinions, tmp_path_factory):
    """A run of half the epochs, and what an undisturbed resume makes of it."""
    folder = tmp_path_factory.mktemp("resumed")
    semblance("train", "sentiment", "--train", opinions, "--run", folder / "half", *QUICK, "--epochs", "3")
    shutil.copytree(folder / "half", folder / "whole")
    semblance("resume", folder / "whole", "--epochs", "6")
    return folder


@pytest.mark.parametrize("redirection", ["2>/dev/full", "<&- >&- 2>&-"])
def test_resuming_ends_whole(redirection, resumed, tmp_path):
    shutil.copytree(resumed / "half", tmp_path / "r")
    assert redirected(redirection, "resume", tmp_path / "r", "--epochs", "6")[0] == CODES[redirection]
    assert content(tmp_path / "r") == content(resumed / "whole")


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["train", "sentiment", "--help"], ["vectors", "--help"], ["vectors", "info", "--help"], ["version"]], ids=" ".join)
def test_help_and_version_that_cannot_be_printed(arguments):
    for redirection in (">/dev/full", ">&-"):
        code, _, err = redirected(redirection, *arguments)
        assert code == 1
        assert len(err.splitlines()) == 1 and "standard output cannot be written" in err


@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", ">/dev/full"])
def test_verbs_that_serve(redirection, trained, tmp_path):
    words = tmp_path / "words.vec"
    words.write_text("3 2\na 1 0\nb 1 1\nc 0 1\n")
    # The first two have notes to give: of a text without known words, of the file's layout.
    for arguments in (["predict", trained], ["vectors", "neighbors", words, "a"], ["inspect", trained]):
        code, out, _ = redirected(redirection, *arguments, input="zzz\nqqq\n")
        assert code == CODES[redirection]
        assert (out != "") == (code == 0)


def test_errors_keep_their_exit_codes(tmp_path):
    for redirection in ("2>/dev/full", "<&- >&- 2>&-"):
        assert redirected(redirection, "fly")[0] == 2
        assert redirected(redirection, "vectors", "info", tmp_path / "none")[0] == 3


def test_a_file_never_stands_in_for_a_closed_stream(trained, tmp_path):
    """The first file that is opened would get number 0, and be read as standard input."""
    code, out, err = redirected("<&-", "predict", trained)
    assert code == 3 and out == "" and "cannot be read" in err
    texts = tmp_path / "texts"
    texts.write_text("loved the film\n")
    assert redirected("<&-", "predict", trained, texts)[:2] == (0, semblance("predict", trained, texts).out)
    # A table of vectors goes to its file, notes and results to no file at all.
    words = tmp_path / "words.vec"
    words.write_text("1 2\na 1 0\n")
    code, _, _ = redirected(">&- 2>&-", "vectors", "convert", words, "--format", "word2vec", "--output", tmp_path / "copy")
    assert code == 1 and (tmp_path / "copy").read_text() == "1 2\na 1 0\n"


def test_a_reader_that_leaves(opinions, trained, tmp_path):
    """Of notes: training goes on. Of results: the program ends as others do, by SIGPIPE."""
    def into_closed_pipe(stream, *arguments):
        reading, writing = os.pipe()
        os.close(reading)
        others = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        code = subprocess.run([BIN / "semblance", *arguments], **(others | {stream: writing}), timeout=60).returncode
        os.close(writing)
        return code

    assert into_closed_pipe("stderr", "train", "sentiment", "--train", opinions, "--run", tmp_path / "r", *QUICK) == 0
    assert content(tmp_path / "r") == content(trained)
    assert into_closed_pipe("stdout", "version") == -13
