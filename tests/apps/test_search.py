"""search: what both scans answer, limits of the answers, near-duplicates, ids, an approximate index."""

import json

import numpy
import pytest
from conftest import LAST_DIGITS, semblance
from test_dssm import QUICK, encode, make_rows, unit, write_rows

USAGE, DATA, MODEL = 2, 3, 4


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    semblance("train", "dssm", "--train", write_rows(folder / "train.tsv", make_rows(120, 1)), "--split", "1,0,0", "--run", folder / "run", *QUICK)
    return folder / "run"


@pytest.fixture(scope="module")
def corpus(run, tmp_path_factory):
    """Texts, the file of them, and what encode makes of it."""
    folder = tmp_path_factory.mktemp("corpus")
    texts = list(dict.fromkeys(text for row in make_rows(150, 7) for text in row))
    (folder / "corpus.txt").write_text("\n".join(texts), encoding="utf-8")
    semblance("encode", run, folder / "corpus.txt", "--output-format", "mapped", "--output", folder / "corpus.map")
    return texts, folder / "corpus.txt", folder / "corpus.map"


def search(run, corpus, *options, queries=(), **more):
    result = semblance("search", run, "--corpus", corpus, *options, "--json", input="".join(query + "\n" for query in queries), **more)
    return [json.loads(line) for line in result.out.splitlines()]


def test_the_scans_print_the_same_bytes(run, corpus):
    texts, *files = corpus
    queries = "".join(text + "\n" for text in texts[:40] + ["xyzzy", "ba0 the"])
    printed = {
        semblance("search", run, "--corpus", file, "--scan", scan, "--top", "7", "--threads", threads, input=queries).out
        for file in files
        for scan in ("float", "int8")
        for threads in ("1", "2")
    }
    assert len(printed) == 1


@pytest.mark.parametrize("scan", ["float", "int8"])
def test_what_is_less_near_is_not_printed(run, corpus, scan):
    texts, file, _ = corpus
    cosines = unit(encode(run, texts[:5])) @ unit(encode(run, texts)).T
    for answer, row in zip(search(run, file, "--scan", scan, "--min-score", "0.7", "--top", "400", queries=texts[:5]), cosines, strict=True):
        found = [result["similarity"] for result in answer["results"]]
        assert found == pytest.approx(sorted(row[row >= 0.7])[::-1], abs=LAST_DIGITS) and 1 < len(found) < len(texts)


def test_a_query_is_no_answer_to_itself(run, corpus):
    texts, *files = corpus
    for file in files:
        everything = search(run, file, "--top", "5", queries=[texts[3], "ba0 the"])
        others = search(run, file, "--top", "4", "--exclude-self", queries=[texts[3], "ba0 the"])
        assert texts[3] in [result["text"] for result in everything[0]["results"]]
        assert others[0]["results"] == [result for result in everything[0]["results"] if result["text"] != texts[3]]
        assert others[1]["results"] == everything[1]["results"][:4]


@pytest.mark.parametrize("scan", ["float", "int8"])
def test_near_duplicates_are_told_once_in_the_order_of_the_corpus(run, corpus, scan):
    texts, *files = corpus
    vectors = unit(encode(run, texts))
    cosines = vectors @ vectors.T
    above, below = (numpy.argwhere(numpy.triu(cosines >= 0.9 + margin, 1)).tolist() for margin in (LAST_DIGITS, -LAST_DIGITS))
    printed = [search(run, file, "--scan", scan, "--pairs", "--min-score", "0.9") for file in files]
    assert printed[0] == printed[1]
    pairs = [[texts.index(text) for text in pair["texts"]] for pair in printed[0]]
    assert pairs == sorted(pairs) and len(above) > 5
    assert set(map(tuple, above)) <= set(map(tuple, pairs)) <= set(map(tuple, below))
    assert all(pair["similarity"] == pytest.approx(cosines[tuple(place)], abs=LAST_DIGITS) for pair, place in zip(printed[0], pairs))


def test_ids_are_told_with_texts(run, tmp_path):
    rows = [("q1", "ba0 de1"), ("q2", "gi2 ko1"), ("q3", "ba0 de1"), ("q4", "xyzzy"), ("q5", "mu0 de1")]
    (tmp_path / "table.tsv").write_text("id\tquestion\n" + "".join(f"{id}\t{text}\n" for id, text in rows))
    (tmp_path / "table.jsonl").write_text("".join(json.dumps({"id": id, "question": text}) + "\n" for id, text in rows))
    for name, column in (("table.tsv", "id"), ("table.tsv", "1"), ("table.jsonl", "id")):
        (answer,) = search(run, tmp_path / name, "--id-column", column, "--text-column", "question", "--top", "3", queries=["ba0 de1"])
        assert [(found["id"], found["text"]) for found in answer["results"][:2]] == [("q1", "ba0 de1"), ("q3", "ba0 de1")]
        assert len(answer["results"]) == 3
        (answer,) = search(run, tmp_path / name, "--id-column", column, "--text-column", "question", "--exclude-self", queries=["ba0 de1"])
        assert {found["id"] for found in answer["results"]} == {"q2", "q5"}
    pairs = search(run, tmp_path / "table.tsv", "--id-column", "id", "--text-column", "question", "--pairs", "--min-score", "-1")
    assert [pair["ids"] for pair in pairs] == [["q1", "q3"], ["q1", "q2"], ["q1", "q5"], ["q3", "q2"], ["q3", "q5"], ["q2", "q5"]]
    plain = semblance("search", run, "--corpus", tmp_path / "table.tsv", "--id-column", "id", "--text-column", "question", "--top", "1", input="gi2 ko1\n")
    assert plain.out == "gi2 ko1\n  1.0000  q2  gi2 ko1\n"


def test_a_graph_finds_most_and_tells_how_many(run, corpus):
    texts, file, _ = corpus
    exact = search(run, file, "--top", "5", "--exclude-self", "--min-score", "0.3", queries=texts[:30])
    options = ["--index", "hnsw", "--top", "5", "--exclude-self", "--min-score", "0.3"]
    printed = [semblance("search", run, "--corpus", file, *options, "--threads", threads, "--json", input="\n".join(texts[:30])) for threads in "12"]
    assert printed[0].out == printed[1].out and printed[0].err == printed[1].err
    found = [json.loads(line) for line in printed[0].out.splitlines()]
    told = float(printed[0].err.split(" of them it finds ")[1].split(" %")[0])
    there = [result in answer["results"] for answer, right in zip(found, exact, strict=True) for result in right["results"]]
    assert told > 90 and sum(there) > 0.9 * len(there)
    few = semblance("search", run, "--corpus", file, *options, "--breadth", "1", "--json", input="\n".join(texts[:30]))
    assert float(few.err.split(" of them it finds ")[1].split(" %")[0]) < told


@pytest.mark.parametrize(
    "options, code, message",
    [
        (["--pairs"], USAGE, "--pairs: expected --min-score"),
        (["--pairs", "--min-score", "0.9", "--top", "3"], USAGE, "--top: does not apply to --pairs"),
        (["--min-score", "1.5"], USAGE, "--min-score"),
        (["--scan", "int4"], USAGE, "--scan"),
        (["--index", "tree"], USAGE, "--index"),
        (["--breadth", "7"], USAGE, "--breadth: expected --index hnsw"),
        (["--text-column", "1"], USAGE, "--text-column: expected --id-column"),
        (["--id-column", "3", "--text-column", "1"], DATA, "--id-column"),
    ],
)
def test_what_cannot_be_searched(run, tmp_path, options, code, message):
    (tmp_path / "table.tsv").write_text("ba0 de1\tq1\ngi2 ko1\tq2\n")
    result = semblance("search", run, "--corpus", tmp_path / "table.tsv", *options, input="ba0\n", check=False)
    assert (result.code, message in result.error) == (code, True), result.error


def test_a_text_without_an_id_is_told(run, tmp_path):
    (tmp_path / "table.jsonl").write_text('{"id": 7, "question": "ba0 de1"}\n{"question": "gi2 ko1"}\n')
    options = ["--corpus", tmp_path / "table.jsonl", "--id-column", "id", "--text-column", "question"]
    result = semblance("search", run, *options, input="ba0\n", check=False)
    assert result.code == DATA and "id" in result.error


def test_an_encoded_corpus_has_no_ids(run, corpus):
    result = semblance("search", run, "--corpus", corpus[2], "--id-column", "1", input="ba0\n", check=False)
    assert result.code == USAGE and "expected a corpus of texts" in result.error


def test_damage_is_found_by_either_scan(run, corpus, tmp_path):
    content = bytearray(corpus[2].read_bytes())
    content[4096 + 40] ^= 1
    (tmp_path / "damaged.map").write_bytes(content)
    for scan in ("float", "int8"):
        result = semblance("search", run, "--corpus", tmp_path / "damaged.map", "--scan", scan, input="ba0\n", check=False)
        assert result.code == MODEL and "the matrix is damaged" in result.error
