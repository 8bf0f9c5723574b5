"""gensim's answers about forty words, stored: what test_vectors.py asks where gensim is not installed."""

import json

import pytest
from conftest import LAST_DIGITS, ROOT, assert_same_neighbors, semblance

FIXTURES = ROOT / "tests/fixtures"
WORDS = FIXTURES / "words.vec"
ANSWERS = json.loads((FIXTURES / "gensim_answers.json").read_text())


def test_the_stored_answers_are_gensims(monkeypatch):
    models = pytest.importorskip("gensim.models")
    monkeypatch.syspath_prepend(FIXTURES)
    import make_gensim_answers

    answers = make_gensim_answers.answers(models.KeyedVectors.load_word2vec_format(str(WORDS)))
    # Word for word: among the fixture's answers no two similarities are nearer than 0.001.
    assert answers == nearly(ANSWERS)


def nearly(answers):
    """The answers, but for the last digits of their numbers."""
    if isinstance(answers, dict):
        return {key: nearly(value) for key, value in answers.items()}
    if isinstance(answers, list):
        return [nearly(value) for value in answers]
    return pytest.approx(answers, abs=LAST_DIGITS) if isinstance(answers, float) else answers


def test_neighbors():
    lines = semblance("vectors", "neighbors", WORDS, "--top", "5", "--json", input="\n".join(ANSWERS["neighbors"])).out.splitlines()
    for line, expected in zip(lines, ANSWERS["neighbors"].values(), strict=True):
        assert_same_neighbors(json.loads(line)["neighbors"], expected)


def test_analogies():
    stream = "".join(" ".join(positive + ["-" + word for word in negative]) + "\n" for positive, negative, _ in ANSWERS["analogy"])
    lines = semblance("vectors", "analogy", WORDS, "-", "--top", "5", "--json", input=stream).out.splitlines()
    for line, (_, _, expected) in zip(lines, ANSWERS["analogy"], strict=True):
        assert_same_neighbors(json.loads(line)["neighbors"], expected)


def test_similarity_odd_one_out_and_closest():
    for a, b, expected in ANSWERS["similarity"][:2]:
        assert semblance("vectors", "similarity", WORDS, a, b, "--json").json["similarity"] == pytest.approx(expected, abs=LAST_DIGITS)
    for words, expected in ANSWERS["odd_one_out"][:2]:
        assert semblance("vectors", "odd-one-out", WORDS, *words).out == expected + "\n"
    for word, others, expected in ANSWERS["closest"][:2]:
        assert semblance("vectors", "closest", WORDS, word, *others).out == expected + "\n"
