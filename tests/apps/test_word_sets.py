"""Sets of words with what people said of them: files as they are, and what cannot be measured."""

import pytest
from conftest import semblance

DATA = 3


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def evaluate(folder, vectors, pairs, *options, **more):
    """`vectors`: word to numbers; `pairs`: the text of a set."""
    dim = len(next(iter(vectors.values())))
    rows = "".join(f"{word} {' '.join(map(str, values))}\n" for word, values in vectors.items())
    words = write(folder / "words.vec", f"{len(vectors)} {dim}\n{rows}")
    return semblance("vectors", "evaluate", words, write(folder / "set.txt", pairs), "--json", *options, **more)


NEAR_AND_FAR = {"a": (1, 0), "b": (0.9, 0.1), "c": (0, 1), "d": (-1, 0)}


def test_words_may_begin_with_a_colon(tmp_path):  # V9
    faces = {":)": (1, 0), ":D": (0.9, 0.1), ":(": (-1, 0)}
    report = evaluate(tmp_path, faces, ":)\t:(\t1\n:D\t:)\t9\n:(\t:D\t2\n").json
    assert report["task"] == "similarities" and report["examples"] == 3 and report["spearman"] == pytest.approx(1)


def test_a_colon_and_a_blank_open_a_section(tmp_path):  # V9
    report = evaluate(tmp_path, NEAR_AND_FAR, ": one\na b a b\n:\na b c d\n: two words \na b c d\n").json
    assert [section["section"] for section in report["sections"]] == ["one", "", "two words "]


@pytest.mark.parametrize("upper, lower", [("ΟΔΟΣ", "οδος"), ("STRASSE", "straße"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("ПОЕЗД", "поезд"), ("ÉTÉ", "été")])
def test_case_is_that_of_all_scripts(tmp_path, upper, lower):  # V10
    vectors = {lower: (1, 0), "near": (0.9, 0.1), "far": (0, 1)}
    report = evaluate(tmp_path, vectors, f"{upper}\tNEAR\t9\n{upper}\tFAR\t1\nNEAR\tFAR\t2\n").json
    assert report["skipped"] == 0 and report["spearman"] == pytest.approx(1)


@pytest.mark.parametrize("pairs", ["x y 1\nz w 2\n", ": capitals\nx y z w\n", "# a b 1\n\n"], ids=["no word known", "analogies", "comments alone"])
def test_nothing_to_measure_is_an_error(tmp_path, pairs):  # V11
    result = evaluate(tmp_path, NEAR_AND_FAR, pairs, check=False)
    assert result.code == DATA and "set.txt" in result.error and not result.out


@pytest.mark.parametrize("separator, words", [("\t", {"new york": (1, 0), "big apple": (0.9, 0.1), "far": (0, 1)}), (" ", {"york": (1, 0), "apple": (0.9, 0.1), "far": (0, 1)}), (" \t ", {"new york": (1, 0), "big apple": (0.9, 0.1), "far": (0, 1)})], ids=["tabs", "blanks", "tabs between blanks"])
def test_between_tabs_words_have_blanks(tmp_path, separator, words):  # V16
    first, second, third = words
    rows = [("Word 1", "Word 2", "Human (mean)")] if "\t" in separator else []
    rows += [(first, second, 9), (first, third, 1), (second, third, 2)]
    pairs = "".join(separator.join(map(str, row)) + "\r\n" for row in rows)
    # GloVe's files have words with blanks, and no header.
    glove = write(tmp_path / "glove.txt", "".join(f"{word} {' '.join(map(str, values))}\n" for word, values in words.items()))
    result = semblance("vectors", "evaluate", glove, write(tmp_path / "set.txt", pairs), "--json")
    assert result.json["examples"] == 3 and result.json["spearman"] == pytest.approx(1)


@pytest.mark.parametrize("case, right", [(("v09.vec", "v09_emo_tab.txt"), 1.0), (("v16.vec", "v16_set.tsv"), 0.0858), (("v19.vec", "v19_set.tsv"), 1.0)], ids=["faces", "pairs both ways", "Greek capitals"])
def test_rank_correlations_of_known_sets(shared, case, right):  # V9, V3, V10
    vectors, pairs = (shared / "cases/vectors" / name for name in case)
    assert semblance("vectors", "evaluate", vectors, pairs, "--json").json["spearman"] == pytest.approx(right, abs=5e-5)
