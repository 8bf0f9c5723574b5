"""A checkpoint read by another language: the example in docs/examples answers as the program does."""

import json
import subprocess
import sys

import pytest
from conftest import LAST_DIGITS, ROOT, semblance

TEXTS = "loved the film\nThe café was AWFUL!!! 😀\nне плохой сервис, отлично\n\nnothing known: zzz\n"


@pytest.mark.parametrize("options", [[], ["--min-ngram-count", "0", "--buckets", "3000", "--char-buckets", "2000", "--ngrams", "3"], ["--ngrams", "1", "--char-ngrams", "0"]], ids=["defaults", "all buckets", "words"])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_example_answers_as_the_program(opinions, tmp_path, options, classes):
    train = tmp_path / "train.csv"
    rows = opinions.read_text(encoding="utf-8")
    train.write_text(rows.replace('positive,"loved', 'love,"loved') if classes == 3 else rows, encoding="utf-8")
    run = tmp_path / "run"
    semblance("train", "sentiment", "--train", train, "--run", run, "--epochs", "3", *options)
    tokens = semblance("tokens", run, input=TEXTS).out
    checkpoint = run / (run / "BEST").read_text().strip()
    found = subprocess.run([sys.executable, ROOT / "docs/examples/python_reader/predict.py", checkpoint], input=tokens.encode(), capture_output=True, check=True).stdout.decode().splitlines()
    expected = [json.loads(line)["all_probabilities"] for line in semblance("predict", run, "--all-probabilities", "--input-format", "lines", input=TEXTS).out.splitlines()]
    assert len(found) == len(expected) == 5
    for line, probabilities in zip(found, expected):
        assert json.loads(line) == pytest.approx(probabilities, abs=LAST_DIGITS)


def test_torchs_own_tools_find_what_they_look_for(opinions, tmp_path):
    safetensors = pytest.importorskip("safetensors")
    run = tmp_path / "run"
    semblance("train", "sentiment", "--train", opinions, "--run", run, "--epochs", "1")
    with safetensors.safe_open(run / (run / "BEST").read_text().strip() / "model.safetensors", framework="np") as opened:
        assert opened.metadata() == {"format": "pt"}
