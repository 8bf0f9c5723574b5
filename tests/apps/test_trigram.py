"""Vectors for unknown words: training on known ones, encoding, and --oov wherever word vectors are asked."""

import json
import math
import shutil
import struct
import subprocess

import pytest
from conftest import BIN, ROOT, assert_same_neighbors, semblance

USAGE, DATA, MODEL = 2, 3, 4

WORDS = ROOT / "tests/fixtures/words.vec"
# "noemia" has the trigrams noe and mia; of "zzz" and of "q" no trigram is known.
UNKNOWN, WITHOUT_RUNS = "noemia", ["zzz", "q"]
FITTED = ["--epochs", "100", "--batch-size", "4", "--lr", "0.05", "--weight-decay", "0", "--checkpoint-every", "100000steps"]


def read_vectors(text):
    """word2vec's text form, as the format says and no more."""
    header, *rows = text.splitlines()
    vectors = {word: list(map(float, values)) for word, *values in (row.split(" ") for row in rows)}
    assert header.split() == [str(len(rows)), str(len(next(iter(vectors.values()))))] and len(vectors) == len(rows)
    return vectors


KNOWN = read_vectors(WORDS.read_text())


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.hypot(*a) / math.hypot(*b)


def squared_distance(a, b):
    return sum((x - y) ** 2 for x, y in zip(a, b))


def mean(values):
    values = list(values)
    return sum(values) / len(values)


def close(values):
    return pytest.approx(values, rel=1e-5, abs=1e-6)


def train(run, *options, vectors=WORDS, **more):
    return semblance("train", "trigram", "--vectors", vectors, "--run", run, *options, **more)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that learnt all forty words as well as it could; tests only read it."""
    folder = tmp_path_factory.mktemp("trigram") / "run"
    train(folder, "--held-out", "0", *FITTED)
    return folder


@pytest.fixture(scope="module")
def made(run):
    """The vector of UNKNOWN as `encode` gives it."""
    return read_vectors(semblance("encode", run, input=UNKNOWN + "\n").out)[UNKNOWN]


# Training


def test_words_that_were_held_out_are_measured(tmp_path):
    report = train(tmp_path / "r", "--checkpoint-every", "1epoch", "--json").json
    words = list(KNOWN)
    held_out, learnt = words[::10], [word for i, word in enumerate(words) if i % 10]
    valid = report["valid"]
    assert valid["examples"] == 4 and len(report["history"]) == 10
    best = f"step-{report['best_epoch']:08}"
    found = read_vectors(semblance("encode", tmp_path / "r", "--checkpoint", best, input="\n".join(held_out)).out)
    assert found.keys() == set(held_out), "each has a run that the others taught"
    average = [mean(KNOWN[word][d] for word in learnt) for d in range(8)]
    assert valid["cosine"] == close(mean(cosine(found[w], KNOWN[w]) for w in held_out))
    assert valid["mse"] == valid["loss"] == close(mean(squared_distance(found[w], KNOWN[w]) / 8 for w in held_out))
    assert valid["zero_mse"] == close(mean(squared_distance([0] * 8, KNOWN[w]) / 8 for w in held_out))
    assert valid["mean_mse"] == close(mean(squared_distance(average, KNOWN[w]) / 8 for w in held_out))
    assert valid["mean_cosine"] == close(mean(cosine(average, KNOWN[w]) for w in held_out))


def test_known_words_are_fitted(run):
    """Each of the forty has a run to itself, so nothing stands in the way."""
    found = read_vectors(semblance("encode", run, input="\n".join(KNOWN)).out)
    assert list(found) == list(KNOWN)
    assert min(cosine(found[word], KNOWN[word]) for word in KNOWN) > 0.99


def test_what_ngrams_tell_is_carried_over_to_new_words(tmp_path):
    """Vectors that are sums of a stem's and an ending's: words of a held-out pair are told by their parts."""
    stems, endings = ["kato", "лиру", "méso", "bund", "pilf"], ["ing", "ство", "😀😀", "ness"]
    axes = stems + endings
    rows = [f"{s}{e} " + " ".join("1" if axis in (s, e) else "0" for axis in axes) for s in stems for e in endings]
    (tmp_path / "v").write_text("\n".join(rows))
    result = train(tmp_path / "r", "--ngrams", "3-4", "--json", *FITTED, vectors=tmp_path / "v")
    assert "18 words to train on, 2 held out" in result.err
    assert result.json["valid"]["cosine"] > 0.9


def test_the_number_of_threads_changes_nothing(tmp_path):
    rows = [f"w{i * 7919 % 10007}x{i} " + " ".join(str((i * d * 31 % 97 - 48) / 97) for d in range(300)) for i in range(700)]
    (tmp_path / "v").write_text("\n".join(rows))
    weights = []
    for threads in ("1", "2"):
        train(tmp_path / threads, "--batch-size", "512", "--epochs", "2", "--threads", threads, vectors=tmp_path / "v")
        last = tmp_path / threads / (tmp_path / threads / "LAST").read_text().strip()
        weights.append([(last / name).read_bytes() for name in ("model.safetensors", "optimizer.safetensors")])
    assert weights[0] == weights[1]


def test_a_list_of_words_to_learn_from(tmp_path):
    (tmp_path / "list").write_text("mia\nlea\n\nnoe\nmia\nabsent\nсова\n")
    notes = train(tmp_path / "r", "--words", tmp_path / "list", "--held-out", "0").err
    assert "3 words to train on, 0 held out; 9 character n-grams" in notes
    assert "warning: 2 word(s)" in notes and "absent, сова" in notes


def test_words_too_short_for_a_run_are_named_and_not_learnt(tmp_path):
    (tmp_path / "v").write_text("longer 1 2\nab 1 2\nlonger2 3 4\nabcd 3 4\nk 1 1\n")
    notes = train(tmp_path / "r", "--ngrams", "5-6", "--held-out", "0", vectors=tmp_path / "v").err
    assert "warning: 2 word(s) too short to have an n-gram, not trained on: ab, k\n" in notes and "3 words to train on" in notes


def test_held_out_words_without_a_known_run_are_named(tmp_path):
    (tmp_path / "v").write_text("zzz 1 2\nmia 1 2\nmie 3 4\n")
    result = train(tmp_path / "r", "--json", vectors=tmp_path / "v")
    assert "warning: 1 word(s) held out and without a known n-gram, which count as zero vectors: zzz\n" in result.err
    assert result.json["valid"]["cosine"] == 0


def test_evaluate_measures_word_pairs_and_the_held_out_words(run, tmp_path):
    (tmp_path / "pairs").write_text("mia mii 3\nmia noemia 2\nlea wuu 1\nzzz mia 9\n")
    valid = train(tmp_path / "r", "--epochs", "3", "--json").json["valid"]
    report = semblance("evaluate", tmp_path / "r", tmp_path / "pairs", "--json").json
    assert (report["task"], report["examples"], report["skipped"]) == ("trigram", 3, 1)
    assert report["held_out"] == valid
    assert semblance("evaluate", run, tmp_path / "pairs", "--json").json["held_out"] is None


def test_held_out_words_are_not_measured_on_other_vectors(tmp_path):
    (tmp_path / "pairs").write_text("mia mii 3\nlea wuu 1\n")
    shutil.copy(WORDS, tmp_path / "v")
    train(tmp_path / "r", "--epochs", "1", vectors=tmp_path / "v")
    (tmp_path / "v").write_text(WORDS.read_text().replace("1.0982", "1.0983"))
    result = semblance("evaluate", tmp_path / "r", tmp_path / "pairs", "--json")
    assert "held_out" not in result.json
    assert "warning: the held-out words are not measured: " in result.err and "expected the vectors that the model was trained on" in result.err


# Encoding


def test_every_format_says_the_same(run, made, tmp_path):
    vectors = {}
    for form in ("word2vec", "word2vec-bin", "mapped"):
        semblance("encode", run, "--output-format", form, "--output", tmp_path / form, input="noemia\nwuu\n")
        vectors[form] = semblance("vectors", "vector", tmp_path / form, "noemia", "wuu", "--json").json
    lines = semblance("encode", run, "--output-format", "jsonl", input="noemia\nwuu\n").out.splitlines()
    vectors["jsonl"] = {line["word"]: line["vector"] for line in map(json.loads, lines)}
    for form in vectors:
        assert vectors[form] == vectors["word2vec"], form
    assert vectors["jsonl"]["noemia"] == close(made)


@pytest.mark.parametrize("form", ["word2vec", "word2vec-bin", "mapped", "jsonl"])
def test_standard_output_and_a_file_hold_the_same_bytes(form, run, tmp_path):
    (tmp_path / "words").write_text("noemia\nwuu\n")
    semblance("encode", run, tmp_path / "words", "--output-format", form, "--output", tmp_path / "out")
    printed = subprocess.check_output([BIN / "semblance", "encode", run, tmp_path / "words", "--output-format", form])
    assert printed == (tmp_path / "out").read_bytes()


def weights_by_run(run):
    """Read from the checkpoint: runs.txt numbers the rows of the weights."""
    checkpoint = run / (run / "LAST").read_text().strip()
    runs = (checkpoint / "runs.txt").read_text().splitlines()
    data = (checkpoint / "model.safetensors").read_bytes()
    (header,) = struct.unpack_from("<Q", data)
    values = struct.unpack_from(f"<{8 * len(runs)}f", data, 8 + header)
    return {name: values[8 * i : 8 * i + 8] for i, name in enumerate(runs)}


@pytest.mark.parametrize("pooling", ["sum", "mean"])
def test_a_vector_is_made_of_its_ngrams(pooling, tmp_path):
    train(tmp_path / "r", "--held-out", "0", "--epochs", "3", "--pooling", pooling)
    rows = weights_by_run(tmp_path / "r")
    assert len(rows) == 8 + 8 * 5 + 40 and not {"oem", "emi"} & rows.keys()  # #ка; каa …: aa#
    parts = [rows[name] for name in ("#no", "noe", "mia", "ia#")]
    expected = [sum(column) / (4 if pooling == "mean" else 1) for column in zip(*parts)]
    assert read_vectors(semblance("encode", tmp_path / "r", input="noemia\n").out)["noemia"] == close(expected)


def test_merging_leaves_known_vectors_as_they_are(run, made, tmp_path):
    result = semblance("encode", run, "--merge", WORDS, input="noemia\nmia\nnoemia\nzzz\n")
    merged = read_vectors(result.out)
    assert list(merged) == [*KNOWN, "noemia"], "known words first and once"
    assert merged == {**KNOWN, "noemia": close(made)}
    assert "warning: 1 word(s) without a vector, since no n-gram of their characters is known: zzz\n" in result.err

    for form in ("word2vec-bin", "mapped"):
        semblance("encode", run, "--merge", WORDS, "--output-format", form, "--output", tmp_path / form, input="noemia\n")
        back = semblance("vectors", "vector", tmp_path / form, *merged, "--json").json
        assert back == semblance("vectors", "vector", WORDS, *KNOWN, "--json").json | {"noemia": close(made)}


def test_words_without_a_known_run_are_named_and_never_zero(run):
    words = [*WITHOUT_RUNS, *(f"zz{i}zz" for i in range(30))]
    result = semblance("encode", run, input="\n".join(["noemia", *words, "wuu"]))
    assert list(read_vectors(result.out)) == ["noemia", "wuu"]
    assert "warning: 32 word(s) without a vector, since no n-gram of their characters is known: zzz, q, zz0zz, " in result.err
    assert result.err.endswith(", …\n") and "zz29zz" not in result.err, "named as far as a line has room"


def test_words_of_all_kinds(run):
    words = {
        "ten thousand characters": "noe" * 3333 + "a",
        "Cyrillic": "каeк",
        "emoji": "mia😀👍🏽",
        "combining marks": "te\u0301u",  # te + ́ + u: only its end is known
        "a blank within": "mia noe",
    }
    result = semblance("encode", run, "--output-format", "jsonl", input="\n\n" + "\n".join(words.values()) + "\n\n")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert len(lines) == 4 + len(words) - 1 and lines[0] == {"word": "", "vector": None, "unknown": True}  # a line for a line
    found = {line["word"]: line["vector"] for line in lines if line["word"]}
    assert list(found) == list(words.values()) and [word for word, vector in found.items() if not vector] == [words["combining marks"]]
    assert "1 word(s) without a vector" in result.err and "te\u0301u" in result.err
    assert all(map(math.isfinite, found["mia😀👍🏽"]))
    assert found["mia noe"] != found["mia😀👍🏽"]
    # A composed letter is one character, and not the two that it can be taken apart to.
    assert semblance("encode", run, "--output-format", "jsonl", input="téu\n").json["word"] == "téu"


def test_ill_formed_utf8_is_replaced_and_counted(run):
    result = semblance("encode", run, input=b"mia\xff\nnoe\xf0\n")
    assert list(read_vectors(result.out)) == ["mia\ufffd", "noe\ufffd"]
    assert "2 line(s) with ill-formed UTF-8, which became U+FFFD" in result.err


# --oov


def test_neighbors_of_an_unknown_word(run, made):
    expected = sorted(((word, cosine(made, KNOWN[word])) for word in KNOWN), key=lambda pair: -pair[1])[:5]
    answer = semblance("vectors", "neighbors", WORDS, UNKNOWN, "--oov", run, "--top", "5", "--json").json["neighbors"]
    assert_same_neighbors(answer, expected)
    stream = semblance("vectors", "neighbors", WORDS, "--oov", run, "--top", "5", "--json", input=f"mia\n{UNKNOWN}\nzzz\n\nwuu\n")
    lines = [json.loads(line) for line in stream.out.splitlines()]
    assert [line["query"] for line in lines] == ["mia", UNKNOWN, "zzz", "", "wuu"]
    assert lines[1]["neighbors"] == answer and "unknown" not in lines[1]
    assert lines[2] == {"query": "zzz", "neighbors": [], "unknown": "zzz"}
    assert "warning: 2 of 5 queries have an unknown word" in stream.err


def test_an_oov_run_changes_no_answer_about_known_words(run):
    for query in (["neighbors", WORDS, "mia"], ["vector", WORDS, "mia", "wuu"]):
        assert semblance("vectors", *query, "--oov", run).out == semblance("vectors", *query).out


def test_similarity_and_vector_of_an_unknown_word(run, made):
    assert semblance("vectors", "similarity", WORDS, UNKNOWN, "mia", "--oov", run, "--json").json["similarity"] == close(cosine(made, KNOWN["mia"]))
    assert semblance("vectors", "vector", WORDS, UNKNOWN, "mia", "--oov", run, "--json").json == {UNKNOWN: close(made), "mia": close(KNOWN["mia"])}
    for query in (["similarity", WORDS, "mia", "zzz"], ["neighbors", WORDS, "zzz"]):
        result = semblance("vectors", *query, "--oov", run, check=False)
        assert result.code == DATA and "'zzz'" in result.error and result.out == ""


def test_ill_formed_utf8_in_a_question(run):
    """The byte that should begin a long character swallows none of those behind it."""
    result = semblance("vectors", "neighbors", WORDS, "--oov", run, "--json", input=b"mia\xf0\n\xf0mia\n")
    lines = [json.loads(line)["neighbors"] for line in result.out.splitlines()]
    assert lines[0] and lines[1] and "unknown" not in result.err


def test_ranking_knows_more_words(run, tmp_path):
    """Hits@1 asks for the duplicate, made of a word that the file lacks."""
    (tmp_path / "rows").write_text("mia\tmiami\tlea\tzzz\nwuu\twuuu\tlea\tzzz mia\n")
    found = {}
    for name, options in {"without": [], "with": ["--oov", run]}.items():
        found[name] = semblance("evaluate", "--vectors", WORDS, tmp_path / "rows", "--k", "1", "--json", *options).json
    assert found["without"]["coverage"] == pytest.approx(4 / 8) and found["without"]["hits"]["1"] == 0
    assert found["with"]["coverage"] == pytest.approx(6 / 8) and found["with"]["hits"]["1"] == 1


def test_word_pairs_know_more_words(run, made, tmp_path):
    (tmp_path / "pairs").write_text("mia lea 1\nmia noemia 3\nwuu noemia 2\nmia zzz 5\nlea wuu 4\n")
    without = semblance("vectors", "evaluate", WORDS, tmp_path / "pairs", "--json").json
    report = semblance("vectors", "evaluate", WORDS, tmp_path / "pairs", "--oov", run, "--json").json
    assert (without["examples"], without["coverage"], without["oov"]) == (2, 0.4, 0)
    assert (report["examples"], report["coverage"], report["oov"], report["skipped"]) == (4, 0.8, 2, 1)
    a, b = [1, 3, 2, 4], [cosine(KNOWN["mia"], KNOWN["lea"]), cosine(KNOWN["mia"], made), cosine(KNOWN["wuu"], made), cosine(KNOWN["lea"], KNOWN["wuu"])]
    a, b = [x - mean(a) for x in a], [x - mean(b) for x in b]
    assert report["pearson"] == close(cosine(a, b))


# What cannot be done: one line, and the code that tells whose fault it is.


WRONG_TRAINING = {
    "no vectors": ([], None, USAGE, "--vectors: expected a file of word vectors"),
    "vectors that are not there": (["--vectors", "{}/none"], None, DATA, "none: cannot be opened"),
    "an empty file": ([], "", DATA, "found an empty file"),
    "a single word, which is held out": ([], "1 2\nking 1 2\n", DATA, "--held-out"),
    "words without n-grams": (["--ngrams", "5"], "2 2\na 1 2\nb 2 3\n", DATA, "n-grams of 5 characters"),
    "a list without known words": (["--words", "{}/rows"], "3 2\nking 1 2\nqueen 2 3\nrook 2 2\n", DATA, "expected words of"),
    "a list that is not there": (["--words", "{}/none"], "2 2\nking 1 2\nqueen 2 3\n", DATA, "none: cannot be opened"),
    **{f"--held-out {share}": (["--held-out", share], "2 2\nking 1 2\nqueen 2 3\n", USAGE, "--held-out") for share in ("1", "-0.1", "x")},
    **{f"--ngrams {lengths}": (["--ngrams", lengths], "2 2\nking 1 2\nqueen 2 3\n", USAGE, "--ngrams") for lengths in ("three", "0", "6-3")},
    "--hash-buckets -1": (["--hash-buckets", "-1"], "2 2\nking 1 2\nqueen 2 3\n", USAGE, "--hash-buckets"),
    "--pooling max": (["--pooling", "max"], "2 2\nking 1 2\nqueen 2 3\n", USAGE, "--pooling"),
    "a measure of other tasks": (["--metric", "accuracy"], "2 2\nking 1 2\nqueen 2 3\n", USAGE, "--metric"),
}


@pytest.mark.parametrize("options,content,code,message", WRONG_TRAINING.values(), ids=WRONG_TRAINING)
def test_training_that_cannot_begin(options, content, code, message, tmp_path):
    (tmp_path / "rows").write_text("nobody\n")
    options = [option.replace("{}", str(tmp_path)) for option in options]
    if content is not None:
        (tmp_path / "v").write_text(content)
        options += ["--vectors", tmp_path / "v"]
    result = semblance("train", "trigram", "--run", tmp_path / "r", *options, check=False)
    assert result.code == code and message in result.error
    assert not (tmp_path / "r").exists()


def test_an_oov_run_of_another_kind(run, trained, tmp_path):
    (tmp_path / "v").write_text("king 1 2\nqueen 2 3\n")
    (tmp_path / "rows").write_text("king\tqueen\tking\n")
    for question, message in [
        (["vectors", "neighbors", tmp_path / "v", "king", "--oov", run], "expected a model of 2 dimensions, found 8"),
        (["evaluate", "--vectors", tmp_path / "v", tmp_path / "rows", "--oov", run], "expected a model of 2 dimensions, found 8"),
        (["vectors", "similarity", WORDS, "mia", "mii", "--oov", trained], "expected a model that encodes words (trigram), found one of sentiment"),
        (["vectors", "vector", WORDS, "mia", "--oov", tmp_path / "none"], "expected a run folder"),
    ]:
        result = semblance(*question, check=False)
        assert result.code == MODEL and message in result.error and result.out == ""
    result = semblance("encode", trained, input="king\n", check=False)
    assert result.code == MODEL and "expected a model that encodes (trigram or dssm), found one of sentiment" in result.error
    result = semblance("encode", run, "--merge", tmp_path / "v", input="king\n", check=False)
    assert result.code == DATA and "expected vectors of 8 dimensions, found 2" in result.error
    (tmp_path / "analogies").write_text(": capitals\nmia mii lea lei\n")
    for question in (["vectors", "evaluate", WORDS, tmp_path / "analogies", "--oov", run], ["evaluate", run, tmp_path / "analogies"]):
        result = semblance(*question, check=False)
        assert result.code == DATA and "analogies:1: " in result.error


@pytest.mark.parametrize("name,kept", [("runs.txt", -5), ("runs.txt", None), ("model.safetensors", -5), ("model.safetensors", 0), ("manifest.json", -5)])
def test_a_damaged_checkpoint(name, kept, run, tmp_path):
    """A file that is gone, empty, or lacks its end."""
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    for checkpoint in copy.glob("step-*"):
        content = (checkpoint / name).read_bytes()
        (checkpoint / name).unlink()
        if kept is not None:
            (checkpoint / name).write_bytes(content[:kept])
    question = ["encode", copy] if kept else ["vectors", "neighbors", WORDS, "--oov", copy]
    result = semblance(*question, input="noemia\n", check=False)
    assert result.code == MODEL and "step-" in result.error and result.out == ""


def test_an_output_that_cannot_be_written_leaves_the_earlier_one(run, tmp_path):
    (tmp_path / "out").write_text("earlier")
    for form in ("mapped", "jsonl"):
        result = semblance("encode", run, "--output-format", form, "--output", tmp_path / "no/out", input="noemia\n", check=False)
        assert result.code == MODEL and "no/out" in result.error
        result = semblance("encode", run, tmp_path / "none", "--output-format", form, "--output", tmp_path / "out", check=False)
        assert result.code == DATA and (tmp_path / "out").read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
