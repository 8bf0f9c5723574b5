"""What predict answers for each row: the labels asked for, beside the row's further columns, as JSON lines or as a table."""

import csv
import io
import json

import pytest
from conftest import semblance

ROWS = [("positive" if i % 2 else "negative", f"{'loved' if i % 2 else 'hated'} the {noun}") for noun in ("film", "book", "song") for i in range(20)]
FILE = 'id,text,label,note\n7,loved the film,positive,a\n8,short\n9,"zzzz, qqqq",negative,"x, ""y"""\n'


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("predict")
    data = folder / "train.csv"
    data.write_text("id,text,label,note\n" + "".join(f"{i},{text},{label},n\n" for i, (label, text) in enumerate(ROWS)))
    semblance("train", "sentiment", "--train", data, "--epochs", "8", "--dim", "8", "--threads", "1", "--run", folder / "run")
    (folder / "rows.csv").write_text(FILE)
    return folder / "run"


def predict(run, *options, **more):
    return semblance("predict", run, run.parent / "rows.csv", "--bad-rows", "skip", *options, **more)


def lines(result):
    return [json.loads(line) for line in result.out.splitlines()]


def table(result, delimiter=","):
    return list(csv.DictReader(io.StringIO(result.out), delimiter=delimiter))


def test_an_answer_stands_beside_the_columns_that_are_neither_text_nor_label(run):
    first, second, third = lines(predict(run))
    assert list(first) == ["id", "note", "label", "probability"]
    assert (first["id"], first["note"], first["label"]) == ("7", "a", "positive")
    assert third["note"] == 'x, "y"'


def test_a_row_left_out_has_an_empty_answer_in_its_place(run):
    assert lines(predict(run))[1] == {"id": None, "note": None, "label": None, "probability": None}
    assert set(table(predict(run, "--output-format", "csv"))[1].values()) == {""}
    assert predict(run, "--bad-rows", "error", check=False).code == 3


def test_a_text_without_a_known_word_is_marked(run):
    known = [answer.get("known") for answer in lines(predict(run))]
    assert known == [None, None, False]
    assert [row["known"] for row in table(predict(run, "--output-format", "csv"))] == ["true", "", "false"]


def test_tables_say_what_json_lines_say(run):
    told = lines(predict(run, "--all-probabilities"))
    for name, delimiter in (("csv", ","), ("tsv", "\t")):
        rows = table(predict(run, "--all-probabilities", "--output-format", name), delimiter)
        assert [row["note"] for row in rows] == ["a", "", 'x, "y"']
        for row, answer in zip(rows[::2], told[::2]):
            assert row["label"] == answer["label"] and float(row["probability"]) == answer["probability"]
            assert float(row["probability of negative"]) == answer["all_probabilities"]["negative"]


def test_the_most_probable_labels_come_first(run):
    top = lines(predict(run, "--top-k", "5"))[0]
    assert top["labels"] == ["positive", "negative"]
    assert top["probabilities"] == sorted(top["probabilities"], reverse=True)
    assert sum(top["probabilities"]) == pytest.approx(1, abs=1e-6)
    assert lines(predict(run, "--top-k", "1"))[0]["labels"] == ["positive"]


def test_labels_below_the_threshold_are_not_named(run):
    least = lines(predict(run))[0]["probability"]
    assert lines(predict(run, "--threshold", str(least - 1e-6)))[0]["labels"] == ["positive"]
    assert lines(predict(run, "--threshold", "0.9999999"))[0]["labels"] == []
    assert predict(run, "--threshold", "2", check=False).code == 2


def test_objects_keep_their_further_keys(run, tmp_path):
    data = tmp_path / "train.jsonl"
    data.write_text("".join(json.dumps({"text": text, "label": label, "id": i, "tags": ["a", i], "probability": 1}) + "\n" for i, (label, text) in enumerate(ROWS)))
    semblance("train", "sentiment", "--train", data, "--epochs", "1", "--dim", "8", "--threads", "1", "--run", tmp_path / "run", "--text-column", "text", "--label-column", "label")
    first = lines(semblance("predict", tmp_path / "run", data))[0]
    assert list(first) == ["id", "tags", "input probability", "label", "probability"]
    assert first["id"] == 0 and first["tags"] == ["a", 0] and first["input probability"] == 1
    lacks = tmp_path / "lacks.jsonl"
    lacks.write_text('{"text": "loved the film"}\n')
    assert lines(semblance("predict", tmp_path / "run", lacks))[0]["id"] is None
