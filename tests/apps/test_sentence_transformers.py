"""An encoder as a folder: sentence-transformers and model2vec give the program's own vectors."""

import json
import os
import sys

import pytest
from conftest import semblance

USAGE = 2
TOLERANCE = 1e-5  # the worst are sums of 700 float32

os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is fetched

TEXTS = [
    "How do I open a file?",
    "ΣΟΦΌΣ файл CAFÉ ЁЖ",
    "don't close 'the' window's frame!",
    "unknown zzz words sortable",
    "naïve_list 42 e\u0301clair cafe\u0301",
    "İstanbul open\tthe\u00a0table\u2003now\x1ffile",
    "$+<=>^`|~ copy—delete… “list”",
    "中文 open 한국어 ไทย 😀 file",
    "open" * 3 + " " + " ".join(["file"] * 700),
]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.tsv"
    verbs, nouns = ["open", "close", "sort", "copy", "café", "naïve", "don't", "ёж"], ["file", "list", "socket", "window", "table", "σοφός", "файл", "naïve_list", "İstanbul", "中文"]
    path.write_text("".join(f"How do I {a} a {b}?\t{b} {a}: the Question—{i % 7}\n" for i, (a, b) in enumerate((a, b) for a in verbs for b in nouns)), encoding="utf-8")
    return path


WORDS = [
    [],
    ["--tokenizer", "whitespace", "--no-lowercase"],
    ["--tokenizer", "wordpunct", "--no-strip-punctuation"],
    ["--tokenizer", "wordpunct", "--no-nfc"],
    ["--no-strip-punctuation"],
    ["--strip-characters", "—?]^-"],
    ["--stopwords", "en", "--min-word-length", "3"],
    ["--projection", "12,8", "--activation", "tanh"],
]
NGRAMS = [
    ["--char-ngrams", "4", "--ngrams", "2"],
    ["--char-ngrams", "3", "--min-char-ngrams", "1", "--min-ngram-count", "0", "--char-buckets", "1000", "--stopwords", "en"],
    ["--unknown-word", "--token-weights", "idf", "--projection", "6"],
    ["--ngrams", "3", "--buckets", "500", "--tokenizer", "wordpunct", "--no-lowercase"],
]


def exported(rows, folder, options):
    """What was told of the export, and the program's own vectors; None where it knows no word."""
    semblance("train", "dssm", "--train", rows, "--run", folder / "run", "--dim", "16", "--epochs", "1", "--split", "1,0,0", "--batch-size", "32", *options)
    report = semblance("export", folder / "run", "--format", "sentence-transformers", "--output", folder / "encoder", "--json").json
    lines = semblance("encode", folder / "run", "--output-format", "jsonl", input="\n".join(TEXTS) + "\n").out.splitlines()
    return report, [json.loads(line)["vector"] for line in lines]


def compare(theirs, ours):
    assert len(theirs) == len(ours)
    for text, a, b in zip(TEXTS, theirs, ours):
        if b is not None:
            assert list(map(float, a)) == pytest.approx(b, abs=TOLERANCE), text


@pytest.mark.parametrize("options", WORDS, ids=" ".join)
def test_words_alone_are_the_same_in_both(rows, tmp_path, options):
    transformers = pytest.importorskip("sentence_transformers")
    report, ours = exported(rows, tmp_path, options)
    assert not report["own_module"]
    compare(transformers.SentenceTransformer(str(tmp_path / "encoder"), device="cpu").encode(TEXTS), ours)
    if "--projection" not in options:
        model2vec = pytest.importorskip("model2vec")
        compare(model2vec.StaticModel.from_pretrained(tmp_path / "encoder").encode(TEXTS), ours)


@pytest.mark.parametrize("options", NGRAMS, ids=" ".join)
def test_ngrams_and_weights_come_as_a_module(rows, tmp_path, options):
    transformers = pytest.importorskip("sentence_transformers")
    pytest.importorskip("xxhash")
    report, ours = exported(rows, tmp_path, options)
    assert report["own_module"]
    model = transformers.SentenceTransformer(str(tmp_path / "encoder"), device="cpu", trust_remote_code=True)
    compare(model.encode(TEXTS), ours)
    model.save(str(tmp_path / "saved"))
    compare(transformers.SentenceTransformer(str(tmp_path / "saved"), device="cpu", trust_remote_code=True).encode(TEXTS), ours)


def test_check_tells_the_largest_difference(rows, tmp_path):
    pytest.importorskip("sentence_transformers")
    semblance("train", "dssm", "--train", rows, "--run", tmp_path / "run", "--dim", "8", "--epochs", "1", "--split", "1,0,0")
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    export = ["export", tmp_path / "run", "--format", "sentence-transformers", "--output", tmp_path / "encoder", "--check", tmp_path / "texts.txt"]
    told = semblance(*export, "--json", env={**os.environ, "PYTHON": sys.executable}).json["check"]
    assert told["texts"] == len(TEXTS) and 0 <= told["largest_difference"] < TOLERANCE
    refused = semblance(*export, env={**os.environ, "PYTHON": "false"}, check=False)
    assert refused.code == USAGE and "--check: expected a Python" in refused.error


def test_a_folder_that_is_none_of_ours_is_left_alone(rows, tmp_path):
    report, _ = exported(rows, tmp_path, [])
    again = semblance("export", tmp_path / "run", "--format", "sentence-transformers", "--output", tmp_path / "encoder")
    assert "README.md" in os.listdir(tmp_path / "encoder") and again.code == 0 and report["dim"] == 16
    (tmp_path / "other").mkdir()
    (tmp_path / "other/mine.txt").write_text("kept")
    for output in (tmp_path / "other", tmp_path / "other/mine.txt"):
        refused = semblance("export", tmp_path / "run", "--format", "sentence-transformers", "--output", output, check=False)
        assert refused.code == USAGE and "expected a new folder or an earlier export" in refused.error
    assert (tmp_path / "other/mine.txt").read_text() == "kept"
    for options, told in ((["--activation", "gelu-tanh", "--projection", "8,8"], "gelu-tanh"), (["--max-norm", "1"], "--max-norm 0"), (["--hash", "fasttext", "--char-ngrams", "3"], "--hash semblance")):
        semblance("train", "dssm", "--train", rows, "--run", tmp_path / "run", "--overwrite", "--dim", "8", "--epochs", "1", "--split", "1,0,0", *options)
        refused = semblance("export", tmp_path / "run", "--format", "sentence-transformers", "--output", tmp_path / "new", check=False)
        assert refused.code == USAGE and told in refused.error and not (tmp_path / "new").exists()
