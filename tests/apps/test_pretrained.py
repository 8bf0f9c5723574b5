"""Tables of words that start from given vectors: coverage, freezing, n-grams for the words that lack one, resuming."""

import gzip
import json
import shutil
import struct

import numpy
import pytest
from conftest import semblance

USAGE, DATA, MODEL = 2, 3, 4

DIM = 6
# In the texts below, where "duller" and "xq" have no vector.
KNOWN = ["fine", "great", "dull", "awful", "film", "book"]
TEXTS = [
    ("good", "fine film"), ("good", "great book"), ("good", "great film duller"),
    ("bad", "dull film"), ("bad", "awful book xq"), ("bad", "dull awful dull"), ("good", "fine fine book"),
]  # fmt: skip
ELSEWHERE = ["dreary", "splendid"]  # have a vector, and stand in no text
WORDS = KNOWN + ELSEWHERE
VECTORS = numpy.random.default_rng(7).normal(size=(len(WORDS), DIM)).round(3).astype("<f4")
EMBEDDING = "embedding.weight"
TYPES = {"F32": "<f4", "I64": "<i8"}


def rows_of_text():
    return [f"{word} " + " ".join(map(str, vector)) for word, vector in zip(WORDS, VECTORS)]


def write_formats(folder):
    """The same vectors in every format that they are found in."""
    rows = rows_of_text()
    header = f"{len(WORDS)} {DIM}\n"
    binary = header.encode() + b"".join(word.encode() + b" " + vector.tobytes() for word, vector in zip(WORDS, VECTORS))
    files = {
        "word2vec.txt": (header + "\n".join(rows) + "\n").encode(),
        "word2vec.bin": binary,
        "glove.txt": ("\n".join(rows) + "\n").encode(),
        "fasttext.vec.gz": gzip.compress((header + " \n".join(rows) + " \n").encode()),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    semblance("vectors", "convert", folder / "glove.txt", "--format", "mapped", "--output", folder / "vectors.map")
    return [folder / name for name in [*files, "vectors.map"]]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pretrained")
    write_formats(folder)
    (folder / "texts.tsv").write_text("".join(f"{label}\t{text}\n" for label, text in TEXTS))
    # Rows of duplicates in the same words.
    (folder / "rows.tsv").write_text("".join(f"{text}\t{other}\n" for (_, text), (_, other) in zip(TEXTS, TEXTS[1:])))
    semblance("train", "trigram", "--vectors", folder / "glove.txt", "--held-out", "0", "--epochs", "5", "--run", folder / "spelling")
    return folder


QUICK = {
    "sentiment": ["--batch-size", "4", "--epochs", "3", "--split", "1,0,0", "--lr", "0.05"],
    "dssm": ["--batch-size", "4", "--epochs", "3", "--split", "1,0,0", "--projection", "5"],
}
TASKS = list(QUICK)


def train(task, files, run, *options, vectors="word2vec.txt", **more):
    data = files / ("texts.tsv" if task == "sentiment" else "rows.tsv")
    start = ["--vectors", files / vectors] if vectors else []
    return semblance("train", task, "--train", data, *start, "--run", run, *QUICK[task], *options, **more)


def checkpoint(run):
    return run / (run / "LAST").read_text().strip()


def tensors(run, part="model"):
    """A safetensors file: a JSON header of names, types, shapes and places, then the numbers."""
    content = (checkpoint(run) / f"{part}.safetensors").read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + size]), content[8 + size :]
    header.pop("__metadata__", None)
    return {name: numpy.frombuffer(data[slice(*t["data_offsets"])], TYPES[t["dtype"]]).reshape(t["shape"]) for name, t in header.items()}


def embeddings(run):
    """Each word's row of the table."""
    words = [line.split("\t")[0] for line in (checkpoint(run) / "vocabulary.txt").read_text().splitlines()]
    return dict(zip(words[1:], tensors(run)[EMBEDDING][1:]))  # the first is PAD


@pytest.mark.parametrize("task", TASKS)
def test_every_format_gives_the_same_start(task, files, tmp_path):
    models = set()
    for path in [*write_formats(tmp_path)]:
        train(task, files, tmp_path / path.name[::-1], "--lr", "0", vectors=path)
        run = tmp_path / path.name[::-1]
        models.add((checkpoint(run) / "model.safetensors").read_bytes())
        table = embeddings(run)
        assert all(numpy.array_equal(table[word], vector) for word, vector in zip(KNOWN, VECTORS))
    assert len(models) == 1


@pytest.mark.parametrize("task", TASKS)
def test_coverage_is_told_in_log_report_and_manifest(task, files, tmp_path):
    result = train(task, files, tmp_path / "r", "--no-vector-words", "--json")
    texts = [text.split() for _, text in TEXTS]
    if task == "dssm":  # each text but the first and the last stands in two rows
        texts += texts[1:-1]
    tokens = [word for text in texts for word in text]
    known = sum(word in KNOWN for word in tokens)
    told = result.json["vectors"]
    assert told == {
        "words": 8,
        "known_words": 6,
        "tokens": len(tokens),
        "known_tokens": known,
        "coverage": {"words": 0.75, "tokens": known / len(tokens)},
        "from_ngrams": 0,
        "fresh": 2,
    }
    assert semblance("inspect", tmp_path / "r", "--json").json["model"]["vectors"] == told
    assert f"75.0 % of the words and {100 * known / len(tokens):.1f} % of the tokens" in result.err


@pytest.mark.parametrize("task", TASKS)
def test_words_of_the_vectors_alone_and_limit(task, files, tmp_path):
    told = train(task, files, tmp_path / "a", "--vector-words", "--json").json["vectors"]
    assert told["words"] == 8 and told["fresh"] == 2
    assert set(embeddings(tmp_path / "a")) == {*WORDS, "duller", "xq"}
    told = train(task, files, tmp_path / "b", "--vector-words", "--limit", "3", "--json").json["vectors"]
    assert told["known_words"] == 3 and told["fresh"] == 5


@pytest.mark.parametrize("task", TASKS)
def test_words_that_lack_a_vector_start_from_their_ngrams(task, files, tmp_path):
    result = train(task, files, tmp_path / "r", "--oov", files / "spelling", "--lr", "0", "--no-vector-words", "--json")
    told = result.json["vectors"]
    assert (told["known_words"], told["from_ngrams"], told["fresh"]) == (7, 1, 1), "no n-gram of xq is known"
    (made,) = semblance("encode", files / "spelling", "--output-format", "jsonl", input="duller\n").out.splitlines()
    table = embeddings(tmp_path / "r")
    assert table["duller"] == pytest.approx(json.loads(made)["vector"], rel=1e-6)
    assert table["dull"] == pytest.approx(VECTORS[KNOWN.index("dull")])


@pytest.mark.parametrize("task", TASKS)
def test_a_trigram_run_gives_every_word_the_vector_of_its_ngrams(task, files, tmp_path):
    told = train(task, files, tmp_path / "r", "--lr", "0", "--json", vectors="spelling").json["vectors"]
    assert (told["known_words"], told["from_ngrams"], told["fresh"]) == (7, 7, 1)
    lines = semblance("encode", files / "spelling", "--output-format", "jsonl", input="dull\nduller\nfine\n").out.splitlines()
    table = embeddings(tmp_path / "r")
    for line in map(json.loads, lines):
        assert table[line["word"]] == pytest.approx(line["vector"], rel=1e-6)


@pytest.mark.parametrize("optimizer", ["adam", "lazy-adam", "rowwise-adagrad", "dense-adam"])
@pytest.mark.parametrize("task", TASKS)
def test_a_frozen_table_never_changes_and_has_no_state(task, optimizer, files, tmp_path):
    options = ["--freeze", "--optimizer", optimizer, "--weight-decay", "0.1", "--clip-norm", "1", "--lr"]
    train(task, files, tmp_path / "start", *options, "0")
    train(task, files, tmp_path / "end", *options, "0.1")
    start, end = tensors(tmp_path / "start"), tensors(tmp_path / "end")
    assert start[EMBEDDING].tobytes() == end[EMBEDDING].tobytes()
    assert any(not numpy.array_equal(start[name], end[name]) for name in end if name != EMBEDDING), "the rest is trained"
    assert not any(EMBEDDING in name for name in tensors(tmp_path / "end", "optimizer"))
    table = embeddings(tmp_path / "end")
    assert all(numpy.array_equal(table[word], vector) for word, vector in zip(WORDS, VECTORS) if word in table)


def test_inspect_says_which_layers_are_trained(files, tmp_path):
    train("dssm", files, tmp_path / "r", "--freeze", "--projection", "5,4", "--learn-alpha", "--no-vector-words")
    layers = [tuple(layer.values()) for layer in semblance("inspect", tmp_path / "r", "--json").json["layers"]]
    assert layers == [
        ("embedding, mean", "[batch, 6]", 9 * 6, False),  # 8 words and padding
        ("linear", "[batch, 5]", 6 * 5 + 5, True),
        ("activation", "[batch, 5]", 0, False),
        ("linear", "[batch, 4]", 5 * 4 + 4, True),
        ("temperature", "[]", 1, True),
    ]
    lines = semblance("inspect", tmp_path / "r").out.splitlines()
    assert ["trainable", str(35 + 24 + 1)] in [line.split() for line in lines]


@pytest.mark.parametrize("options", [[], ["--freeze"]], ids=["tuned", "frozen"])
@pytest.mark.parametrize("task", TASKS)
def test_resuming_needs_no_vectors_and_ends_with_the_same_bytes(task, options, files, tmp_path):
    shutil.copy(files / "word2vec.txt", tmp_path / "gone.txt")
    options += ["--vector-words", "--oov", files / "spelling", "--optimizer", "lazy-adam", "--checkpoint-every", "1steps"]
    options += ["--keep-last", "100", "--json"]
    whole = train(task, files, tmp_path / "whole", *options, vectors=tmp_path / "gone.txt").json
    (tmp_path / "gone.txt").unlink()
    steps = sorted(path.name for path in (tmp_path / "whole").glob("step-*"))
    half = tmp_path / "half"
    shutil.copytree(tmp_path / "whole", half)
    for name in steps[len(steps) // 2 :]:
        shutil.rmtree(half / name)
    (half / "LAST").write_text(steps[len(steps) // 2 - 1] + "\n")
    resumed = semblance("resume", half, "--json").json
    assert resumed["vectors"] == whole["vectors"] and resumed["history"] == whole["history"]
    for name in "model.safetensors", "optimizer.safetensors", "vocabulary.txt":
        assert (checkpoint(half) / name).read_bytes() == (checkpoint(tmp_path / "whole") / name).read_bytes()


def test_resuming_on_other_texts_is_refused(files, tmp_path):
    texts = tmp_path / "texts.tsv"
    shutil.copy(files / "texts.tsv", texts)
    semblance("train", "sentiment", "--train", texts, "--vectors", files / "glove.txt", "--vector-words", "--run", tmp_path / "r", *QUICK["sentiment"])
    texts.write_text(texts.read_text().replace("xq", "xqq"))
    result = semblance("resume", tmp_path / "r", "--epochs", "5", check=False)
    assert result.code == DATA and "expected the training data of this checkpoint" in result.error


@pytest.mark.parametrize("options", [[], ["--freeze"]], ids=["tuned", "frozen"])
@pytest.mark.parametrize("task", TASKS)
def test_the_number_of_threads_changes_nothing(task, options, files, tmp_path):
    for threads in "1", "3":
        train(task, files, tmp_path / threads, "--threads", threads, "--oov", files / "spelling", *options)
    one, other = ((checkpoint(tmp_path / threads) / "model.safetensors").read_bytes() for threads in "13")
    assert one == other


@pytest.mark.parametrize("task", TASKS)
def test_tuned_words_move_and_those_of_no_text_stay(task, files, tmp_path):
    train(task, files, tmp_path / "r", "--optimizer", "lazy-adam")
    table = embeddings(tmp_path / "r")
    moved = {word for word, vector in zip(WORDS, VECTORS) if not numpy.array_equal(table[word], vector)}
    assert moved == set(KNOWN)


def test_a_run_with_a_table_of_words_is_a_file_of_vectors(files, tmp_path):
    train("dssm", files, tmp_path / "first")
    train("sentiment", files, tmp_path / "r", "--freeze", vectors=tmp_path / "first")
    first, second = embeddings(tmp_path / "first"), embeddings(tmp_path / "r")
    assert all(numpy.array_equal(first[word], second[word]) for word in first)


def test_what_was_trained_is_served_without_the_vectors(files, tmp_path):
    shutil.copy(files / "glove.txt", tmp_path / "gone.txt")
    train("sentiment", files, tmp_path / "r", "--vector-words", "--freeze", vectors=tmp_path / "gone.txt")
    (tmp_path / "gone.txt").unlink()
    predicted = semblance("predict", tmp_path / "r", input="splendid\nzzz\n")
    assert len(predicted.out.splitlines()) == 2
    assert semblance("evaluate", tmp_path / "r", files / "texts.tsv", "--json").json["examples"] == len(TEXTS)


# Wrong inputs: the run folder is not touched.

HOSTILE = {
    "truncated gzip": lambda: gzip.compress("\n".join(rows_of_text()).encode())[:-20],
    "truncated binary": lambda: f"{len(WORDS)} {DIM}\n".encode() + b"fine " + VECTORS[0].tobytes()[:-3],
    "not a number": lambda: "\n".join([*rows_of_text(), "odd " + " ".join(["nan"] * DIM)]).encode(),
    "too few numbers": lambda: "\n".join([*rows_of_text(), "odd 1 2 3"]).encode(),
    "empty": lambda: b"",
    "texts": lambda: b"fine film\ngreat book\n",
}


@pytest.fixture
def earlier(files, tmp_path):
    """A run that must survive, and a function that tells whether it has."""
    run = tmp_path / "earlier"
    train("sentiment", files, run)

    def content():
        return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}

    before = content()
    yield run
    assert content() == before


@pytest.mark.parametrize("kind", HOSTILE)
def test_vectors_that_cannot_be_read(kind, files, earlier, tmp_path):
    path = tmp_path / "vectors"
    path.write_bytes(HOSTILE[kind]())
    for task in TASKS:
        result = train(task, files, earlier, "--overwrite", vectors=path, check=False)
        assert result.code == DATA and str(path) in result.error


@pytest.mark.parametrize(
    "options, code, message",
    [
        (["--dim", "9"], USAGE, "--dim: expected 6"),
        (["--oov", "{files}"], MODEL, "expected"),
        (["--oov", "{files}/elsewhere"], MODEL, "expected a model of 6 dimensions, found 8"),
        (["--freeze", "--ngrams", "2"], USAGE, "--freeze: expected an embedding of words alone"),
        (["--limit", "-1"], USAGE, "--limit"),
        (["--freeze", "--char-ngrams", "3"], USAGE, "--freeze: expected an embedding of words alone"),
        (["--vectors", "", "--freeze"], USAGE, "--freeze: expected --vectors"),
        (["--vectors", "", "--oov", "{files}/spelling"], USAGE, "--oov: expected --vectors"),
        (["--vectors", "{files}/spelling", "--oov", "{files}/spelling"], USAGE, "--oov: expected --vectors to lack words"),
        (["--vectors", "nowhere.vec"], DATA, "nowhere.vec"),
        (["--oov", "nowhere"], MODEL, "nowhere"),
    ],
)
def test_options_that_do_not_fit(options, code, message, files, earlier):
    if "elsewhere" in str(options) and not (files / "elsewhere").exists():
        (files / "eight.txt").write_text("".join(f"{word} 1 2 3 4 5 6 7 8\n" for word in WORDS))
        semblance("train", "trigram", "--vectors", files / "eight.txt", "--epochs", "1", "--run", files / "elsewhere")
    options = [option.format(files=files) for option in options]
    for task in TASKS:
        result = train(task, files, earlier, "--overwrite", *options, check=False)
        assert (result.code, message in result.error) == (code, True), result.error


def test_a_frozen_encoder_without_a_projection_has_nothing_to_train(files, tmp_path):
    data = files / "rows.tsv"
    result = semblance("train", "dssm", "--train", data, "--vectors", files / "glove.txt", "--freeze", "--run", tmp_path / "r", check=False)
    assert result.code == USAGE and "--freeze: expected layers to train" in result.error
    semblance("train", "dssm", "--train", data, "--vectors", files / "glove.txt", "--freeze", "--learn-alpha", "--split", "1,0,0", "--run", tmp_path / "r")


def test_a_linear_model_has_no_embedding_to_start(files, tmp_path):
    result = train("sentiment", files, tmp_path / "r", "--model", "linear", check=False)
    assert result.code == USAGE and "--vectors: expected none with --model linear" in result.error


# Embedding options, which need no vectors; what they compute is tested in tests/models/embedding_bag_test.cpp.


def norms(run):
    return {word: numpy.linalg.norm(vector) for word, vector in embeddings(run).items()}


@pytest.mark.parametrize("optimizer", ["adam", "lazy-adam"])
@pytest.mark.parametrize("task", TASKS)
def test_max_norm_shortens_what_is_looked_up(task, optimizer, files, tmp_path):
    options = ["--vector-words", "--optimizer", optimizer, "--lr", "0"]
    train(task, files, tmp_path / "r", *options, "--max-norm", "0.5")
    train(task, files, tmp_path / "full", *options)
    shortened, full = norms(tmp_path / "r"), norms(tmp_path / "full")
    assert all(shortened[word] == pytest.approx(min(full[word], 0.5), rel=1e-5) for word in KNOWN)
    assert all(shortened[word] == full[word] for word in ELSEWHERE), "no text names them"


@pytest.mark.parametrize("task", TASKS)
def test_embedding_options_resume_and_do_not_depend_on_threads(task, files, tmp_path):
    options = ["--max-norm", "1", "--scale-grad-by-freq", "--optimizer", "lazy-adam", "--schedule", "constant"]
    options += ["--pooling", "padded-mean", "--zero-padding"] if task == "sentiment" else []
    train(task, files, tmp_path / "whole", *options, "--epochs", "4", "--threads", "3")
    train(task, files, tmp_path / "half", *options, "--epochs", "2")
    semblance("resume", tmp_path / "half", "--epochs", "4")
    whole, half = ((checkpoint(tmp_path / run) / "model.safetensors").read_bytes() for run in ("whole", "half"))
    assert whole == half


@pytest.mark.parametrize("model", [["--pooling", "padded-mean"], ["--model", "flat", "--max-length", "4"]])
@pytest.mark.parametrize("optimizer", ["adamw", "lazy-adam", "rowwise-adagrad", "sgd"])
def test_padding_stays_zero(model, optimizer, files, tmp_path):
    options = [*model, "--optimizer", optimizer, "--weight-decay", "0.1"]
    train("sentiment", files, tmp_path / "r", *options, "--zero-padding")
    assert not tensors(tmp_path / "r")[EMBEDDING][0].any()
    train("sentiment", files, tmp_path / "free", *options)
    assert tensors(tmp_path / "free")[EMBEDDING][0].any()


@pytest.mark.parametrize(
    "options, message",
    [
        (["--zero-padding"], "--zero-padding: expected --pooling padded-mean or --model flat"),
        (["--max-norm", "1", "--freeze"], "--max-norm: expected none with --freeze"),
        (["--scale-grad-by-freq", "--freeze"], "--scale-grad-by-freq: expected none with --freeze"),
        (["--vectors", "", "--model", "linear", "--max-norm", "1"], "expected neither with --model linear"),
        (["--max-norm", "-1"], "--max-norm"),
    ],
)
def test_embedding_options_that_do_not_fit(options, message, files, tmp_path):
    result = train("sentiment", files, tmp_path / "r", *options, check=False)
    assert result.code == USAGE and message in result.error
