"""Small models: one file that answers as the run does, in place of which every verb takes it."""

import json
import os
import re
import shutil

import pytest
from conftest import BIN, LAST_DIGITS, QUICK, semblance

INTERNAL, USAGE, DATA, MODEL = 1, 2, 3, 4
NGRAMS = ["--model", "mean", "--dim", "64", "--ngrams", "2", "--char-ngrams", "4", "--buckets", "2000", "--char-buckets", "2000"]


@pytest.fixture(scope="module")
def run(opinions, tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "run"
    semblance("train", "sentiment", "--train", opinions, "--run", path, *NGRAMS, *QUICK, "--lr", "0.1")
    return path


@pytest.fixture(scope="module")
def small(run):
    path = run.parent / "opinions.small"
    semblance("export", run, "--format", "small", "--output", path)
    return path


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A run of dssm, its rows and what it was exported to."""
    folder = tmp_path_factory.mktemp("encoder")
    rows = folder / "rows.tsv"
    rows.write_text("".join(f"how to {verb} a {noun}\t{noun} {verb} question\n" for verb in ("open", "close", "sort", "copy") for noun in ("file", "list", "socket", "window", "table")))
    semblance("train", "dssm", "--train", rows, "--run", folder / "run", "--dim", "16", "--epochs", "5", "--char-ngrams", "3", "--split", "0.7,0.3,0", "--batch-size", "4")
    semblance("export", folder / "run", "--format", "small", "--output", folder / "small")
    return folder


def answers(model, *options, text="loved the film\nthe café was awful\nnothing known here\n"):
    return [json.loads(line) for line in semblance("predict", model, *options, input=text).out.splitlines()]


def test_it_answers_as_the_run_and_is_smaller(run, opinions, tmp_path):
    output = tmp_path / "whole"
    report = semblance("export", run, "--format", "small", "--output", output, "--max-bytes", "1000000", "--json").json
    assert report["ngrams_kept"] == report["ngrams"]
    assert report["bytes"] == output.stat().st_size < report["full_bytes"] / 2
    for full, little in zip(answers(run), answers(output)):
        assert little["label"] == full["label"]
        assert little["probability"] == pytest.approx(full["probability"], abs=0.01)
    full, little = (semblance("evaluate", model, opinions, "--json").json for model in (run, output))
    assert little["accuracy"] == full["accuracy"]
    assert little["loss"] == pytest.approx(full["loss"], abs=0.01)


def test_as_many_ngrams_go_as_the_validation_part_allows(run, opinions, tmp_path):
    report = semblance("export", run, "--format", "small", "--output", tmp_path / "small", "--tolerance", "0.01", "--json").json
    assert report["ngrams_kept"] < report["ngrams"]
    assert report["measure"] == "accuracy" and report["examples"] == 16
    assert report["small"] >= report["full"] - 1 / 16
    loss = [semblance("evaluate", model, opinions, "--json").json["loss"] for model in (run, tmp_path / "small")]
    assert loss[1] == pytest.approx(loss[0], abs=0.05)


def test_max_bytes_is_kept_and_used(run, small, tmp_path):
    def export(limit, **options):
        return semblance("export", run, "--format", "small", "--output", tmp_path / "small", "--tolerance", "1", "--max-bytes", limit, "--json", **options)

    limit = export(1_000_000).json["bytes"] * 3 // 4
    report = export(limit).json
    assert 0.9 * limit < (tmp_path / "small").stat().st_size <= limit
    assert 0 < report["ngrams_kept"] < report["ngrams"]
    refused = export(100, check=False)
    assert refused.code == USAGE and "--max-bytes: expected at least" in refused.error


def test_buckets_without_training_ngrams_go(opinions, tmp_path):
    """With --min-ngram-count 0 every bucket has a row."""
    semblance("train", "sentiment", "--train", opinions, "--run", tmp_path / "run", *NGRAMS, "--min-ngram-count", "0", *QUICK)
    semblance("export", tmp_path / "run", "--format", "small", "--output", tmp_path / "small", "--max-bytes", "50000")
    assert [a["label"] for a in answers(tmp_path / "run")] == [a["label"] for a in answers(tmp_path / "small")]


@pytest.mark.parametrize("model", ["mlp", "linear"])
def test_other_classifiers(opinions, tmp_path, model):
    options = [*NGRAMS[2:], *QUICK[:4]]
    semblance("train", "sentiment", "--train", opinions, "--run", tmp_path / "run", "--model", model, *options)
    semblance("export", tmp_path / "run", "--format", "small", "--output", tmp_path / "small", "--check", opinions)
    for full, little in zip(answers(tmp_path / "run"), answers(tmp_path / "small")):
        assert little["probability"] == pytest.approx(full["probability"], abs=0.1)


@pytest.mark.parametrize("options", [[], ["--top-k", "2"], ["--threshold", "0.2", "--temperature", "3"], ["--all-probabilities"]], ids=lambda options: " ".join(options) or "none")
@pytest.mark.parametrize("kind", ["two classes", "three classes", "sets of labels", "hidden layers"])
def test_the_program_itself_answers_as_its_engine(kinds, kind, options):
    """The program answers for small classifiers without LibTorch; the engine, with which evaluate measures them, has another way."""
    quick, full = (semblance("predict", kinds[kind], *options, input="loved the film\nthe café was awful\n\nnothing known here\n", program=BIN / name) for name in ("semblance", "semblance-engine"))
    assert quick.err == full.err
    for a, b in zip(map(json.loads, quick.out.splitlines()), map(json.loads, full.out.splitlines()), strict=True):
        assert a.keys() == b.keys()
        for key, value in b.items():
            numbers = "probabilit" in key
            assert a[key] == (pytest.approx(value, abs=LAST_DIGITS) if numbers else value)


@pytest.fixture(scope="module")
def kinds(small, opinions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("kinds")
    rows = opinions.read_text(encoding="utf-8")
    (folder / "three.csv").write_text(rows.replace("positive,\"loved", "love,\"loved"), encoding="utf-8")
    (folder / "sets.csv").write_text(rows.replace("positive,\"loved", "positive|love,\"loved"), encoding="utf-8")

    def export(name, train, *options):
        semblance("train", "sentiment", "--train", train, "--run", folder / name, *options, *QUICK[:2])
        semblance("export", folder / name, "--format", "small", "--output", folder / f"{name}.small", "--max-bytes", "1000000", "--tolerance", "1")
        return folder / f"{name}.small"

    return {
        "two classes": small,
        "three classes": export("three", folder / "three.csv"),
        "sets of labels": export("sets", folder / "sets.csv", "--label-separator", "|"),
        "hidden layers": export("mlp", opinions, "--model", "mlp", "--hidden", "8,6"),
    }


@pytest.mark.skipif(os.environ.get("SEMBLANCE_KERNELS") == "libtorch", reason="LibTorch's operators are asked for")
def test_small_classifiers_need_no_libtorch(run, small, tmp_path):
    alone = tmp_path / "semblance"
    shutil.copy(BIN / "semblance", alone)
    assert json.loads(semblance("predict", small, input="loved the film\n", program=alone).out)["label"] == "positive"
    for arguments in (["predict", run], ["predict", small, "--device", "cuda"], ["version"]):
        refused = semblance(*arguments, input="loved\n", program=alone, check=False)
        assert refused.code == INTERNAL and "semblance-engine: expected the other part of the program" in refused.error


def test_verbs_take_it_in_place_of_a_run(small):
    seen = semblance("inspect", small, "--top-words", "3", "--json").json
    assert seen["content"] == "small" and seen["checkpoint"] == str(small) and seen["bytes"] == small.stat().st_size
    assert {tensor["name"]: tensor["type"] for tensor in seen["tensors"]}["embedding.weight"] == "Char"
    assert seen["top_words"] and "content      small" in semblance("inspect", small).out
    assert semblance("vectors", "neighbors", small, "loved", "--json").json
    again = semblance("export", small, "--format", "small", "--output", small, check=False)
    assert again.code == USAGE and "expected a run, found a small model" in again.error
    resumed = semblance("resume", small, check=False)
    assert resumed.code in (USAGE, MODEL)


def test_encoders(encoder, tmp_path):
    run, little, rows = encoder / "run", encoder / "small", encoder / "rows.tsv"
    measured = [semblance("evaluate", model, rows, "--json").json for model in (run, little)]
    assert measured[1]["mrr"] == pytest.approx(measured[0]["mrr"], abs=0.03)
    vectors = [json.loads(semblance("encode", model, input="how to open a file\n").out)["vector"] for model in (run, little)]
    assert vectors[1] == pytest.approx(vectors[0], abs=max(map(abs, vectors[0])) / 50)
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("open a file\nsort a list\nclose the window\n")
    found = [semblance("search", model, "--corpus", corpus, input="file open\n").out.split("\n")[1][8:] for model in (run, little)]
    assert found[0] == found[1]
    semblance("encode", run, corpus, "--output-format", "mapped", "--output", tmp_path / "map")
    mixed = semblance("search", little, "--corpus", tmp_path / "map", input="file\n", check=False)
    assert mixed.code == DATA and "another's" in mixed.error


def test_word_tables(tmp_path):
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("the cat sat on the mat and the dog sat on the cat\n" * 40)
    semblance("train", "word2vec", "--corpus", corpus, "--run", tmp_path / "run", "--dim", "12")
    semblance("export", tmp_path / "run", "--format", "small", "--output", tmp_path / "small")
    found = [semblance("vectors", "similarity", tmp_path / name, "cat", "dog", "--json").json["similarity"] for name in ("run", "small")]
    assert found[1] == pytest.approx(found[0], abs=0.02)


def test_the_same_bytes_whatever_the_threads(run, small, tmp_path):
    for threads in ("1", "2"):
        semblance("export", run, "--format", "small", "--output", tmp_path / threads, "--threads", threads)
        assert (tmp_path / threads).read_bytes() == small.read_bytes()
        assert answers(small, "--threads", threads) == answers(small)


@pytest.mark.parametrize("model", ["small", "encoder"])
def test_a_damaged_file_is_refused(request, model, tmp_path):
    whole = request.getfixturevalue(model)
    whole = (whole / "small" if whole.is_dir() else whole).read_bytes()
    damaged = tmp_path / "damaged"
    for place in [*range(8, len(whole), len(whole) // 12), len(whole) - 1]:
        damaged.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        refused = semblance("inspect", damaged, check=False)
        assert refused.code == MODEL and "damaged" in refused.error, place
    for length in (8, 23, 100, len(whole) // 2, len(whole) - 1):
        damaged.write_bytes(whole[:length])
        assert semblance("inspect", damaged, check=False).code == MODEL, length
    damaged.write_bytes(whole + bytes(64))
    assert semblance("inspect", damaged, check=False).code == MODEL


def test_what_answers_worse_is_not_written(tmp_path):
    """Words that no text had before: without n-grams there is nothing to tell them by."""
    names = [f"{consonant}{vowel}" for consonant in "bdfgklmnprst" for vowel in "aeiou"]
    texts = [f"{label}\t{start}{name}\n" for name in names for label, start in (("good", "zapo"), ("bad", "muri"))]
    train, check = tmp_path / "train.tsv", tmp_path / "check.tsv"
    train.write_text("".join(texts[:80]))
    check.write_text("".join(texts[80:]))
    semblance("train", "sentiment", "--train", train, "--run", tmp_path / "run", *NGRAMS, *QUICK, "--lr", "0.1")
    output = tmp_path / "out" / "small"
    output.parent.mkdir()
    output.write_text("what was there")

    def export(limit):
        return semblance("export", tmp_path / "run", "--format", "small", "--output", output, "--check", check, "--max-bytes", limit, check=False)

    least = int(re.search(r"expected at least (\d+)", export(1).error)[1])
    refused = export(least)
    assert refused.code == MODEL
    assert "expected accuracy to fall by at most 0.003 from 1.0000" in refused.error and "it is not written" in refused.error
    assert output.read_text() == "what was there" and list(output.parent.iterdir()) == [output]
    assert export(1_000_000).code == 0


def test_without_its_files_a_run_keeps_all_ngrams(opinions, tmp_path):
    texts = tmp_path / "texts.csv"
    shutil.copy(opinions, texts)
    semblance("train", "sentiment", "--train", texts, "--run", tmp_path / "run", *NGRAMS, *QUICK)
    texts.unlink()
    told = semblance("export", tmp_path / "run", "--format", "small", "--output", tmp_path / "small", "--json")
    assert "the small model is not held against the full one, and keeps all n-grams" in told.err
    assert told.json["ngrams_kept"] == told.json["ngrams"] and "small" not in told.json
    gone = semblance("export", tmp_path / "run", "--format", "small", "--output", tmp_path / "other", "--check", texts, check=False)
    assert gone.code == DATA and not (tmp_path / "other").exists()


def test_options_of_small_models_are_refused_elsewhere(run, tmp_path):
    refused = semblance("export", run, "--format", "mapped", "--output", tmp_path / "map", "--tolerance", "0.1", check=False)
    assert refused.code == USAGE and "--tolerance: expected --format small" in refused.error


def test_sst2_in_three_megabytes(shared, tmp_path):
    train, valid, test = (shared / f"data/sentiment/sst2/stsa.binary.{part}" for part in ("train", "dev", "test"))
    semblance("train", "sentiment", "--train", train, "--valid", valid, "--run", tmp_path / "run")
    semblance("export", tmp_path / "run", "--format", "small", "--output", tmp_path / "small")
    assert (tmp_path / "small").stat().st_size <= 3_000_000
    full, little = (semblance("evaluate", model, test, "--json").json["accuracy"] for model in (tmp_path / "run", tmp_path / "small"))
    assert little >= full - 0.005, "of the part that it was not held against"
