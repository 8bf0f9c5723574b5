"""Word-vector files as people have them, odd lines and all; what is written is read back; damage is found before an answer."""

import os
import struct
import subprocess

import numpy
import pytest
from conftest import BIN, ROOT, semblance

ROWS = "king 1 2 3\nqueen 3 2 1\nman 1 1 1\n"
KING_QUEEN = 10 / 14


def written(folder, content, name="v"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refusal(*arguments):
    result = semblance(*arguments, check=False)
    assert result.code == 3, result.err
    return result.error


# V1
@pytest.mark.parametrize("head", ["\ufeff3 3\n", "3 3 100\n", "3 3\r\n", "\ufeff", ""])
def test_a_mark_or_a_third_number_before_the_vectors(head, tmp_path):
    path = written(tmp_path, head + ROWS)
    info = semblance("vectors", "info", path, "--json").json
    assert (info["vectors"], info["dim"], info["first"]) == (3, 3, "king")
    assert semblance("vectors", "similarity", path, "king", "queen", "--json").json["similarity"] == pytest.approx(KING_QUEEN)


# V1
@pytest.mark.parametrize("place", [0, 1, 2, 30])
@pytest.mark.parametrize("odd,message", [("of 0.4 0.5", "found 'of' for number 1"), ("of 0.4 0.5 0.6 0.7", "found more numbers: 'of 0.4'")])
def test_one_odd_line_does_not_decide_how_many_numbers_there_are(place, odd, message, tmp_path):
    lines = [f"w{i} 0.1 {i}.2 0.3" for i in range(40)]
    lines.insert(place, odd)
    path = written(tmp_path, "\n".join(lines) + "\n")
    assert f"v:{place + 1}: expected a word and 3 numbers, {message}" in refusal("vectors", "info", path)
    result = semblance("vectors", "info", path, "--bad-rows", "skip", "--json")
    assert (result.json["vectors"], result.json["dim"]) == (40, 3) and "left out 1 bad vector(s)" in result.err


# V1
def test_a_header_is_held_against_the_lines_after_it(tmp_path):
    assert "have 3 numbers" in refusal("vectors", "info", written(tmp_path, "3 2\n" + ROWS))


# V12
def test_vectors_after_the_promised_ones_are_counted_in_both_forms(tmp_path):
    record = b"".join(word + b" " + struct.pack("<3f", 1, 2, 3) + b"\n" for word in (b"king", b"queen", b"man"))
    for content in (b"1 3\n" + record, b"1 3\n" + ROWS.encode()):
        result = semblance("vectors", "info", written(tmp_path, content), "--json")
        assert result.json["vectors"] == 1 and "left out 2 vector(s) after the last one" in result.err


def test_vectors_whose_products_no_float_holds_are_refused(tmp_path):
    path = written(tmp_path, "2 2\na 3e38 -3e38\nb 1 2\n")
    assert "v:2: expected a vector no longer than 1e+18 for 'a'" in refusal("vectors", "info", path)
    assert semblance("vectors", "info", path, "--bad-rows", "skip", "--json").json["vectors"] == 1


# T3, of words
@pytest.mark.parametrize("header", ["", "40 2\n"])
def test_words_in_another_encoding_are_refused_and_some_broken_ones_told(header, tmp_path):
    lines = [f"слово{i} 0.{i} 1" for i in range(40)]
    message = refusal("vectors", "info", written(tmp_path, (header + "\n".join(lines) + "\n").encode("cp1251")))
    assert "expected UTF-8, found 40 of 40 word(s) ill-formed" in message and "iconv" in message
    output = tmp_path / "converted.vec"
    refusal("vectors", "convert", written(tmp_path, "\n".join(lines).encode("cp1251")), "--format", "word2vec", "--output", output)
    assert not output.exists()
    broken = "\n".join(lines[1:]).encode() + b"\n\xd1\xeb\xee\xe2\xee 1 1\n"
    assert "1 word(s) with ill-formed UTF-8" in semblance("vectors", "info", written(tmp_path, broken)).err


# V18
def test_rows_without_a_header_may_be_long(tmp_path):
    rows = numpy.random.default_rng(1).standard_normal((4, 7000)).astype("float32")
    path = written(tmp_path, "".join(f"w{i} {' '.join(map(str, row))}\n" for i, row in enumerate(rows)))
    info = semblance("vectors", "info", path, "--json").json
    assert (info["vectors"], info["dim"]) == (4, 7000) and path.stat().st_size > 4 << 16


# V17
def test_what_is_no_vector_file_is_named(tmp_path):
    numpy.save(tmp_path / "v.npy", numpy.ones((3, 3), "float32"))
    assert "a NumPy array" in refusal("vectors", "info", tmp_path / "v.npy")
    written(tmp_path, "3 3\n" + ROWS)
    subprocess.run(["tar", "-czf", "v.tar.gz", "v"], cwd=tmp_path, check=True)
    assert "a tar archive" in refusal("vectors", "info", tmp_path / "v.tar.gz")


# V7
@pytest.mark.parametrize("form", ["word2vec", "word2vec-bin"])
def test_the_header_that_is_written_has_no_blanks_to_spare(form, tmp_path):
    glove = written(tmp_path, ROWS + "king 4 4 4\n")
    semblance("vectors", "convert", glove, "--format", form, "--output", tmp_path / "out")
    assert (tmp_path / "out").read_bytes().split(b"\n")[0] == b"3 3"
    assert semblance("vectors", "similarity", tmp_path / "out", "king", "queen", "--json").json["similarity"] == pytest.approx(KING_QUEEN)
    piped = semblance("vectors", "convert", glove, "--format", form, "--output", "-").out if form == "word2vec" else "3 3\n"
    assert piped.startswith("3 3\n")


# V5
def test_words_that_a_format_cannot_tell_apart_are_refused(tmp_path):
    glove = written(tmp_path, "new york 1 0\nnew_york 0 1\nparis 1 1\n")
    (tmp_path / "out").write_text("earlier")
    assert "'new_york'" in refusal("vectors", "convert", glove, "--format", "word2vec", "--output", tmp_path / "out")
    assert (tmp_path / "out").read_text() == "earlier"
    semblance("vectors", "convert", glove, "--format", "mapped", "--output", tmp_path / "out")
    assert semblance("vectors", "similarity", tmp_path / "out", "new york", "new_york", "--json").json["similarity"] == 0


# V2
@pytest.mark.parametrize("policy,hits", [("pessimistic", 0), ("expected", 0.5), ("optimistic", 1)])
def test_texts_of_the_same_words_are_as_near_whatever_their_order(policy, hits, tmp_path):
    generator = numpy.random.default_rng(5)
    rows = generator.standard_normal((60, 50)).astype("float32")
    vectors = written(tmp_path, "60 50\n" + "".join(f"w{i} {' '.join(map(str, row))}\n" for i, row in enumerate(rows)))
    lines = []
    for _ in range(100):
        question, duplicate = generator.choice(60, 5), generator.choice(60, 7)
        lines.append("\t".join(" ".join(f"w{i}" for i in ids) for ids in (question, duplicate, generator.permutation(duplicate))))
    report = semblance("evaluate", "--vectors", vectors, written(tmp_path, "\n".join(lines), "rows.tsv"), "--k", "1", "--ties", policy, "--json").json
    assert report["ties"] == 100 and report["hits"]["1"] == hits


# V2
def test_a_text_said_twice_ties_with_itself_said_once(tmp_path):
    rows = numpy.random.default_rng(6).standard_normal((9, 50)).astype("float32")
    vectors = written(tmp_path, "9 50\n" + "".join(f"w{i} {' '.join(map(str, row))}\n" for i, row in enumerate(rows)))
    lines = [f"w0\tw{i} w2 w3\tw3 w{i} w2 w2 w{i} w3" for i in range(4, 9)]
    assert semblance("evaluate", "--vectors", vectors, written(tmp_path, "\n".join(lines), "rows.tsv"), "--json").json["ties"] == 5


# V8
def test_an_empty_column_is_no_candidate_and_nothing_known_scores_nothing(tmp_path):
    vectors = written(tmp_path, "4 2\nq 1 0\ndup -0.1 1\nneg -1 0\nother -1 0.2\n")
    one = semblance("evaluate", "--vectors", vectors, written(tmp_path, "q\tdup\tneg\tother\t\n", "a.tsv"), "--json").json
    assert (one["mrr"], one["ties"]) == (1, 0)
    for row in ("q\tzzz\tneg\n", "zzz\tdup\tneg\n", "q\t\tneg\n"):
        for policy in ("pessimistic", "optimistic", "expected"):
            report = semblance("evaluate", "--vectors", vectors, written(tmp_path, row, "b.tsv"), "--ties", policy, "--json").json
            assert report["mrr"] == 0 and set(report["hits"].values()) == {0}
    texts = written(tmp_path, "add money\nstop it\n", "texts")
    report = semblance("evaluate", "--tfidf", texts, written(tmp_path, "xx\tyy\nxx yy\tzz\n", "c.tsv"), "--json").json
    assert report["mrr"] == 0 and report["empty_queries"] == 2


@pytest.fixture
def damaged(tmp_path):
    """A mapped file of three blocks with a bit of the last one turned; its words w0 to w2999."""
    rows = numpy.random.default_rng(2).standard_normal((3000, 250)).astype("float32")
    text = written(tmp_path, "3000 250\n" + "".join(f"w{i} {' '.join(map(str, row))}\n" for i, row in enumerate(rows)))
    mapped = tmp_path / "mapped"
    semblance("vectors", "convert", text, "--format", "mapped", "--output", mapped)
    data = bytearray(mapped.read_bytes())
    data[4096 + 4 * 250 * 2999 + 3] ^= 0x40
    mapped.write_bytes(data)
    return mapped


# S9
def test_no_answer_comes_from_a_damaged_matrix(damaged, tmp_path):
    rows = written(tmp_path, "w1\tw2999\tw2\n", "rows.tsv")
    for arguments in (("vectors", "info", damaged), ("vectors", "neighbors", damaged, "w1"), ("vectors", "similarity", damaged, "w1", "w2999"), ("evaluate", "--vectors", damaged, rows)):
        result = semblance(*arguments, check=False)
        assert result.code == 4 and "the matrix is damaged" in result.error and not result.out
    for form in ("mapped", "word2vec"):
        assert semblance("vectors", "convert", damaged, "--format", form, "--output", tmp_path / "out", check=False).code == 4
        assert not (tmp_path / "out").exists()


# S9
def test_a_block_is_verified_when_it_is_read_and_no_sooner(damaged):
    assert -1 < semblance("vectors", "similarity", damaged, "w1", "w2", "--json").json["similarity"] < 1


# S9
def test_files_of_the_first_version_are_read_and_watched(tmp_path):
    golden, text = ROOT / "tests/fixtures/words_version_1.mapped", ROOT / "tests/fixtures/words.vec"
    words = [line.split(" ")[0] for line in text.read_text().splitlines()[1:]]
    ask = lambda file: semblance("vectors", "neighbors", file, "--json", input="\n".join(words)).out
    assert ask(golden) == ask(text)
    data = bytearray(golden.read_bytes())
    data[4100] ^= 1
    assert semblance("vectors", "similarity", written(tmp_path, bytes(data)), *words[:2], check=False).code == 4


# S13
def test_a_mapped_file_that_is_cut_short_while_it_serves_is_told(tmp_path):
    rows = numpy.ones((5000, 100), "float32")
    text = written(tmp_path, "5000 100\n" + "".join(f"w{i} {' '.join(map(str, row))}\n" for i, row in enumerate(rows)))
    mapped = tmp_path / "mapped"
    semblance("vectors", "convert", text, "--format", "mapped", "--output", mapped)
    server = subprocess.Popen([str(BIN / "semblance"), "vectors", "neighbors", str(mapped)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    server.stdin.write(b"none\n")  # answered before anything of the matrix is read
    server.stdin.flush()
    assert b"not known" in server.stdout.readline()
    os.truncate(mapped, 4096)
    _, errors = server.communicate(b"w1\n", timeout=60)
    assert server.returncode == 4 and errors.decode().count("semblance: error: a mapped file was cut short") == 1


# V4
@pytest.mark.parametrize("form", ["word2vec", "word2vec-bin"])
def test_what_encode_writes_is_read_back(form, tmp_path):
    texts = ["where is\tmy card", "bank\vcard", "music\x1fbank", " card ", "cancel music"]
    result = semblance("encode", ROOT / "tests/fixtures/golden/dssm", "--output-format", form, "--output", tmp_path / "out", input="\n".join(texts) + "\n")
    assert "5 word(s) or text(s) with blanks or control characters" in result.err
    info = semblance("vectors", "info", tmp_path / "out", "--json").json
    assert (info["vectors"], info["first"], info["last"]) == (5, "where_is_my_card", "cancel_music")
    alike = "where is my card\nwhere is\tmy card\n"
    assert "where_is_my_card" in semblance("encode", ROOT / "tests/fixtures/golden/dssm", "--output-format", form, input=alike, check=False).error
