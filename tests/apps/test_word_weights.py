"""Means of word vectors with a weight for each word, beside the formulas in NumPy."""

import random

import pytest
from conftest import semblance

USAGE, DATA = 2, 3
PLAIN = ["--tokenizer", "whitespace", "--no-strip-punctuation"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Vectors of 50 words, texts with words that have none, and rows of a question, its duplicate and negatives."""
    numpy = pytest.importorskip("numpy")
    generator = random.Random(11)
    folder = tmp_path_factory.mktemp("word_weights")
    words = [f"w{i}" for i in range(50)]
    table = numpy.random.default_rng(5).normal(1, 1, (50, 8)).astype("f4").round(4)
    (folder / "words.vec").write_text("50 8\n" + "".join(f"{w} {' '.join(f'{x:.4f}' for x in row)}\n" for w, row in zip(words, table)))
    # Each word is half as frequent as the one ten before it.
    text = lambda: " ".join(generator.choices(words + ["strange"], weights=[2 ** (-i / 10) for i in range(51)], k=generator.randint(2, 9)))
    texts = [text() for _ in range(90)]
    texts.append(texts[0])
    rows = [[text() for _ in range(9)] for _ in range(50)]
    (folder / "texts.tsv").write_text("".join("\t".join(texts[i : i + 3]) + "\n" for i in range(0, 91, 3)))
    (folder / "rows.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    return folder, dict(zip(words, table.astype("f8"))), list(dict.fromkeys(texts)), rows


def mean_rank(vectors, rows, encode):
    numpy = pytest.importorskip("numpy")
    ranks = []
    for row in rows:
        question, *candidates = [encode(text) for text in row]
        cosine = [question @ c / max(1e-12, numpy.linalg.norm(question) * numpy.linalg.norm(c)) for c in candidates]
        ranks.append(1 + sum(c > cosine[0] + 1e-6 for c in cosine[1:]) + sum(abs(c - cosine[0]) <= 1e-6 for c in cosine[1:]) / 2)
    return sum(ranks) / len(ranks)


def evaluate(folder, *options, **more):
    return semblance("evaluate", "--vectors", folder / "words.vec", folder / "rows.tsv", "--json", "--ties", "expected", *PLAIN, *options, **more)


def weighted_means(vectors, weight):
    numpy = pytest.importorskip("numpy")

    def encode(text):
        known = [word for word in text.split() if word in vectors]
        return sum((weight(word) * vectors[word] for word in known), numpy.zeros(8)) / max(1, len(known))

    return encode


def test_idf_is_that_of_different_texts(files):
    numpy = pytest.importorskip("numpy")
    folder, vectors, texts, rows = files
    df = lambda word: sum(word in text.split() for text in texts)
    encode = weighted_means(vectors, lambda word: numpy.log((1 + len(texts)) / (1 + df(word))) + 1)
    report = evaluate(folder, "--token-weights", "idf", "--fitted-on", folder / "texts.tsv")
    assert report.json["mean_rank"] == pytest.approx(mean_rank(vectors, rows, encode), abs=1e-9)
    assert f"{len(texts)} different texts" in report.err


@pytest.mark.parametrize("a", [0.001, 0.1])
def test_sif_takes_away_what_means_have_in_common(files, a):
    numpy = pytest.importorskip("numpy")
    folder, vectors, texts, rows = files
    tokens = [word for text in texts for word in text.split()]
    mean = weighted_means(vectors, lambda word: a / (a + tokens.count(word) / len(tokens)))
    common = numpy.linalg.svd(numpy.array([mean(text) for text in texts]))[2][0]
    encode = lambda text: mean(text) - mean(text) @ common * common
    report = evaluate(folder, "--token-weights", "sif", "--sif-a", a, "--fitted-on", folder / "texts.tsv").json
    assert report["mean_rank"] == pytest.approx(mean_rank(vectors, rows, encode), abs=1e-9)
    assert report["mean_rank"] != pytest.approx(mean_rank(vectors, rows, mean), abs=1e-9)


def test_words_are_counted_in_the_rows_unless_told_otherwise(files):
    folder, *_ = files
    assert evaluate(folder, "--token-weights", "sif").json["mean_rank"] == evaluate(folder, "--token-weights", "sif", "--fitted-on", folder / "rows.tsv").json["mean_rank"]


@pytest.mark.parametrize("threads", [1, 2])
def test_any_number_of_threads_gives_the_same_answer(files, threads):
    folder, *_ = files
    one = evaluate(folder, "--token-weights", "sif", "--threads", threads).json
    two = evaluate(folder, "--token-weights", "sif", "--threads", 2).json
    assert {k: one[k] for k in ("hits", "mrr", "mean_rank")} == {k: two[k] for k in ("hits", "mrr", "mean_rank")}


@pytest.mark.parametrize("options", [["--fitted-on", "rows.tsv"], ["--sif-a", "0.1"], ["--token-weights", "none", "--sif-a", "0.1"]])
def test_options_that_do_nothing_are_usage_errors(files, options):
    folder, *_ = files
    result = evaluate(folder, *options, check=False)
    assert result.code == USAGE and "--token-weights" in result.error


def test_a_stream_of_rows_cannot_be_read_twice(files):
    folder, *_ = files
    rows = (folder / "rows.tsv").read_text()
    options = ["evaluate", "--vectors", folder / "words.vec", "-", "--token-weights", "idf"]
    result = semblance(*options, input=rows, check=False)
    assert result.code == USAGE and "--fitted-on" in result.error
    assert semblance(*options, "--fitted-on", folder / "texts.tsv", input=rows).code == 0


def test_texts_that_hold_nothing_are_an_error(files, tmp_path):
    folder, *_ = files
    (tmp_path / "empty.tsv").write_text("\t\n\n")
    result = evaluate(folder, "--token-weights", "idf", "--fitted-on", tmp_path / "empty.tsv", check=False)
    assert result.code == DATA and "empty.tsv" in result.error
