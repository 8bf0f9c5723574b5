"""fastText's models in and out, held against Debian's fasttext and gensim."""

import json
import random
import shutil
import struct
import subprocess

import pytest
from conftest import ROOT, semblance

USAGE, DATA, MODEL = 2, 3, 4
PRINTED = 6e-6  # fastText prints six digits

GOLDEN = ROOT / "tests/fixtures/fasttext"


@pytest.mark.parametrize("name", ["softmax.bin", "hs.bin", "ova.bin", "pruned.ftz"])
def test_models_of_before_answer_as_fasttext_did(name):
    golden = json.loads((GOLDEN / "answers.json").read_text(encoding="utf-8"))
    found = semblance("predict", GOLDEN / name, "--input-format", "lines", "--top-k", "3", input="\n".join(golden["questions"]) + "\n").out.splitlines()
    for line, (labels, probabilities) in zip(found, golden["answers"][name], strict=True):
        answer = json.loads(line)
        assert answer["labels"] == labels and answer["probabilities"] == pytest.approx(probabilities, abs=PRINTED)


def test_vectors_of_before_are_fasttexts():
    for word, vector in json.loads((GOLDEN / "answers.json").read_text(encoding="utf-8"))["answers"]["words.bin"].items():
        assert semblance("vectors", "vector", GOLDEN / "words.bin", word, "--json").json[word] == pytest.approx(vector, rel=1e-4, abs=1e-5)


installed = pytest.mark.skipif(not shutil.which("fasttext"), reason="fasttext is not installed (apt-get install fasttext)")


def fasttext(*arguments, input=None):
    return subprocess.run(["fasttext", *map(str, arguments)], input=input, capture_output=True, text=True, check=True).stdout


def predicted(model, texts, k=1):
    """Of each line the labels and what fastText prints as their probabilities."""
    lines = fasttext("predict-prob", model, texts, k).splitlines()
    fields = [line.replace("__label__", "").split() for line in lines]
    return [(f[::2], list(map(float, f[1::2]))) for f in fields]


def answers(model, texts, *options):
    return [json.loads(line) for line in semblance("predict", model, texts, "--input-format", "lines", *options).out.splitlines()]


def write_texts(path, labels, several=False, seed=1):
    """Texts whose words tell their label, some labels commoner than others; words with letters of several bytes."""
    draw = random.Random(seed)
    lines = []
    for _ in range(1500):
        chosen = sorted({int(labels * draw.random() ** 2) for _ in range(draw.choice([1, 2]) if several else 1)})
        words = [f"wört{label}x{draw.randrange(6)}" if draw.random() < 0.4 else f"c{draw.randrange(300)}" for label in chosen for _ in range(6)]
        lines.append(" ".join([*(f"__label__l{label}" for label in chosen), *words]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    return {name: write_texts(folder / f"{name}.txt", labels, name == "several") for name, labels in (("few", 4), ("many", 300), ("several", 12))}


@pytest.fixture(scope="module")
def models(texts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")

    def train(name, data, *options):
        fasttext("supervised", "-input", texts[data], "-output", folder / name, "-dim", 12, "-epoch", 5, "-lr", 0.5, "-thread", 1, *options)
        return folder / f"{name}.bin", data

    def quantize(name, of, *options):
        shutil.copy(folder / f"{of}.bin", folder / f"{name}.bin")
        fasttext("quantize", "-input", texts[models[of][1]], "-output", folder / name, "-thread", 1, *options)
        return folder / f"{name}.ftz", models[of][1]

    models = {
        "softmax": train("softmax", "few", "-wordNgrams", 3, "-minn", 2, "-maxn", 4, "-bucket", 5000),
        "hs": train("hs", "many", "-loss", "hs", "-wordNgrams", 2, "-bucket", 5000),
        "ns": train("ns", "few", "-loss", "ns"),
        "ova": train("ova", "several", "-loss", "ova", "-minn", 3, "-maxn", 3, "-bucket", 3000),
        "many": train("many", "many"),
        "vectors": None,
    }
    models["quantised"] = quantize("quantised", "softmax", "-dsub", 5)
    models["pruned"] = quantize("pruned", "softmax", "-qnorm", "-cutoff", 500, "-retrain", "-epoch", 1)
    models["quantised output"] = quantize("quantised_output", "many", "-qout", "-qnorm")
    models["quantised tree"] = quantize("quantised_tree", "hs", "-qout")
    fasttext("skipgram", "-input", texts["few"], "-output", folder / "vectors", "-dim", 10, "-epoch", 1, "-minn", 2, "-maxn", 5, "-bucket", 4000, "-minCount", 2, "-thread", 1)
    models["vectors"] = folder / "vectors.bin", "few"
    return models


CLASSIFIERS = ["softmax", "hs", "ns", "ova", "many", "quantised", "pruned", "quantised output", "quantised tree"]


@installed
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_predict_as_fasttext(models, texts, name, tmp_path):
    model, data = models[name]
    lines = texts[data].read_text(encoding="utf-8").splitlines()[:200] + ["", "nothing that is known", "__label__l0", "c1\tc2\vc3"]
    (tmp_path / "lines.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for k in (1, 3):
        expected = predicted(model, tmp_path / "lines.txt", k)
        found = answers(model, tmp_path / "lines.txt", "--top-k", k)
        assert [a["labels"] for a in found] == [labels for labels, _ in expected]
        for a, (_, probabilities) in zip(found, expected):
            assert a["probabilities"] == pytest.approx(probabilities, abs=PRINTED)


@installed
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_classifiers_are_measured_as_fasttext_does(models, texts, name):
    model, data = models[name]
    for k in (1, 2):
        told = dict(line.split("\t") for line in fasttext("test", model, texts[data], k).splitlines())
        found = semblance("evaluate", model, texts[data], "--k", "1,2", "--json").json
        assert int(told["N"]) == found["examples"]
        for measure in ("P", "R"):
            assert found[f"{measure}@{k}"] == pytest.approx(float(told[f"{measure}@{k}"]), abs=1e-3)


@installed
def test_a_threshold_is_fasttexts_too(models, texts):
    model, data = models["ova"]
    expected = [line.replace("__label__", "").split() for line in fasttext("predict", model, texts[data], -1, 0.3).split("\n")[:-1]]
    found = answers(model, texts[data], "--threshold", "0.29999")
    assert [a["labels"] for a in found] == expected


@installed
def test_words_have_fasttexts_vectors(models, tmp_path):
    model, _ = models["vectors"]
    words = ["c1", "wört0x1", "wörter", "unseen", "<", "ё", "</s>"]
    for line in fasttext("print-word-vectors", model, input="\n".join(words) + "\n").splitlines():
        word, *numbers = line.split()
        found = semblance("vectors", "vector", model, word, "--json").json
        assert found[word] == pytest.approx(list(map(float, numbers)), rel=1e-4, abs=1e-5), word
    semblance("vectors", "convert", model, "--format", "word2vec", "--output", tmp_path / "all.vec")
    table = [line.split(" ") for line in (tmp_path / "all.vec").read_text(encoding="utf-8").splitlines()[1:]]
    assert table[5][0] in fasttext("dump", model, "dict")
    near = semblance("vectors", "neighbors", model, "unseen", "--top", "3", "--json").json
    assert len(near["neighbors"]) == 3


@installed
def test_trainings_start_from_a_model_and_its_ngrams(models, opinions, tmp_path):
    model, _ = models["vectors"]
    told = semblance("train", "sentiment", "--train", opinions, "--vectors", model, "--run", tmp_path / "run", "--epochs", "1", "--json").json
    assert told["vectors"]["from_ngrams"] > 0
    rows = tmp_path / "rows.tsv"
    rows.write_text("c1 unseenword\tunseenwörds c2\tc3 c4\nc5\tc6\tc7\n", encoding="utf-8")
    assert semblance("evaluate", "--vectors", model, rows, "--json").json["examples"] == 2


@installed
@pytest.mark.parametrize("name", ["softmax", "pruned", "quantised tree", "vectors"])
def test_damaged_models_are_refused(models, name, tmp_path):
    model, _ = models[name]
    whole = model.read_bytes()
    verb = ["vectors", "info"] if name == "vectors" else ["predict"]
    damaged = tmp_path / "damaged.bin"
    sizes = [4, 8, 60, 92, 200, len(whole) // 2, len(whole) - 1]
    for size in sizes:
        damaged.write_bytes(whole[:size])
        result = semblance(*verb, damaged, input="c1 c2\n", check=False)
        assert result.code == MODEL and "truncated or damaged" in result.error, size
    damaged.write_bytes(whole + b"\0")
    assert semblance(*verb, damaged, input="c1\n", check=False).code == MODEL
    # Every number of the head: as large, and as negative as can be.
    for place in [*range(4, 56, 4), 64, 68, 72, 84]:
        for value in (0x7FFFFFFF, -1):
            changed = bytearray(whole)
            changed[place : place + 4] = struct.pack("<i", value)
            damaged.write_bytes(changed)
            result = semblance(*verb, damaged, input="c1 c2\n", check=False)
            assert result.code in (0, MODEL), (place, value, result.err)
    not_a_number = whole[:-4] + struct.pack("<f", float("nan")) if name == "softmax" else None
    if not_a_number:
        damaged.write_bytes(not_a_number)
        assert "finite" in semblance("predict", damaged, input="c1 c2\n", check=False).error


@installed
@pytest.mark.parametrize("several", [False, True], ids=["one label", "several"])
@pytest.mark.parametrize("ngrams", [[], ["--ngrams", "2", "--char-ngrams", "4", "--min-char-ngrams", "2", "--buckets", "4000", "--hash", "fasttext", "--min-ngram-count", "0"]], ids=["words", "n-grams"])
def test_fasttext_predicts_from_our_classifiers(texts, tmp_path, several, ngrams):
    data = texts["several" if several else "few"]
    semblance("train", "sentiment", "--train", data, "--run", tmp_path / "run", "--epochs", "2", *(ngrams or ["--ngrams", "1", "--char-ngrams", "0"]))
    semblance("export", tmp_path / "run", "--format", "fasttext", "--output", tmp_path / "model.bin")
    lines = [" ".join(w for w in line.split() if not w.startswith("__label__")) for line in data.read_text(encoding="utf-8").splitlines()[:300]]
    (tmp_path / "lines.txt").write_text("\n".join([*lines, "Unseen WORDS, c1!"]) + "\n", encoding="utf-8")
    (tmp_path / "tokens.txt").write_text(semblance("tokens", tmp_path / "run", tmp_path / "lines.txt").out, encoding="utf-8")
    k = 12 if several else 1
    expected = predicted(tmp_path / "model.bin", tmp_path / "tokens.txt", k)
    ours = answers(tmp_path / "run", tmp_path / "lines.txt", "--all-probabilities")
    # One-vs-all probabilities fastText takes from a table of 512 steps.
    tolerance = 0.01 if several else 2.1e-5
    for (labels, probabilities), answer in zip(expected, ours, strict=True):
        for label, p in zip(labels, probabilities):
            assert p == pytest.approx(answer["all_probabilities"][label], abs=tolerance)
    if not several:
        assert [labels for labels, _ in expected] == [[a["label"]] for a in ours]
    back = answers(tmp_path / "model.bin", tmp_path / "tokens.txt")
    if not several:
        assert [a["label"] for a in back] == [a["label"] for a in ours]


@installed
def test_two_classes_are_two_logits(opinions, tmp_path):
    semblance("train", "sentiment", "--train", opinions, "--run", tmp_path / "run", "--epochs", "2", "--ngrams", "1", "--char-ngrams", "0")
    told = semblance("export", tmp_path / "run", "--format", "fasttext", "--output", tmp_path / "model.bin", "--json")
    assert told.json["labels"] == 2 and "semblance tokens" in told.err
    texts = "loved the film\nthe café was awful\n"
    tokens = semblance("tokens", tmp_path / "run", input=texts).out
    assert tokens == "loved the film\nthe café was awful\n"
    (tmp_path / "tokens.txt").write_text(tokens, encoding="utf-8")
    for (labels, probabilities), answer in zip(predicted(tmp_path / "model.bin", tmp_path / "tokens.txt"), map(json.loads, semblance("predict", tmp_path / "run", input=texts).out.splitlines())):
        assert labels == [answer["label"]] and probabilities[0] == pytest.approx(answer["probability"], abs=2.1e-5)


@installed
@pytest.mark.parametrize(
    "options, told",
    [
        ([], "--hash fasttext"),
        (["--hash", "fasttext"], "--min-ngram-count 0"),
        (["--model", "mlp", "--ngrams", "1", "--char-ngrams", "0"], "--model mean"),
        (["--ngrams", "1", "--char-ngrams", "0", "--unknown-word"], "unknown words"),
    ],
)
def test_what_fasttext_cannot_say_is_refused(opinions, tmp_path, options, told):
    semblance("train", "sentiment", "--train", opinions, "--run", tmp_path / "run", "--epochs", "1", *options)
    refused = semblance("export", tmp_path / "run", "--format", "fasttext", "--output", tmp_path / "model.bin", check=False)
    assert refused.code == USAGE and told in refused.error
    assert not (tmp_path / "model.bin").exists()


@pytest.fixture(scope="module")
def given_vectors(tmp_path_factory):
    """Words, their vectors, and a trigram run that learnt from them."""
    folder = tmp_path_factory.mktemp("given")
    draw = random.Random(3)
    words = sorted({"".join(draw.choice("abcdeéж") for _ in range(draw.randrange(1, 8))) for _ in range(400)})
    rows = [f"{word} " + " ".join(f"{draw.gauss(0, 1):.5f}" for _ in range(8)) for word in words]
    (folder / "given.vec").write_text(f"{len(rows)} 8\n" + "\n".join(rows) + "\n", encoding="utf-8")
    semblance("train", "trigram", "--vectors", folder / "given.vec", "--run", folder / "run", "--ngrams", "2-4", "--epochs", "2")
    return folder, {row.split(" ")[0]: list(map(float, row.split(" ")[1:])) for row in rows}


@installed
@pytest.mark.parametrize("oov", [False, True], ids=["words alone", "with n-grams"])
def test_given_vectors_come_back_exactly(given_vectors, tmp_path, oov):
    folder, given = given_vectors
    options = ["--oov", folder / "run"] if oov else []
    told = semblance("vectors", "convert", folder / "given.vec", "--format", "fasttext", "--output", tmp_path / "out.bin", *options, "--json").json
    assert told["vectors"] == len(given) and told.get("ngrams", 0) == (told["ngrams"] if oov else 0)
    for line in fasttext("print-word-vectors", tmp_path / "out.bin", input="\n".join(given) + "\n").splitlines():
        word, *numbers = line.split()
        assert list(map(float, numbers)) == pytest.approx(given[word], rel=1e-4, abs=1e-5)
    # The same to float32's last digits, where nothing is printed in between.
    for word in list(given)[::20]:
        found = semblance("vectors", "vector", tmp_path / "out.bin", word, "--json").json[word]
        assert found == pytest.approx(given[word], abs=1e-6)


@installed
def test_unknown_words_are_near_to_what_the_run_makes_of_them(given_vectors, tmp_path):
    folder, given = given_vectors
    semblance("vectors", "convert", folder / "given.vec", "--format", "fasttext", "--output", tmp_path / "out.bin", "--oov", folder / "run")
    unknown = ["abcab", "éжed", "dcba"]
    assert not set(unknown) & set(given)
    for line in fasttext("print-word-vectors", tmp_path / "out.bin", input="\n".join(unknown) + "\n").splitlines():
        word, *numbers = line.split()
        theirs = list(map(float, numbers))
        ours = list(map(float, semblance("encode", folder / "run", input=word + "\n").out.split()[3:]))
        dot, a, b = (sum(x * y for x, y in zip(p, q)) for p, q in ((theirs, ours), (theirs, theirs), (ours, ours)))
        assert dot / (a * b) ** 0.5 > 0.8, word


@installed
def test_gensim_opens_them(given_vectors, tmp_path):
    gensim = pytest.importorskip("gensim.models.fasttext")
    folder, given = given_vectors
    semblance("vectors", "convert", folder / "given.vec", "--format", "fasttext", "--output", tmp_path / "out.bin", "--oov", folder / "run")
    table = gensim.load_facebook_vectors(tmp_path / "out.bin")
    for word, vector in given.items():
        assert table[word] == pytest.approx(vector, abs=2e-6)
    numbers = fasttext("print-word-vectors", tmp_path / "out.bin", input="abcab\n").split()[1:]
    assert table["abcab"] == pytest.approx(list(map(float, numbers)), rel=1e-4, abs=1e-5)
