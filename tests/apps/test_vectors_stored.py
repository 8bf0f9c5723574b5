"""gensim's answers about forty words, stored: what test_vectors.py asks where gensim is not installed."""

import json

import pytest
from conftest import ROOT, semblance

FIXTURES = ROOT / "tests/fixtures"
WORDS = FIXTURES / "words.vec"
ANSWERS = json.loads((FIXTURES / "gensim_answers.json").read_text())


def assert_equal(found, expected):
    assert [n["word"] for n in found] == [word for word, _ in expected]
    assert [n["similarity"] for n in found] == pytest.approx([similarity for _, similarity in expected], abs=1e-5)


def test_the_stored_answers_are_gensims(monkeypatch):
    models = pytest.importorskip("gensim.models")
    monkeypatch.syspath_prepend(FIXTURES)
    import make_gensim_answers

    assert make_gensim_answers.answers(models.KeyedVectors.load_word2vec_format(str(WORDS))) == ANSWERS


def test_neighbors():
    lines = semblance("vectors", "neighbors", WORDS, "--top", "5", "--json", input="\n".join(ANSWERS["neighbors"])).out.splitlines()
    for line, expected in zip(lines, ANSWERS["neighbors"].values(), strict=True):
        assert_equal(json.loads(line)["neighbors"], expected)


def test_analogies():
    stream = "".join(" ".join(positive + ["-" + word for word in negative]) + "\n" for positive, negative, _ in ANSWERS["analogy"])
    lines = semblance("vectors", "analogy", WORDS, "-", "--top", "5", "--json", input=stream).out.splitlines()
    for line, (_, _, expected) in zip(lines, ANSWERS["analogy"], strict=True):
        assert_equal(json.loads(line)["neighbors"], expected)


def test_similarity_odd_one_out_and_closest():
    for a, b, expected in ANSWERS["similarity"]:
        assert semblance("vectors", "similarity", WORDS, a, b, "--json").json["similarity"] == pytest.approx(expected, abs=1e-5)
    for words, expected in ANSWERS["odd_one_out"]:
        assert semblance("vectors", "odd-one-out", WORDS, *words).out == expected + "\n"
    for word, others, expected in ANSWERS["closest"]:
        assert semblance("vectors", "closest", WORDS, word, *others).out == expected + "\n"
