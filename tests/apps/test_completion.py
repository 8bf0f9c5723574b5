"""The shells complete commands, each a real one that reads what the program printed; man shows the manual page."""

import os
import pty
import re
import select
import shutil
import subprocess
import time

import pytest
from conftest import semblance


@pytest.fixture(scope="session")
def scripts(tmp_path_factory):
    """A folder with what `semblance completion` prints for each shell."""
    folder = tmp_path_factory.mktemp("completion")
    for shell in ("bash", "zsh", "fish"):
        (folder / shell).write_text(semblance("completion", shell).out)
    return folder


@pytest.fixture
def folder(tmp_path):
    """Where commands are typed: a file with a blank in its name and a run in checkpoints/."""
    (tmp_path / "checkpoints" / "reviews-1").mkdir(parents=True)
    (tmp_path / "my texts.csv").touch()
    return tmp_path


def bash(scripts, folder, line):
    # Cut as readline does: = is a word of its own.
    words = [word for part in line.split(" ") for word in re.findall(r"=|[^=]+", part) or [""]]
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _semblance; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "--norc", "-c", script, "-", scripts / "bash", *words], cwd=folder, capture_output=True, text=True, check=True)
    assert not done.stderr
    return set(done.stdout.split("\n")) - {""}


def fish(scripts, folder, line):
    command = ["fish", "--no-config", "-c", 'source $argv[1]; complete -C $argv[2]', scripts / "fish", line]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, env={**os.environ, "HOME": str(folder)})
    assert not done.stderr
    return {candidate.split("\t")[0] for candidate in done.stdout.splitlines()}


# compadd is what all of zsh's completion ends in; with -O, -A or -D it adds nothing.
ZSHRC = r'''
autoload -Uz compinit; compinit -u -D; source SCRIPT
compadd() {
  if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
    local -a found; builtin compadd -A found "$@"; print -rl -- $found >>$ZDOTDIR/found
  fi
  builtin compadd "$@"
}
end-of-test() { print end-of-test >>$ZDOTDIR/found }
zle -N end-of-test; bindkey '^X' end-of-test; bindkey '^I' list-choices
PS1='ready> '
'''


def zsh(scripts, folder, line):
    """Types the line, a TAB and what ends the test into an interactive zsh, which notes what its completion finds."""
    (folder / ".zshrc").write_text(ZSHRC.replace("SCRIPT", str(scripts / "zsh")))
    (folder / "found").unlink(missing_ok=True)
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.environ.update(ZDOTDIR=str(folder), TERM="dumb", LC_ALL="C.UTF-8", LISTMAX="0")
        os.execvp("zsh", ["zsh", "-i"])
    found, seen, sent, end = folder / "found", b"", False, time.monotonic() + 30
    try:
        while not (found.exists() and "end-of-test" in found.read_text()):
            assert time.monotonic() < end, seen
            if select.select([terminal], [], [], 0.05)[0]:
                seen += os.read(terminal, 65536)
            if not sent and b"ready> " in seen:
                os.write(terminal, line.encode() + b"\t\x18")
                sent = True
    finally:
        os.kill(process, 9)
        os.waitpid(process, 0)
        os.close(terminal)
    return {candidate for candidate in found.read_text().splitlines() if candidate not in ("", "end-of-test")}


@pytest.fixture(params=[bash, zsh, fish], ids=lambda complete: complete.__name__)
def complete(request, scripts, folder):
    """complete(line): what may stand in place of the last word of the line."""
    if not shutil.which(request.param.__name__):
        pytest.skip(f"{request.param.__name__} is not installed")
    return lambda line: request.param(scripts, folder, line)


def test_verbs(complete):
    listed = set(re.findall(r"^  ([a-z]+) ", semblance("--help").out, re.MULTILINE))
    assert complete("semblance ") == listed
    assert complete("semblance ver") == {"version"}


def test_words_behind_a_verb(complete):
    assert {"sentiment", "trigram", "dssm", "word2vec"} <= complete("semblance train ")
    assert complete("semblance tune sent") == {"sentiment"}
    assert {"neighbors", "odd-one-out", "convert"} <= complete("semblance vectors ")
    assert complete("semblance completion ") == {"bash", "zsh", "fish"}


def test_options_are_those_of_the_command(complete):
    assert {"--epochs", "--pooling", "--freeze", "--no-freeze"} <= {o.rstrip("=") for o in complete("semblance train sentiment --")}
    window = {o.rstrip("=") for o in complete("semblance train word2vec --win")}
    assert window == {"--window"}
    assert not complete("semblance train sentiment --win")
    assert {o.rstrip("=") for o in complete("semblance tune dssm --budg")} == {"--budget"}
    # All three command lines of evaluate; a job file in place of the task.
    assert {"--checkpoint", "--tfidf", "--fitted-on"} <= {o.rstrip("=") for o in complete("semblance evaluate --")}
    assert {o.rstrip("=") for o in complete("semblance train --conf")} == {"--config"}


def test_values(complete):
    assert complete("semblance train sentiment --model ") == {"mlp", "mean", "flat", "linear"}
    assert complete("semblance train word2vec --model ") == {"skipgram", "cbow"}
    assert complete("semblance predict checkpoints/reviews-1 --device ") == {"auto", "cpu", "cuda"}
    assert not complete("semblance train sentiment --epochs ")
    assert {"none", "en", "ru"} <= complete("semblance train sentiment --stopwords ")


def test_values_behind_an_equals_sign(complete):
    assert {word.split("=")[-1] for word in complete("semblance train word2vec --model=skip")} == {"skipgram"}


def test_files_and_runs(complete):
    assert "my texts.csv" in {word.replace("\\", "") for word in complete("semblance train sentiment --train ")}
    assert "reviews-1" in {word.rstrip("/") for word in complete("semblance predict ")}
    assert "reviews-1" in {word.rstrip("/") for word in complete("semblance vectors neighbors words.vec --oov ")}
    assert "reviews-1" not in {word.rstrip("/") for word in complete("semblance train sentiment --train ")}


def test_a_shell_that_is_not_known():
    result = semblance("completion", "tcsh", check=False)
    assert (result.code, result.error) == (2, "semblance: error: expected one of bash|zsh|fish, found 'tcsh'")


def test_the_manual_page(tmp_path):
    """Every option that --help lists, in a page that is rendered without a warning."""
    if not shutil.which("groff"):
        pytest.skip("groff is not installed")
    page = subprocess.run(["groff", "-k", "-man", "-Tutf8", "-P-cbou", "-ww", "-rLL=200n"], input=semblance("manual").out.encode(), capture_output=True, check=True)
    assert not page.stderr
    text = page.stdout.decode()
    for command in (["train", "sentiment"], ["evaluate", "--tfidf", "TEXTS"], ["vectors", "convert"], ["search"]):
        help = semblance(*command, "--help").out
        options = re.findall(r"^ +(--[a-z0-9-]+)", help, re.MULTILINE)
        assert len(options) > 3
        for option in set(options) - {"--help"}:
            assert re.search(rf"(^ +|, ){option}\b", text, re.MULTILINE), option
    assert "semblance predict RUN [FILE|-] [options]" in text
