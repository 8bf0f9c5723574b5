"""Models that start from word vectors: of files and of runs, tuned and frozen, with and without n-grams for unknown words."""

import pytest
from conftest import ROOT, semblance

USAGE, DATA, MODEL = 2, 3, 4

WORDS = ROOT / "tests/fixtures/words.vec"
KNOWN = [line.split(" ")[0] for line in WORDS.read_text().splitlines()[1:]]
DIM = int(WORDS.read_text().splitlines()[0].split()[1])


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Labelled texts of known words, one that has n-grams of known ones (noemia), and one that has none (zzz)."""
    path = tmp_path_factory.mktemp("pretrained") / "texts.txt"
    lines = [f"__label__{i % 2} {KNOWN[i % 20 + 20 * (i % 2)]} {KNOWN[(7 * i) % 20 + 20 * (i % 2)]} noemia zzz" for i in range(80)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    path = tmp_path_factory.mktemp("pretrained") / "rows.tsv"
    path.write_text("".join(f"{KNOWN[i % 40]} {KNOWN[i * 7 % 40]} zzz\t{KNOWN[i * 7 % 40]} {KNOWN[i % 40]}\n" for i in range(60)))
    return path


@pytest.fixture(scope="module")
def trigram(tmp_path_factory):
    run = tmp_path_factory.mktemp("pretrained") / "trigram"
    semblance("train", "trigram", "--vectors", WORDS, "--run", run, "--held-out", "0", "--epochs", "5")
    return run


def train(task, data, run, *options, **more):
    options = ("--epochs", "3", "--batch-size", "8", *options)
    options += ("--split", "1,0,0")
    if task == "dssm" and "--freeze" in options:
        options += ("--projection", "6")  # else there is nothing to train
    return semblance("train", task, "--train", data, "--run", run, *options, **more)


def checkpoint(run):
    return run / (run / "LAST").read_text().strip()


def embedding(run):
    tensors = pytest.importorskip("safetensors.numpy").load_file(checkpoint(run) / "model.safetensors")
    words = [line.split("\t")[0] for line in (checkpoint(run) / "vocabulary.txt").read_text().splitlines()]
    return dict(zip(words, tensors["embedding.weight"]))


def given_vectors():
    return {word: list(map(float, values)) for word, *values in (line.split() for line in WORDS.read_text().splitlines()[1:])}


@pytest.fixture
def data(request, texts, rows):
    return {"sentiment": texts, "dssm": rows}


@pytest.mark.parametrize("task", ["sentiment", "dssm"])
@pytest.mark.parametrize("form", ["text", "word2vec-bin", "mapped"])
def test_frozen_words_keep_their_vectors_in_every_format(data, tmp_path, task, form):
    vectors = WORDS
    if form != "text":
        vectors = tmp_path / "vectors"
        semblance("vectors", "convert", WORDS, "--format", form, "--output", vectors)
    train(task, data[task], tmp_path / "run", "--vectors", vectors, "--freeze")
    table = embedding(tmp_path / "run")
    for word, vector in given_vectors().items():
        assert table[word].tolist() == pytest.approx(vector, rel=1e-6)
    optimizer = pytest.importorskip("safetensors.numpy").load_file(checkpoint(tmp_path / "run") / "optimizer.safetensors")
    assert not any("embedding" in name for name in optimizer)


@pytest.mark.parametrize("task", ["sentiment", "dssm"])
def test_tuned_words_move_and_those_of_no_text_stay(data, tmp_path, task):
    train(task, data[task], tmp_path / "run", "--vectors", WORDS, "--optimizer", "lazy-adam")
    table, given = embedding(tmp_path / "run"), given_vectors()
    used = {word for word in given if word in data[task].read_text().split()}
    moved = {word for word in given if table[word].tolist() != pytest.approx(given[word], rel=1e-6)}
    assert moved == used


def test_coverage_is_told_by_words_and_by_tokens(texts, tmp_path):
    result = train("sentiment", texts, tmp_path / "run", "--vectors", WORDS, "--json")
    tokens = [word for line in texts.read_text().splitlines() for word in line.split()[1:]]
    known = [word for word in tokens if word in KNOWN]
    assert result.json["vectors"] == {"words": len(set(tokens)), "known_words": len(set(known)), "tokens": len(tokens), "known_tokens": len(known), "from_ngrams": 0}
    assert f"{100 * len(known) / len(tokens):.1f} % of the tokens" in result.err


def test_unknown_words_start_from_their_ngrams(texts, trigram, tmp_path):
    result = train("sentiment", texts, tmp_path / "run", "--vectors", WORDS, "--oov", trigram, "--freeze", "--json")
    assert result.json["vectors"]["from_ngrams"] == 1, "noemia; of zzz no n-gram is known"
    made = semblance("encode", trigram, "--output-format", "jsonl", input="noemia\n").json["vector"]
    assert embedding(tmp_path / "run")["noemia"].tolist() == pytest.approx(made, abs=1e-6)


def test_a_trigram_run_gives_every_word_a_vector(texts, trigram, tmp_path):
    train("sentiment", texts, tmp_path / "run", "--vectors", trigram, "--freeze")
    made = semblance("encode", trigram, "--output-format", "jsonl", input=KNOWN[0] + "\n").json["vector"]
    assert embedding(tmp_path / "run")[KNOWN[0]].tolist() == pytest.approx(made, abs=1e-6)


def test_a_run_with_a_table_of_words_is_a_file_of_vectors(texts, rows, tmp_path):
    train("dssm", rows, tmp_path / "first", "--vectors", WORDS, "--freeze")
    train("sentiment", texts, tmp_path / "run", "--vectors", tmp_path / "first", "--freeze")
    assert embedding(tmp_path / "run")[KNOWN[3]].tolist() == pytest.approx(given_vectors()[KNOWN[3]], rel=1e-6)
    same = semblance("vectors", "similarity", tmp_path / "first", KNOWN[0], KNOWN[1], "--json").json
    assert same["similarity"] == pytest.approx(semblance("vectors", "similarity", WORDS, KNOWN[0], KNOWN[1], "--json").json["similarity"], abs=1e-6)


def test_a_frozen_encoder_needs_something_to_train(rows, tmp_path):
    result = semblance("train", "dssm", "--train", rows, "--run", tmp_path / "run", "--vectors", WORDS, "--freeze", check=False)
    assert result.code == USAGE and "--projection" in result.error and not (tmp_path / "run").exists()


@pytest.mark.parametrize("freeze", [(), ("--freeze",)], ids=["tuned", "frozen"])
def test_resumed_the_same_bytes(texts, tmp_path, freeze):
    options = ["--vectors", WORDS, *freeze, "--schedule", "constant"]
    train("sentiment", texts, tmp_path / "whole", *options, "--epochs", "4")
    train("sentiment", texts, tmp_path / "part", *options, "--epochs", "2", "--threads", "2")
    semblance("resume", tmp_path / "part", "--epochs", "4")
    assert (checkpoint(tmp_path / "part") / "model.safetensors").read_bytes() == (checkpoint(tmp_path / "whole") / "model.safetensors").read_bytes()
    assert semblance("predict", tmp_path / "part", input=KNOWN[0] + "\n").json["label"] in "01"


@pytest.mark.parametrize(
    "options, code, told",
    [
        (["--vectors", "{words}", "--dim", "7"], USAGE, "--dim"),
        (["--freeze"], USAGE, "--freeze"),
        (["--oov", "{words}"], USAGE, "--oov"),
        (["--vectors", "{words}", "--freeze", "--ngrams", "2"], USAGE, "--freeze"),
        (["--vectors", "{words}", "--model", "linear"], USAGE, "--vectors"),
        (["--vectors", "{cut}"], DATA, "cut.vec"),
        (["--vectors", "{nan}"], DATA, "nan.vec"),
        (["--vectors", "nowhere.vec"], DATA, "nowhere.vec"),
        (["--vectors", "{words}", "--oov", "nowhere"], MODEL, "nowhere"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_written(texts, tmp_path, options, code, told):
    lines = WORDS.read_text().splitlines()
    (tmp_path / "cut.vec").write_text("\n".join(lines[:20] + [lines[20][:15]]) + "\n")
    (tmp_path / "nan.vec").write_text("\n".join(lines[:5] + [lines[5].split(" ")[0] + " nan" * DIM]) + "\n")
    paths = {"words": WORDS, "cut": tmp_path / "cut.vec", "nan": tmp_path / "nan.vec"}
    result = train("sentiment", texts, tmp_path / "run", *(option.format(**paths) for option in options), check=False)
    assert result.code == code and told in result.error, result.err
    assert not (tmp_path / "run").exists()
