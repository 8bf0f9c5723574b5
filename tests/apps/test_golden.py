"""Runs that version 0.1.0 wrote are served and resumed with its answers."""

import json
import math
import shutil

import pytest
from conftest import ROOT, semblance

GOLDEN = ROOT / "tests/fixtures/golden"
ANSWERS = json.loads((GOLDEN / "answers.json").read_text(encoding="utf-8"))
# Another processor sums in another order; four epochs of so few steps carry that no further.
TOLERANCE = 1e-4

SERVING = {
    "sentiment": ["predict", "{run}", GOLDEN / "texts.txt"],
    "trigram": ["encode", "{run}", GOLDEN / "words.txt", "--output-format", "jsonl"],
    "dssm": ["encode", "{run}", GOLDEN / "questions.txt"],
}


def answers(kind, run):
    command = [run if part == "{run}" else part for part in SERVING[kind]]
    return [json.loads(line) for line in semblance(*command).out.splitlines()]


def assert_close(found, expected):
    """The same but for the last digits of its floats."""
    if isinstance(expected, float):
        assert found == pytest.approx(expected, rel=TOLERANCE, abs=TOLERANCE)
    elif isinstance(expected, dict):
        for key, value in expected.items():
            assert_close(found[key], value)
    elif isinstance(expected, list):
        assert len(found) == len(expected)
        for part, wanted in zip(found, expected):
            assert_close(part, wanted)
    else:
        assert found == expected


@pytest.mark.parametrize("kind", SERVING)
def test_served(kind):
    assert_close(answers(kind, GOLDEN / kind), ANSWERS[kind]["served"])
    assert semblance("inspect", GOLDEN / kind, "--json").json["task"] == kind


@pytest.mark.parametrize("kind", SERVING)
def test_inspect_lists_the_layers(kind):
    report = semblance("inspect", GOLDEN / kind, "--json").json
    layers = report["layers"]
    assert layers[0]["layer"].startswith("embedding") and layers[0]["trainable"]
    assert report["parameters"] == sum(layer["parameters"] for layer in layers)
    assert report["parameters"] == sum(math.prod(tensor["shape"]) for tensor in report["tensors"])
    lines = semblance("inspect", GOLDEN / kind).out.splitlines()
    table = lines[next(i for i, line in enumerate(lines) if line.split() == ["layer", "output", "parameters", "trainable"]) :]
    for line, layer in zip(table[1:], layers):
        assert line.split()[-2:] == [str(layer["parameters"]), "yes"] if layer["parameters"] else line.split()[-1] == "0"
        assert line.startswith(layer["layer"]) and layer["output_shape"] in line
    assert table[len(layers) + 1].split() == ["total", str(report["parameters"])]


@pytest.mark.parametrize("kind", SERVING)
def test_resumed(kind, tmp_path):
    run = tmp_path / kind
    shutil.copytree(GOLDEN / kind, run)
    # The jobs name their data from the top of the project.
    report = semblance("resume", run, "--epochs", "4", "--threads", "1", "--json", cwd=ROOT).json
    assert report["stopped"] == "completed"
    assert_close(report["history"], ANSWERS[kind]["history"])
    assert_close(answers(kind, run), ANSWERS[kind]["resumed"])
