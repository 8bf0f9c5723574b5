"""What is guessed of a file is told, holds for all of it, and is refused where it does not."""

import json

import pytest
from conftest import semblance

DATA = 3
QUICK = ["--epochs", "1", "--dim", "8", "--threads", "1"]
TWENTY = range(20)


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def train(tmp_path, task, *files, options=(), **more):
    trains = [word for file in files for word in ("--train", file)]
    return semblance("train", task, *trains, "--run", tmp_path / "run", "--overwrite", *QUICK, *options, **more)


def opinions(line, start=""):
    return start + "".join(line.format(label, word, i) + "\n" for i in TWENTY for label, word in (("pos", "good"), ("neg", "bad")))


# T1
@pytest.mark.parametrize(
    "content, told",
    [
        (opinions("{};{} film {}, yes", "label;text\n"), "read as csv with header, text in column 2 (text)"),
        (opinions("{}\t{} film {}", "sep=\t\nlabel\ttext\n"), "read as tsv with header, after 1 line(s) that are no rows"),
    ],
    ids=["a comma in every text", "a tab told in the first line"],
)
def test_the_delimiter_is_the_headers_too(tmp_path, content, told):
    result = train(tmp_path, "sentiment", write(tmp_path / "t.csv", content))
    assert told in result.err and "classes neg, pos" in result.err


FIRST = {"csv": opinions("{0},{1} film {2}", "label,text\n"), "jsonl": opinions('{{"label": "{0}", "text": "{1} film {2}"}}'), "txt": opinions("{0} {1} film {2}")}
MORE = FIRST | {"columns swapped": opinions("{1} film {2},{0}"), "fasttext": opinions("__label__{0} {1} film {2}")}


# T5
@pytest.mark.parametrize("second", MORE)
@pytest.mark.parametrize("first", FIRST)
def test_files_of_several_layouts_are_trained_on_together(tmp_path, first, second):
    files = write(tmp_path / f"a.{first}", FIRST[first]), write(tmp_path / f"b.{second if second in FIRST else 'txt'}", MORE[second])
    assert "classes neg, pos" in train(tmp_path, "sentiment", *files).err


# T5
def test_columns_of_the_training_are_found_in_other_layouts(tmp_path):
    train(tmp_path, "sentiment", write(tmp_path / "t.csv", FIRST["csv"]))
    for name, content in {"q.csv": "label;text\npos;good film\n", "q.tsv": "id\ttext\n1\tgood film\n", "q.jsonl": '{"text": "good film", "z": 1}\n'}.items():
        (answer,) = semblance("predict", tmp_path / "run", write(tmp_path / name, content)).out.splitlines()
        assert json.loads(answer)["label"] in ("pos", "neg")
    report = semblance("evaluate", tmp_path / "run", write(tmp_path / "e.jsonl", FIRST["jsonl"]), "--json").json
    assert report["examples"] == 40


# T4
@pytest.mark.parametrize("line, told", [('["{}", "{} film {}"]', "found a JSON list in a line"), ('{{"label": "{}", "text": {{"title": "{} film {}"}}}}', "expected a text under 'text', found an object")])
def test_json_that_holds_no_texts_is_refused(tmp_path, line, told):
    result = train(tmp_path, "sentiment", write(tmp_path / "t.jsonl", opinions(line)), check=False)
    assert result.code == DATA and told in result.err


# T6
def test_labels_between_slashes_are_told_of(tmp_path):
    content = "text,tags\n" + "".join(f"good {i},food/staff\nbad {i},food\n" for i in TWENTY)
    assert "labels such as 'food/staff'" in train(tmp_path, "sentiment", write(tmp_path / "t.csv", content)).err


# T7
def test_a_pipe_whose_quotes_change_is_refused(tmp_path):
    content = opinions("{},{} film {}", "label,text\n") * 10 + 'pos,"a \\"b\\" c"\n'
    result = train(tmp_path, "sentiment", "-", input=content, check=False)
    assert result.code == DATA and "give --quoting" in result.err
    assert train(tmp_path, "sentiment", write(tmp_path / "t.csv", content)).code == 0


# T3
@pytest.mark.parametrize("encoding, told", [("cp1251", "expected UTF-8"), ("utf-16-le", "every other byte zero")])
def test_no_verb_reads_another_encoding_in_silence(tmp_path, encoding, told):
    content = "".join(f"say it {i} скажи про это дело\tand again как твои дела {i}\n" for i in TWENTY).encode(encoding)
    file = write(tmp_path / "t.tsv", content)
    assert told in train(tmp_path, "dssm", file, check=False).err
    result = semblance("train", "word2vec", "--corpus", file, "--run", tmp_path / "w", "--min-count", "1", check=False)
    assert result.code == DATA and told in result.err


def pairs(line, start=""):
    return start + "".join(line.format(i) + "\n" for i in TWENTY)


# R5
@pytest.mark.parametrize(
    "name, content, told",
    [
        ("t.csv", pairs("what {0} is it,how is {0} it", "question1,question2\n") * 2, ":22: expected texts that are duplicates of each other, found the header again"),
        ("t.json", json.dumps([[f"what is {i}", f"how is {i}"] for i in TWENTY]) + "\n", "jq -c '.[]' FILE"),
        ("t.csv", pairs("what {0} is it,how is {0} it") * 15 + "well, yes it is,how,then\n", "expected 2 columns, found 4"),
    ],
    ids=["a header again", "one list of lists", "a row of more fields"],
)
def test_rows_that_are_unlike_the_others_are_refused(tmp_path, name, content, told):
    result = train(tmp_path, "dssm", write(tmp_path / name, content), check=False)
    assert result.code == DATA and told in result.err


# R5
def test_rows_of_different_lengths_between_commas_are_told_of(tmp_path):
    content = pairs("what {0} is it,how is {0} it") + "well, yes it is,how,then\n"
    assert "rows have 2 to 4 texts" in train(tmp_path, "dssm", write(tmp_path / "t.csv", content)).err


# R5
def test_backslashes_before_delimiters_of_pairs(tmp_path):
    file = write(tmp_path / "t.csv", pairs("{0} then\\, what {0},how {0}\\, now {0}"))
    assert "20 rows" in train(tmp_path, "dssm", file).err


# R5
def test_quotes_around_a_tab_are_told_of(tmp_path):
    content = "".join(f"what is {i}\thow is {i}\n" for i in range(300)) + '"say\there"\twhat\n'
    assert "1 row(s) have quotes around a tab, the first in line 301" in train(tmp_path, "dssm", write(tmp_path / "t.tsv", content)).err


# T11
def test_long_rows_do_not_hide_the_header(tmp_path):
    words = "w " * 400
    content = "q1,q2\n" + "z" * 300 + ",b\n" + "".join(f"what {i} {words},how {i} {words}\n" for i in range(100))
    assert "csv with header" in train(tmp_path, "dssm", write(tmp_path / "t.csv", content)).err


# V11
@pytest.mark.parametrize("pairs", ["king queen 3\nzzz yyy 1\n", "king queen 3\nking slave 3\n"], ids=["one pair", "equal scores"])
def test_a_correlation_without_a_value_is_an_error(tmp_path, pairs):
    vectors = write(tmp_path / "v.txt", "king 1 0\nqueen 1 1\nslave 0 1\n")
    result = semblance("vectors", "evaluate", vectors, write(tmp_path / "s.txt", pairs), "--json", check=False)
    assert result.code == DATA and not result.out and "expected pairs that differ" in result.err
