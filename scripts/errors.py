#!/usr/bin/env python3
"""Makes docs/errors.md, a table of every error that the tests of the program provoke: .venv/bin/python scripts/errors.py

Of SEMBLANCE_BIN_DIR, as the tests themselves.
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
CODES = {1: "internal, or results that cannot be written", 2: "usage", 3: "data", 4: "checkpoint, run or model", 5: "device", 6: "diverged"}
HEAD = """# Errors

Every error that the tests provoke: what was wrong, and the line that says so. Made by `scripts/errors.py` of the tests in
`tests/apps`; paths are shortened to the file's name.
"""


def case(test):
    """tests/apps/test_a.py::test_what_is_right[given] (call) -> what is right"""
    return test.split("::", 1)[1].partition("[")[0].partition(" (")[0].removeprefix("test_").replace("_", " ")


def shortened(text):
    """Without folders, and without what differs from machine to machine."""
    text = re.sub(r"(?:/[\w.+@~-]+)+/(?=[\w.+@~-])", "", text)
    text = re.sub(r"\.semblance-\w{6}\.tmp", ".semblance-XXXXXX.tmp", text)
    text = re.sub(r"process \d+ on \S+", "process N on HOST", text)
    return text.encode("ascii", "backslashreplace").decode() if "\ufffd" in text else text


def cell(text):
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("`", "'").replace("<", "&lt;")


def write_table(log):
    records = sorted((json.loads(line) for line in log.read_text().splitlines()), key=lambda record: record["test"])
    rows = collections.defaultdict(dict)
    for record in records:
        for line in record["told"].splitlines():
            if line.startswith("semblance: error: "):
                told = shortened(line.removeprefix("semblance: error: "))
                words = record["arguments"]
                verb = " ".join(words[: 2 if words[:1] in (["train"], ["vectors"]) else 1])
                # The same words with other figures are the same error.
                rows[record["code"]].setdefault(re.sub(r"\d+", "0", told), (verb, case(record["test"]), told))
    text = HEAD
    for code in sorted(rows):
        text += f"\n## Exit code {code}: {CODES.get(code, 'a signal')}\n\n| Verb | Case | Error |\n|---|---|---|\n"
        text += "".join(f"| `{cell(verb)}` | {cell(given)} | {cell(told)} |\n" for verb, given, told in sorted(rows[code].values()))
    (ROOT / "docs/errors.md").write_text(text)
    print(f"docs/errors.md: {sum(map(len, rows.values()))} errors")


def main():
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "errors.jsonl"
        command = [sys.executable, "-m", "pytest", "--numprocesses=auto", "--dist=loadfile", *(sys.argv[1:] or ["tests"])]
        if subprocess.run(command, cwd=ROOT, env={**os.environ, "SEMBLANCE_ERRORS": str(log)}).returncode:
            sys.exit("errors: tests failed; the table is as it was")
        write_table(log)


if __name__ == "__main__":
    main()
