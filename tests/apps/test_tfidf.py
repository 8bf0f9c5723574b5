"""Ranking without a model: TF-IDF as scikit-learn has it, BM25 as its formula says."""

import math
import random

import pytest
from conftest import semblance

USAGE, DATA = 2, 3

CHARS = ["--char-ngrams", "5", "--min-char-ngrams", "2"]
AS_IT_STANDS = ["--tokenizer", "whitespace", "--no-strip-punctuation"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Documents, and rows of a question, its duplicate and negatives. Some words are short, some are not ASCII."""
    generator = random.Random(7)
    words = [f"w{i}" for i in range(40)] + ["a", "I", "café", "фильм", "don't", "co-op"]
    text = lambda: " ".join(generator.choice(words) for _ in range(generator.randint(1, 9)))
    folder = tmp_path_factory.mktemp("tfidf")
    documents = [(text(), text()) for _ in range(60)]
    rows = [[text() for _ in range(12)] for _ in range(40)]
    (folder / "documents.tsv").write_text("".join("\t".join(pair) + "\n" for pair in documents))
    (folder / "rows.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    return folder, [one for pair in documents for one in pair], rows


def evaluate(folder, *options, **more):
    return semblance("evaluate", "--tfidf", folder / "documents.tsv", folder / "rows.tsv", "--json", "--ties", "expected", *options, **more)


def measures(scores):
    """Of rows of scores, the duplicate's first."""
    ranks = [1 + sum(s > row[0] + 1e-6 for s in row[1:]) + sum(abs(s - row[0]) <= 1e-6 for s in row[1:]) / 2 for row in scores]
    return sum(ranks) / len(ranks)


@pytest.mark.parametrize("options, theirs", [([], {"token_pattern": r"(?u)\S+"}), (["--ngrams", "3"], {"token_pattern": r"(?u)\S+", "ngram_range": (1, 3)}), (CHARS, {"analyzer": "char_wb", "ngram_range": (2, 5)}), (["--char-ngrams", "6", "--min-char-ngrams", "5"], {"analyzer": "char_wb", "ngram_range": (5, 6)})], ids=["words", "word n-grams", "characters", "words too short"])
def test_ranks_are_those_of_scikit_learn(files, options, theirs):
    vectorizer = pytest.importorskip("sklearn.feature_extraction.text").TfidfVectorizer
    folder, documents, rows = files
    model = vectorizer(lowercase=True, **theirs).fit(documents)
    scores = [(model.transform(row[:1]) @ model.transform(row[1:]).T).toarray()[0].tolist() for row in rows]
    report = evaluate(folder, *AS_IT_STANDS, *options).json
    assert report["mean_rank"] == pytest.approx(measures(scores), abs=1e-9)
    assert report["examples"] == len(rows)


def test_bm25_is_that_of_its_formula(files):
    folder, documents, rows = files
    split = lambda text: text.lower().split()
    df = {}
    for document in documents:
        for word in set(split(document)):
            df[word] = df.get(word, 0) + 1
    n, mean = len(documents), sum(len(split(d)) for d in documents) / len(documents)

    def score(query, document):
        words = split(document)
        total = 0
        for word in split(query):
            tf = words.count(word)
            if tf and word in df:
                total += math.log(1 + (n - df[word] + 0.5) / (df[word] + 0.5)) * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * len(words) / mean))
        return total

    report = evaluate(folder, *AS_IT_STANDS, "--weighting", "bm25").json
    assert report["mean_rank"] == pytest.approx(measures([[score(row[0], c) for c in row[1:]] for row in rows]), abs=1e-9)


def test_threads_change_nothing(files):
    one, three = (evaluate(files[0], *CHARS, "--threads", n).json for n in (1, 3))
    for report in (one, three):
        del report["seconds"], report["ranking_seconds"]
    assert one == three


def test_medical_questions(shared):
    """The baseline that every trained ranking there has to beat."""
    folder = shared / "data/duplicates/mqp"
    report = semblance("evaluate", "--tfidf", folder / "pairs_train.tsv", folder / "ranking_test.tsv", *AS_IT_STANDS, *CHARS, "--k", "1,5", "--json").json
    assert (report["hits"]["1"], report["hits"]["5"]) == (0.835, 0.9925) and report["mrr"] == pytest.approx(0.908, abs=5e-4)


def test_what_cannot_be_is_told(files, tmp_path):
    folder = files[0]
    assert "--min-char-ngrams" in evaluate(folder, "--char-ngrams", "2", "--min-char-ngrams", "3", check=False).error
    assert "--ngrams" in evaluate(folder, *CHARS, "--ngrams", "2", check=False).error
    (tmp_path / "documents.tsv").write_text(" \n")
    (tmp_path / "rows.tsv").write_text("a\tb\tc\n")
    result = evaluate(tmp_path, check=False)
    assert result.code == DATA and "documents.tsv" in result.error
    (tmp_path / "documents.tsv").write_text("a b\n")
    (tmp_path / "rows.tsv").write_text("unknown\tb\tc\na\ta\tb\n")
    result = evaluate(tmp_path)
    assert result.json["empty_queries"] == 1 and "1 of 2 question(s)" in result.err
