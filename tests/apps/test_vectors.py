"""Word vectors: every answer beside gensim's, on real files; hostile files end in one line and bounded memory."""

import gzip
import json
import random
import struct

import numpy
import pytest
from conftest import LAST_DIGITS, SHARED, assert_same_neighbors, semblance

gensim = pytest.importorskip("gensim.models")

REAL = {
    "imdb_sg_100d.vec.gz": {},
    "emoji2vec.bin": {"binary": True},
    "euclidean_vectors.bin": {"binary": True},
    "googlenews_1k_300d.w2v.txt": {},
    "crime-and-punishment.vec": {},
    "lee_fasttext.vec": {},
    "glove.twitter.25d.12k.txt": {"no_header": True},
    "test_glove.txt": {"no_header": True},
}


LIMIT = 10000  # vectors; gensim takes eight seconds to read all of the largest file


@pytest.fixture(scope="module", params=REAL)
def real(request, tmp_path_factory):
    """A real file as gensim reads it, and as a mapped file of ours."""
    path = SHARED / "data/vectors" / request.param
    if not path.exists():
        pytest.skip(f"the real data is not at {SHARED}")
    keyed = gensim.KeyedVectors.load_word2vec_format(str(path), unicode_errors="replace", limit=LIMIT, **REAL[request.param])
    mapped = tmp_path_factory.mktemp("vectors") / "mapped"
    semblance("vectors", "convert", path, "--limit", LIMIT, "--format", "mapped", "--output", mapped)
    words = random.Random(3).choices([w for w in keyed.index_to_key if w.split() == [w] and not w.startswith("-") and "\ufffd" not in w], k=60)
    return path, mapped, keyed, words


def test_neighbors(real):
    path, mapped, keyed, words = real
    for file in (path, mapped):
        lines = semblance("vectors", "neighbors", file, "--limit", LIMIT, "--top", "10", "--json", input="\n".join(words) + "\n").out.splitlines()
        assert [json.loads(line)["query"] for line in lines] == words
        for word, line in zip(words, lines):
            assert_same_neighbors(json.loads(line)["neighbors"], keyed.most_similar(word, topn=10))


def test_analogies(real):
    path, mapped, keyed, words = real
    queries = [words[i : i + 4] for i in range(0, 60, 4)]
    stream = "".join(f"{a} {b} {c} -{d}\n" for a, b, c, d in queries)
    lines = semblance("vectors", "analogy", mapped, "-", "--top", "5", "--json", input=stream).out.splitlines()
    for (a, b, c, d), line in zip(queries, lines):
        assert_same_neighbors(json.loads(line)["neighbors"], keyed.most_similar(positive=[a, b, c], negative=[d], topn=5))
    a, b, c, d = queries[0]
    one = semblance("vectors", "analogy", mapped, f"--positive={a}", f"--positive={b}", f"--positive={c}", f"--negative={d}", "--top", "5", "--json").json
    assert one["neighbors"] == json.loads(lines[0])["neighbors"]


def test_similarity_odd_one_out_and_closest(real):
    _, mapped, keyed, words = real
    a, b, *some = words[:8]
    assert semblance("vectors", "similarity", mapped, a, b, "--json").json["similarity"] == pytest.approx(float(keyed.similarity(a, b)), abs=LAST_DIGITS)
    # Not the words are compared but what chose them, lest two be as good but for the last digits.
    units = {word: keyed.get_vector(word, norm=True) for word in some}
    mean = numpy.mean([units[word] for word in some], axis=0)
    odd, closest = (semblance("vectors", verb, mapped, *some, "--json").json["word"] for verb in ("odd-one-out", "closest"))
    assert units[odd] @ mean == pytest.approx(units[keyed.doesnt_match(some)] @ mean, abs=LAST_DIGITS)
    assert units[closest] @ units[some[0]] == pytest.approx(keyed.similarity(some[0], keyed.most_similar_to_given(some[0], some[1:])), abs=LAST_DIGITS)


def test_neighbors_of_a_vector(real):
    _, mapped, keyed, words = real
    vector = keyed[words[0]] + keyed[words[1]]
    found = semblance("vectors", "neighbors", mapped, "--top", "5", "--json", "--vector=" + ",".join(map(str, vector))).json["neighbors"]
    assert_same_neighbors(found, keyed.similar_by_vector(vector, topn=5))


@pytest.mark.parametrize("form", ["word2vec", "word2vec-bin"])
def test_gensim_reads_what_is_written(form, real, tmp_path):
    path, mapped, keyed, _ = real
    for source in (path, mapped):
        semblance("vectors", "convert", source, "--limit", LIMIT, "--format", form, "--output", tmp_path / "out")
        again = gensim.KeyedVectors.load_word2vec_format(str(tmp_path / "out"), binary=form == "word2vec-bin")
        known = [w for w in again.index_to_key if w in keyed.key_to_index]
        assert len(known) > 0.99 * len(keyed)
        assert all(numpy.array_equal(again[w], keyed[w]) for w in known if "\ufffd" not in w)


def test_word_sets_as_gensim_measures_them(shared):
    path, words = shared / "data/vectors/imdb_sg_100d.vec.gz", shared / "data/words"
    keyed = gensim.KeyedVectors.load_word2vec_format(str(path), limit=2 * LIMIT)
    limit = ["--limit", 2 * LIMIT]
    for name in ("EN-WS-353-ALL", "EN-SIMLEX-999", "EN-MEN-TR-3k", "EN-RG-65"):
        pearson, spearman, unknown = keyed.evaluate_word_pairs(str(words / f"{name}.txt"))
        report = semblance("vectors", "evaluate", path, words / f"{name}.txt", *limit, "--json").json
        assert report["pearson"] == pytest.approx(pearson[0], abs=1e-4)
        assert report["spearman"] == pytest.approx(spearman[0], abs=1e-4)
        assert 100 * (1 - report["coverage"]) == pytest.approx(unknown, abs=1e-4)
    # All of questions-words takes gensim 17 s; with so few words it is the same code.
    accuracy, sections = keyed.evaluate_word_analogies(str(words / "questions-words.txt"), restrict_vocab=5000)
    report = semblance("vectors", "evaluate", path, words / "questions-words.txt", *limit, "--restrict-vocab", "5000", "--json").json
    assert report["accuracy"] == pytest.approx(accuracy, abs=1e-3)
    for ours, theirs in zip(report["sections"], sections):
        correct = len(theirs["correct"])
        assert (ours["section"], ours["examples"]) == (theirs["section"], correct + len(theirs["incorrect"]))
        assert abs(ours["correct"] - correct) <= 1, "one answer may hang on the last digits"


def ranks_in_python(keyed, path):
    """Rows ranked as the definition says, one at a time: (best rank, number of ties), or None where question or duplicate has no known word."""
    for line in path.read_text().splitlines():
        vectors = []
        for text in line.split("\t"):
            known = [keyed[w] for w in text.split() if w in keyed]
            mean = numpy.mean(known, axis=0, dtype=numpy.float64) if known else None
            vectors.append(mean / numpy.linalg.norm(mean) if known else None)
        if vectors[0] is None or vectors[1] is None:
            yield None, len(vectors) - 1
            continue
        above = [vectors[0] @ (v - vectors[1]) for v in vectors[2:] if v is not None]
        assert not any(1e-9 < abs(a) < 1e-6 for a in above), "no order hangs on float32's last digits"
        yield 1 + sum(a > 1e-9 for a in above), sum(abs(a) <= 1e-9 for a in above)


@pytest.mark.parametrize("policy", ["pessimistic", "optimistic", "expected"])
def test_hits_at_k(policy, tmp_path):
    generator = random.Random(7)
    words = [f"w{i}" for i in range(40)]
    rows = numpy.random.default_rng(1).standard_normal((30, 5)).astype("float32")  # ten words are not known
    (tmp_path / "v.vec").write_text("30 5\n" + "".join(f"{w} {' '.join(map(str, row))}\n" for w, row in zip(words, rows)))
    keyed = gensim.KeyedVectors.load_word2vec_format(str(tmp_path / "v.vec"))
    texts = [" ".join(generator.choices(words, k=generator.randrange(1, 5))) for _ in range(60)]
    lines = ["\t".join(generator.choices(texts, k=generator.randrange(3, 40))) for _ in range(200)]
    lines += ["w35\tw1\tw2", "w1\tw35\tw2\tw36"]
    (tmp_path / "rows.tsv").write_text("\r\n".join(lines))
    report = semblance("evaluate", "--vectors", tmp_path / "v.vec", tmp_path / "rows.tsv", "--k", "1,3,10", "--ties", policy, "--json").json
    ranks = list(ranks_in_python(keyed, tmp_path / "rows.tsv"))
    orders = [list(range(best, best + ties + 1)) for best, ties in ranks if best]
    orders = [{"pessimistic": o[-1:], "optimistic": o[:1], "expected": o}[policy] for o in orders]
    mean = lambda values: sum(values) / 202  # what is not found adds nothing
    assert report["examples"] == 202 and report["ties"] > 0 and report["empty_queries"] >= 1 and len(orders) < 202
    assert report["mrr"] == pytest.approx(mean([numpy.mean([1 / r for r in o]) for o in orders]))
    places = [numpy.mean(o) for o in orders] + [last for best, last in ranks if not best]
    assert report["mean_rank"] == pytest.approx(numpy.mean(places))
    assert report["median_rank"] == pytest.approx(numpy.median(places))
    for k in (1, 3, 10):
        assert report["hits"][str(k)] == pytest.approx(mean([numpy.mean([r <= k for r in o]) for o in orders]))
        assert report["dcg"][str(k)] == pytest.approx(mean([numpy.mean([(r <= k) / numpy.log2(1 + r) for r in o]) for o in orders]))


@pytest.mark.parametrize("name,hits,mrr", [("mqp", {"1": 0.45, "5": 0.645, "10": 0.725}, 0.547599), ("banking77", {"1": 0.159740, "5": 0.335065, "10": 0.435065, "100": 0.994156}, 0.253820)])
def test_real_rankings_are_those_of_a_plain_python_script(name, hits, mrr, shared):
    report = semblance("evaluate", "--vectors", shared / "data/vectors/imdb_sg_100d.vec.gz", shared / f"data/duplicates/{name}/ranking_test.tsv", "--json").json
    one_row = 1.5 / report["examples"]  # may be ranked otherwise for the last digits of its similarities
    assert report["mrr"] == pytest.approx(mrr, abs=one_row)
    for k, value in hits.items():
        assert report["hits"][k] == pytest.approx(value, abs=one_row)


GOOD = "2 3\nking 1 2 3\nqueen 3 2 1\n"
BINARY = b"2 3\n" + b"king " + struct.pack("<3f", 1, 2, 3) + b"queen " + struct.pack("<3f", 3, 2, 1)

HOSTILE = {
    "an empty file": (b"", "empty file"),
    "a promise of 10^12 rows": (b"1000000000000 300\nking 1 2 3\n", "promises 1000000000000 vectors"),
    "a promise of a wide row": (b"2 1000000\nking 1\n", "1 to 65536"),
    "a promise of nothing": (b"0 3\n", "promises none"),
    "a gzip bomb's promise": (gzip.compress(b"1000000000 300\nking " + b"0 " * 300 + b"\n"), "promises 1000000000 vectors"),
    "fewer rows than promised": (b"3 3\nking 1 2 3\nqueen 3 2 1\n", "promises 3 vectors, found 2"),
    "a short row": (b"2 3\nking 1 2 3\nqueen 3 2\n", ":3: expected a word and 3 numbers"),
    "a value that is none": (b"2 3\nking 1 2 3\nqueen 3 2 1x\n", ":3: expected a word and 3 numbers, found '1x'"),
    "NaN": (b"2 3\nking 1 2 3\nqueen 3 nan 1\n", ":3: expected finite numbers"),
    "a value beyond float32": (b"2 3\nking 1 2 3\nqueen 3 1e60 1\n", ":3: expected finite numbers"),
    "a NUL in a word": (b"2 3\nking 1 2 3\nque\0en 3 2 1\n", ":3: expected a word, found one with a control character"),
    "no word": (b"2 3\nking 1 2 3\n 3 2 1\n", ":3: expected a word, found none"),
    "a truncated binary": (BINARY[:-2], "vector 2: expected a word and its numbers, found the end"),
    "a binary cut in a word": (BINARY[:-14] + b"n" * 20, "vector 2: expected a word"),
    "a binary with NaN": (BINARY[:-4] + struct.pack("<f", float("nan")), "vector 2: expected finite numbers"),
    "prose": (b"It was a bright cold day in April.\n", "expected word2vec, GloVe"),
    "other bytes": (bytes(range(256)) * 300, "expected word2vec, GloVe"),
    "a truncated gzip": (gzip.compress(GOOD.encode())[:-9], "gzip stream is truncated"),
}


@pytest.mark.parametrize("content,message", HOSTILE.values(), ids=HOSTILE)
def test_hostile_vectors(content, message, tmp_path):
    (tmp_path / "v").write_bytes(content)
    # Address space in kB: enough for LibTorch, with CUDA's libraries and many cores' threads too; not for what is promised.
    result = semblance("vectors", "info", tmp_path / "v", limit="-v 32000000", check=False)
    assert result.code == 3 and message in result.error, result.err
    output = tmp_path / "out"
    output.write_text("earlier")
    assert semblance("vectors", "convert", tmp_path / "v", "--format", "mapped", "--output", output, check=False).code == 3
    assert output.read_text() == "earlier" and not list(tmp_path.glob("*.tmp"))


def test_a_line_without_an_end(tmp_path):
    with gzip.open(tmp_path / "v.gz", "wb", 1) as file:
        file.write(b"2 3\nking 1 2 3\n" + b"a" * (64 << 20))
    result = semblance("vectors", "info", tmp_path / "v.gz", check=False)
    assert result.code == 3 and "expected a line of at most 16 MB" in result.error


def test_bad_rows_are_skipped_and_counted_where_asked(tmp_path):
    (tmp_path / "v").write_bytes(b"6 3\nking 1 2 3\nshort 1\nnan 1 nan 2\nking 9 9 9\nqu\xe9en 3 2 1\nlast 0 0 1\n")
    result = semblance("vectors", "info", tmp_path / "v", "--bad-rows", "skip", "--json")
    assert result.json["vectors"] == 3
    for warning in ("left out 2 bad vector(s), the first: ", "left out 1 vector(s) of words that came before", "1 word(s) with ill-formed UTF-8"):
        assert result.err.count(warning) == 1
    assert semblance("vectors", "similarity", tmp_path / "v", "--bad-rows", "skip", "king", "qu\ufffden", "--json").json["similarity"] == pytest.approx(10 / 14)


def test_binary_records_with_and_without_a_line_break(tmp_path):
    (tmp_path / "without").write_bytes(BINARY)
    (tmp_path / "with").write_bytes(BINARY.replace(b"queen", b"\nqueen") + b"\n")
    for name in ("with", "without"):
        assert semblance("vectors", "similarity", tmp_path / name, "king", "queen", "--json").json["similarity"] == pytest.approx(10 / 14)


def test_words_with_blanks_and_a_limit(tmp_path):
    (tmp_path / "glove").write_text("new york 0.1 0.2\n. . 0.3 0.1\nparis 0.5 0.5")
    info = semblance("vectors", "info", tmp_path / "glove", "--limit", "2", "--json").json
    assert (info["vectors"], info["dim"], info["first"], info["last"]) == (2, 2, "new york", ". .")
    result = semblance("vectors", "convert", tmp_path / "glove", "--format", "word2vec", "--output", tmp_path / "out")
    assert (tmp_path / "out").read_text().split("\n")[1] == "new_york 0.1 0.2" and "2 word(s) with blanks" in result.err


@pytest.mark.parametrize("place", ["matrix", "index", "footer", "end", "start"])
def test_a_damaged_mapped_file(place, tmp_path):
    (tmp_path / "v").write_text(GOOD)
    mapped = tmp_path / "m"
    semblance("vectors", "convert", tmp_path / "v", "--format", "mapped", "--output", mapped)
    data = bytearray(mapped.read_bytes())
    at = {"matrix": 4100, "index": 4096 + 64 + 3, "footer": len(data) - 100, "end": len(data) - 1, "start": 0}[place]
    data[at] ^= 1
    mapped.write_bytes(data)
    result = semblance("vectors", "info", mapped, check=False)
    assert result.code in (3, 4) and result.error
    mapped.write_bytes(data[:-1])
    assert semblance("vectors", "info", mapped, check=False).code in (3, 4)


def test_wrong_questions(tmp_path):
    (tmp_path / "v").write_text(GOOD)
    (tmp_path / "bad.tsv").write_text("a\tb\tc\nalone\n")
    (tmp_path / "set").write_text("king queen x\nking queen y\n")
    for arguments, code, message in [
        (("neighbors", tmp_path / "v", "prince"), 3, "'prince' is not in"),
        (("neighbors", tmp_path / "v", "king", "--top", "0"), 2, "top"),
        (("neighbors", tmp_path / "v", "--vector", "1,2"), 2, "expected 3 numbers, found 2"),
        (("neighbors", tmp_path / "absent", "king"), 3, "absent: cannot be opened"),
        (("analogy", tmp_path / "v"), 2, "--positive"),
        (("odd-one-out", tmp_path / "v", "prince"), 3, "none of the words is in"),
        (("convert", tmp_path / "v", "--format", "arrow", "--output", tmp_path / "o"), 2, "format"),
        (("convert", tmp_path / "v", "--format", "mapped", "--output", tmp_path / "no/o"), 4, "cannot be created"),
        (("evaluate", tmp_path / "v", tmp_path / "set"), 3, "set:2: "),
        (("spell", tmp_path / "v"), 2, "spell"),
    ]:
        result = semblance("vectors", *arguments, check=False)
        assert result.code == code and message in result.error, result.err
    result = semblance("evaluate", "--vectors", tmp_path / "v", tmp_path / "bad.tsv", check=False)
    assert result.code == 3 and "bad.tsv:2: " in result.error
    assert semblance("evaluate", "--vectors", tmp_path / "v", tmp_path / "bad.tsv", "--bad-rows", "skip", "--json").json["skipped"] == 1
    assert semblance("evaluate", "--vectors", tmp_path / "v", tmp_path / "bad.tsv", "--k", "0", check=False).code == 2


def test_a_stream_answers_unknown_words_in_their_place(tmp_path):
    (tmp_path / "v").write_text(GOOD)
    result = semblance("vectors", "neighbors", tmp_path / "v", "--json", input="king\nprince\nqueen\n")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [line["query"] for line in lines] == ["king", "prince", "queen"]
    assert lines[1] == {"query": "prince", "neighbors": [], "unknown": "prince"}
    assert lines[2]["neighbors"][0]["word"] == "king" and "1 of 3 queries" in result.err


def test_every_line_of_a_stream_is_answered(tmp_path):  # V6
    (tmp_path / "v").write_text(GOOD)
    for verb in "neighbors", "analogy":
        result = semblance("vectors", verb, tmp_path / "v", "-", "--json", input="king\n\nqueen\n \n")
        lines = [json.loads(line) for line in result.out.splitlines()]
        assert [line["query"] for line in lines] == ["king", "", "queen", " "]
        assert [line["neighbors"] == [] for line in lines] == ["unknown" in line for line in lines] == [False, True, False, True]


def test_cosine_is_the_same_both_ways_and_1_of_itself(tmp_path):  # V3
    rows = numpy.random.default_rng(8).normal(size=(60, 50))
    (tmp_path / "v").write_text("60 50\n" + "".join(f"w{i} {' '.join(f'{x:.6f}' for x in row)}\n" for i, row in enumerate(rows)))
    of = lambda a, b: semblance("vectors", "similarity", tmp_path / "v", f"w{a}", f"w{b}", "--json").json["similarity"]
    for i in range(0, 10, 2):
        assert of(i, i + 1) == of(i + 1, i) and of(i, i) == 1
    # Both orders of a pair tie, so that their mean rank is what scipy's spearmanr makes of it.
    scores = random.Random(5).sample(range(1000), 60)
    pairs = [(f"w{i}", f"w{i + 1}") for i in range(0, 60, 2)] + [(f"w{i + 1}", f"w{i}") for i in range(0, 60, 2)]
    (tmp_path / "set").write_text("".join(f"{a}\t{b}\t{score}\n" for (a, b), score in zip(pairs, scores)))
    unit = rows / numpy.linalg.norm(rows, axis=1, keepdims=True)
    cosines = [round(float(unit[int(a[1:])] @ unit[int(b[1:])]), 9) for a, b in pairs]
    expected = pytest.importorskip("scipy.stats").spearmanr(cosines, scores).statistic
    assert semblance("vectors", "evaluate", tmp_path / "v", tmp_path / "set", "--json").json["spearman"] == pytest.approx(expected, abs=1e-9)


def test_a_zero_vector_has_no_neighbors_and_is_none(tmp_path):  # V13
    (tmp_path / "v").write_text("4 2\nzero 0 0\na 1 0\nb -1 0\nc -1 0.5\n")
    result = semblance("vectors", "neighbors", tmp_path / "v", "zero", "--json")
    assert result.json["neighbors"] == [] and "near to nothing" in result.err
    stream = semblance("vectors", "neighbors", tmp_path / "v", "--json", input="zero\na\n")
    zero, a = [[n["word"] for n in json.loads(line)["neighbors"]] for line in stream.out.splitlines()]
    assert zero == [] and a == ["c", "b"] and "1 of 2 queries have no neighbours" in stream.err
