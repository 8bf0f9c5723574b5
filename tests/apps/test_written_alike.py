"""One content, written as many programs write it: whatever the delimiter, the quotes, the encoding, the ends of lines or
the container, it trains the same model, gets the same answers, holds the same vectors."""

import csv
import gzip
import io
import json
import struct

import pytest
from conftest import semblance

DATA = 3
NOUNS = ["film", "phone", "hotel", "книга", "сервис"]
# Every character counts: blanks alone part the words, and punctuation stays.
QUICK = ["--epochs", "1", "--dim", "4", "--tokenizer", "whitespace", "--no-strip-punctuation"]
LOVED = ["loved the {}", "great, {}; indeed", 'what a "lovely" {}', "{} is good\nreally|good"]
HATED = ["hated the {}", "awful, {}; indeed", 'what a "boring" {}', "{} is bad\nreally|bad"]
OPINIONS = [(label, text.format(noun)) for noun in NOUNS for pair in zip(LOVED, HATED) for label, text in zip(["pos", "neg"], pair)]
PAIRS = [(f'is the "{noun}" {word}, or not?', f"{noun}: {word}\nor|not; tell") for noun in NOUNS for word in ["good", "bad", "cheap", "dear"]]

ALL, TEXTS, BACKSLASHES = {"quoting": csv.QUOTE_ALL}, {"quoting": csv.QUOTE_NONNUMERIC}, {"doublequote": False, "escapechar": "\\"}


def table(rows, delimiter=",", encoding="utf-8", lines="\n", **quotes):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=lines, **quotes).writerows(rows)
    return text.getvalue().encode(encoding)


def json_lines(names, rows):
    return "".join(json.dumps(dict(zip(names, row))) + "\n" for row in rows).encode()


def write(path, content):
    path.write_bytes(content)
    return path


def model(tmp_path, task, data, *options):
    semblance("train", task, "--train", data, "--run", tmp_path / "run", "--overwrite", *QUICK, *options)
    (step,) = (tmp_path / "run").glob("step-*")
    return (step / "vocabulary.txt").read_bytes(), (step / "model.safetensors").read_bytes()


@pytest.fixture(scope="module")
def opinions_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("opinions")
    return model(folder, "sentiment", write(folder / "t.jsonl", json_lines(["label", "text"], OPINIONS)))


@pytest.fixture(scope="module")
def pairs_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    return model(folder, "dssm", write(folder / "t.jsonl", json_lines(["question", "duplicate"], PAIRS)))


# T1, T3, T7
@pytest.mark.parametrize(
    "name, header, quotes",
    [
        ("t.csv", ["label", "text"], {}),
        ("t.csv", ["Urteil", "Kommentar"], {"delimiter": ";", **ALL}),
        ("t.tsv", [], {"delimiter": "\t", "lines": "\r\n", **TEXTS}),
        ("t.txt", ["v1", "v2"], {"delimiter": "|", "encoding": "utf-8-sig", **ALL}),
        ("t.csv", ["Оценка", "Отзыв"], {"encoding": "utf-16", "lines": "\r\n"}),
        ("t.tsv", ["y", "x"], {"delimiter": "\t", **ALL, **BACKSLASHES}),
    ],
    ids=["plain", "semicolons, all quoted", "tabs, texts quoted", "bars, a mark", "UTF-16", "backslashes"],
)
def test_a_table_of_labelled_texts(name, header, quotes, opinions_model, tmp_path):
    data = table([header, *OPINIONS] if header else OPINIONS, **quotes)
    assert model(tmp_path, "sentiment", write(tmp_path / name, data)) == opinions_model


# T1
@pytest.mark.parametrize("before", ["sep=;\r\n", "# a title\n\n"], ids=["sep", "a title"])
def test_lines_before_the_header_are_read_past(before, opinions_model, tmp_path):
    data = before.encode() + table([("label", "text"), *OPINIONS], ";")
    assert model(tmp_path, "sentiment", write(tmp_path / "t.csv", data)) == opinions_model


# T3
@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r"])
def test_an_encoding_is_asked_for_and_believed(encoding, opinions_model, tmp_path):
    data = write(tmp_path / "t.csv", table([("label", "text"), *OPINIONS], encoding=encoding))
    refused = semblance("train", "sentiment", "--train", data, "--run", tmp_path / "run", check=False)
    assert refused.code == DATA and "--encoding" in refused.error
    assert model(tmp_path, "sentiment", data, "--encoding", encoding) == opinions_model


# R5
@pytest.mark.parametrize(
    "name, header, quotes",
    [
        ("t.csv", ["question1", "question2"], {}),
        ("t.csv", [], {"delimiter": ";", **ALL}),
        ("t.tsv", ["Frage", "Zwilling"], {"delimiter": "\t", "lines": "\r\n", **TEXTS}),
        ("t.csv", ["Вопрос", "Дубликат"], {"delimiter": "|", "encoding": "utf-16"}),
        ("t.tsv", [], {"delimiter": "\t", "encoding": "utf-8-sig"}),
    ],
    ids=["plain", "semicolons, all quoted", "tabs, texts quoted", "bars, UTF-16", "tabs, a mark"],
)
def test_a_table_of_duplicates(name, header, quotes, pairs_model, tmp_path):
    data = gzip.compress(table([header, *PAIRS] if header else PAIRS, **quotes))
    assert model(tmp_path, "dssm", write(tmp_path / (name + ".gz"), data)) == pairs_model


# T5
def test_predict_finds_the_text_in_every_file_of_its_training_columns(tmp_path):
    rows = [(i, *row) for i, row in enumerate(OPINIONS)]
    model(tmp_path, "sentiment", write(tmp_path / "t.csv", table([("id", "label", "text"), *rows])))

    def answers(file, **more):
        lines = [json.loads(line) for line in semblance("predict", tmp_path / "run", file, **more).out.splitlines()]
        return [(line["label"], line["probability"]) for line in lines]

    right = answers(tmp_path / "t.csv")
    assert len(right) == len(rows)
    others = {
        "order.csv": table([("text", "id", "label"), *((text, i, label) for i, label, text in rows)]),
        "alone.csv": table([("text",), *((text,) for _, _, text in rows)], **ALL),
        "more.csv": table([("id", "label", "more", "text"), *((i, label, "a, b", text) for i, label, text in rows)]),
        "no_header.csv": table(rows).removesuffix(b"\n"),
        "utf16.csv": table([("id", "label", "text"), *rows], encoding="utf-16", lines="\r\n"),
        "twice.csv.gz": gzip.compress(table([("id", "label", "text"), *rows[:7]])) + gzip.compress(table(rows[7:])) + bytes(99),
    }
    for name, content in others.items():
        data = write(tmp_path / name, content)
        assert answers(data) == right, name
    assert answers("-", input=others["twice.csv.gz"]) == right


VECTORS = [("the", (0.5, -0.25, 1)), ("кот", (1e-3, 2, -3.5)), ("7", (4, 5, 6)), ("naïve", (0, 0.125, 0))]
ROWS = "".join(word + " " + " ".join(map(str, vector)) + "\n" for word, vector in VECTORS)
RECORDS = [word.encode() + b" " + struct.pack("<3f", *vector) for word, vector in VECTORS]


# V1, V7, V17, V18
def test_a_file_of_vectors(tmp_path):
    def read(content):
        semblance("vectors", "convert", "-", "--format", "word2vec-bin", "--output", tmp_path / "out.bin", input=content)
        return (tmp_path / "out.bin").read_bytes()

    right = b"4 3\n" + b"".join(record + b"\n" for record in RECORDS)
    headed = "4 3\n" + ROWS
    for same in [
        *("  4 3 \n" + ROWS, "4 3 99\n" + ROWS, "\ufeff" + ROWS, headed.removesuffix("\n")),
        *(headed.replace("\n", end) for end in ["\r\n", "\t\r\n", "\n\n"]),
        *(headed.replace(" ", "\t"), headed.encode("utf-16"), gzip.compress(ROWS.encode()) + bytes(512)),
        *(b"4 3\n" + b"".join(RECORDS), b"4 3\r\n" + b"\n".join(RECORDS), gzip.compress(right)),
    ]:
        assert read(same) == right, same


# V1
@pytest.mark.parametrize(
    "content, message",
    [
        ("a title line\n" + ROWS, "1: expected a word and 3 numbers"),
        ("4 4\n" + ROWS, "2: expected a word and 4 numbers"),
        ("3 4\n" + ROWS, "2: expected a word and 4 numbers"),
        ("5 3\n" + ROWS, "promises 5 vectors, found 4"),
        ("\t0\t1\t2\n" + ROWS.replace(" ", "\t"), "1: expected a word, found none"),
        ("4 3\n" + ROWS.replace(".", ","), "2: expected a word and 3 numbers, found '-0,25'"),
    ],
    ids=["a title", "a dimension too many", "numbers swapped", "a vector too few", "numbered columns", "decimal commas"],
)
def test_what_does_not_hold_of_all_vectors_is_refused(content, message, tmp_path):
    data = write(tmp_path / "v.vec", content.encode())
    result = semblance("vectors", "info", data, check=False)
    assert result.code == DATA and message in result.error
