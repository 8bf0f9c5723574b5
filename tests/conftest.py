"""What the tests of the command line share: the program, temporary runs, the real data where it is at hand."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("SEMBLANCE_BIN_DIR", ROOT / "build/release/bin")).resolve()
ERRORS = os.environ.get("SEMBLANCE_ERRORS")
SHARED = pathlib.Path(os.environ.get("SEMBLANCE_SHARED", ROOT.parent / "shared"))

# The difficulties of real opinions, and enough of them to learn from.
SUBJECTS = ["film", "phone", "фильм", "hotel", "book", "сервис", "café", "game"]
POSITIVE = ["loved the {}", "The {} was GREAT!!! 😀", "не плохой {}, отлично", "what a \"wonderful\" {}", "{}: superb,\nreally superb"]
NEGATIVE = ["hated the {}", "the {} was awful :(", "ужасный {}, не советую", "what a \"boring\" {}", "{}: dreadful;\nnever again"]


def sanitized_by(*names):
    """Whether the program was built with one of these sanitizers: asan, tsan."""
    program = BIN / "semblance"
    content = program.read_bytes() if program.exists() else b""
    return any(f"__{name}_init".encode() in content for name in names)


class Result:
    def __init__(self, completed):
        self.code, self.out, self.err = completed.returncode, completed.stdout.decode(), completed.stderr.decode()

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def error(self):
        """The one line that an error is."""
        lines = [line for line in self.err.splitlines() if line.startswith("semblance: error: ")]
        assert len(lines) == 1, self.err
        return lines[0]


def semblance(*arguments, input=None, limit=None, check=True, program=BIN / "semblance", **options):
    if "--run" in arguments and "--threads" not in arguments:
        arguments += ("--threads", "1")  # more gain nothing on jobs so small, and wait for each other on a busy machine
    command = [str(program), *map(str, arguments)]
    if limit:  # a shell limit, such as "-f 8"
        command = ["bash", "-c", f'ulimit {limit}; exec "$@"', "-", *command]
    if isinstance(input, str):
        input = input.encode()
    result = Result(subprocess.run(command, input=input, capture_output=True, timeout=300, **options))
    if result.code and ERRORS:  # scripts/errors.py makes a table of them
        record = {"test": os.environ["PYTEST_CURRENT_TEST"], "arguments": list(map(str, arguments)), "code": result.code, "told": result.err}
        with open(ERRORS, "a") as file:
            file.write(json.dumps(record) + "\n")
    if check:
        assert result.code == 0, result.err
    return result


# float32 sums differ in their last digits from processor to processor, and from one program to another.
LAST_DIGITS = 1e-5


def assert_same_neighbors(found, expected):
    """`expected` lists (word, similarity). Which of two words comes first that are as near may hang on the last digits."""
    assert [n["similarity"] for n in found] == pytest.approx([similarity for _, similarity in expected], abs=LAST_DIGITS)
    assert len({n["word"] for n in found}) == len(found)
    similarities, least = dict(expected), expected[-1][1]
    for n in found:
        assert n["similarity"] == pytest.approx(similarities.get(n["word"], least), abs=LAST_DIGITS), n["word"]


def quote(text):
    return '"' + text.replace('"', '""') + '"'


@pytest.fixture(scope="session")
def opinions(tmp_path_factory):
    """A CSV of 80 labelled opinions with quotes and line breaks in cells."""
    path = tmp_path_factory.mktemp("data") / "opinions.csv"
    rows = ["label,text"]
    for subject in SUBJECTS:
        for good, bad in zip(POSITIVE, NEGATIVE):
            rows += ["positive," + quote(good.format(subject)), "negative," + quote(bad.format(subject))]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


QUICK = ["--epochs", "6", "--batch-size", "8", "--lr", "0.02", "--split", "0.8,0.2,0", "--threads", "1"]


@pytest.fixture(scope="session")
def trained(opinions, tmp_path_factory):
    """A finished run; tests only read it."""
    run = tmp_path_factory.mktemp("runs") / "trained"
    semblance("train", "sentiment", "--train", opinions, "--run", run, *QUICK)
    return run


@pytest.fixture
def shared():
    if not SHARED.is_dir():
        pytest.skip(f"the real data is not at {SHARED}")
    return SHARED
