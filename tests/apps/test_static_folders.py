"""Folders of sentence-transformers and model2vec as encoders: the same vectors as those two make (tests/fixtures/static_folders), and
trainings that start from them."""

import json
import os
import pathlib
import shutil

import numpy
import pytest
from conftest import ROOT, semblance

USAGE, MODEL = 2, 4
TOLERANCE = 1e-5
FIXTURES = ROOT / "tests" / "fixtures"
FOLDERS = FIXTURES / "static_folders"
ANSWERS = json.loads((FOLDERS / "answers.json").read_text(encoding="utf-8"))
NAMES = sorted(ANSWERS)

os.environ["HF_HUB_OFFLINE"] = "1"  # nothing is fetched


def lines(texts):
    return "".join(text + "\n" for text in texts)


def vectors(model, texts, *options):
    return [json.loads(line)["vector"] for line in semblance("encode", model, "--output-format", "jsonl", *options, input=lines(texts)).out.splitlines()]


@pytest.fixture
def rows(tmp_path):
    path = tmp_path / "rows.tsv"
    verbs, nouns = ["open", "close", "sort", "copy", "reading", "unable"], ["file", "list", "socket", "window", "table"]
    path.write_text(lines(f"how do i {a} a {b}?\t{b} {a}: question {i}" for i, (a, b) in enumerate((a, b) for a in verbs for b in nouns)), encoding="utf-8")
    return path


def a_copy(name, tmp_path):
    return shutil.copytree(FOLDERS / name, tmp_path / name)


def edit(path, change):
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_vectors_are_those_that_the_folders_own_program_makes(name):
    answers = ANSWERS[name]
    for answer, ours in zip(answers, vectors(FOLDERS / name, [a["text"] for a in answers]), strict=True):
        if ours is None:  # no piece is known: theirs is what the layers make of zeros
            assert set(answer["pieces"]) <= {"[UNK]"}, answer["text"]
        else:
            assert ours == pytest.approx(answer["vector"], abs=TOLERANCE), answer["text"]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "quantised"])  # which cuts texts shorter than its tokenizer does
def test_pieces_are_those_of_the_tokenizers_library(name):
    told = semblance("tokens", FOLDERS / name, input=lines(a["text"] for a in ANSWERS[name])).out.split("\n")
    for answer, ours in zip(ANSWERS[name], told):
        if name == "potion" and len(answer["text"]) > 500:  # where model2vec cuts before it asks the library
            continue
        pieces = [piece for piece in answer["pieces"] if piece != "[UNK]" or name != "potion"]
        assert ours == " ".join(pieces), answer["text"]


@pytest.mark.parametrize("name", ["plain", "cased"])
def test_characters_are_cut_as_by_the_library(name):
    """All of the basic plane, but for a few hundred whose class younger editions of Unicode have changed."""
    tokenizers = pytest.importorskip("tokenizers")
    texts = [f"file{chr(c)}open" for c in range(1, 0x10000) if not 0xD800 <= c < 0xE000 and c not in (10, 13)]
    theirs = tokenizers.Tokenizer.from_file(str(FOLDERS / name / "tokenizer.json")).encode_batch(texts, add_special_tokens=False)
    ours = semblance("tokens", FOLDERS / name, input=lines(texts)).out.split("\n")
    assert sum(" ".join(b.tokens) != a for a, b in zip(ours, theirs)) < 500


@pytest.mark.parametrize("name", ["plain", "potion", "layers"])
def test_real_programs_of_today_make_the_same_of_other_texts(name):
    texts = [line for line in (FIXTURES / "golden" / "texts.txt").read_text(encoding="utf-8").splitlines() if line]
    if name == "potion":
        opened = pytest.importorskip("model2vec").StaticModel.from_pretrained(str(FOLDERS / name))
    else:
        opened = pytest.importorskip("sentence_transformers").SentenceTransformer(str(FOLDERS / name), device="cpu")
    for text, theirs, ours in zip(texts, opened.encode(texts), vectors(FOLDERS / name, texts), strict=True):
        if ours is not None:
            assert ours == pytest.approx(list(map(float, theirs)), abs=TOLERANCE), text


def test_ranks_and_searches(tmp_path):
    texts = [a["text"] for a in ANSWERS["plain"] if a["text"].strip() and "\t" not in a["text"]]
    corpus = tmp_path / "corpus.txt"
    corpus.write_text(lines(texts), encoding="utf-8")
    table = numpy.array(vectors(FOLDERS / "plain", texts))
    table /= numpy.linalg.norm(table, axis=1, keepdims=True)
    query = numpy.array(vectors(FOLDERS / "plain", ["how to open a list"])[0])
    best = int(numpy.argmax(table @ (query / numpy.linalg.norm(query))))
    found = semblance("search", FOLDERS / "plain", "--corpus", corpus, "--json", input="how to open a list\n")
    assert json.loads(found.out.splitlines()[0])["results"][0]["text"] == texts[best]

    rows = tmp_path / "rows.tsv"
    rows.write_text(lines(f"{a}\t{a}\t{b}" for a, b in zip(texts, texts[1:])), encoding="utf-8")
    assert semblance("evaluate", FOLDERS / "plain", rows, "--json").json["mrr"] == 1
    by_words = semblance("evaluate", "--vectors", FOLDERS / "plain", rows, "--json").json
    assert by_words["mrr"] == 1, "texts are cut into pieces here too"


@pytest.mark.parametrize("name", ["plain", "potion"])
def test_a_training_starts_from_the_folder_and_needs_it_no_more(rows, tmp_path, name):
    folder, run = a_copy(name, tmp_path), tmp_path / "run"
    still = ["--lr", "1e-12", "--epochs", "1", "--split", "1,0,0", "--batch-size", "16"]
    told = semblance("train", "dssm", "--train", rows, "--vectors", folder, "--run", run, *still, *(["--normalize"] if name == "potion" else [])).err
    assert "its words are pieces" in told and " 0 of them from their n-grams" in told
    assert 'tokenizer = "wordpiece"' in (run / "job.toml").read_text()
    shutil.rmtree(folder)
    texts = [a["text"] for a in ANSWERS[name]]
    for before, after in zip(vectors(FOLDERS / name, texts[:9]), vectors(run, texts[:9]), strict=True):
        assert after == (before and pytest.approx(before, abs=TOLERANCE))
    semblance("resume", run, "--epochs", "2")


def test_a_resumed_training_ends_as_one_in_a_piece(rows, tmp_path):
    job = ["--train", rows, "--vectors", FOLDERS / "plain", "--batch-size", "16", "--projection", "5"]
    semblance("train", "dssm", *job, "--epochs", "3", "--run", tmp_path / "whole")
    semblance("train", "dssm", *job, "--epochs", "3", "--stop-after", "1", "--run", tmp_path / "parts")
    semblance("resume", tmp_path / "parts")
    last = [(tmp_path / run / (tmp_path / run / "LAST").read_text().strip() / "model.safetensors").read_bytes() for run in ("whole", "parts")]
    assert last[0] == last[1]


def test_a_classifier_starts_from_the_folder(opinions, tmp_path):
    run, small = tmp_path / "run", tmp_path / "model.small"
    semblance("train", "sentiment", "--train", opinions, "--vectors", FOLDERS / "potion", "--epochs", "2", "--run", run)
    semblance("export", run, "--format", "small", "--output", small)
    text = "unable to open it, a lovely table\n"
    assert semblance("tokens", run, input=text).out.split()[:2] == ["un", "##able"]
    answers = [semblance("predict", model, "--json", input=text).json for model in (run, small)]
    assert answers[0]["label"] == answers[1]["label"]
    assert answers[0]["probability"] == pytest.approx(answers[1]["probability"], abs=0.01)


def test_tokenizer_says_whether_pieces_are_cut(rows, tmp_path):
    run = tmp_path / "run"
    semblance("train", "dssm", "--train", rows, "--vectors", FOLDERS / "plain", "--tokenizer", "words", "--epochs", "1", "--run", run)
    assert semblance("tokens", run, input="unable copying\n").out == "unable copying\n"
    refused = semblance("train", "dssm", "--train", rows, "--tokenizer", "wordpiece", "--run", tmp_path / "other", check=False)
    assert refused.code == USAGE
    assert "--tokenizer: wordpiece has the pieces of a model that --vectors names" in refused.err


@pytest.mark.parametrize("name", ["plain", "potion", "layers"])
def test_a_training_goes_back_into_a_folder(rows, tmp_path, name):
    run, out = tmp_path / "run", tmp_path / "out"
    options = {"potion": ["--normalize"], "layers": ["--projection", "6,4"]}.get(name, [])
    semblance("train", "dssm", "--train", rows, "--vectors", FOLDERS / name, "--epochs", "1", "--run", run, *options)
    semblance("export", run, "--format", "sentence-transformers", "--output", out)
    texts = [a["text"] for a in ANSWERS[name]]
    ours = vectors(run, texts)
    assert vectors(out, texts) == ours
    if name == "potion":
        opened = pytest.importorskip("model2vec").StaticModel.from_pretrained(str(out))
    else:
        opened = pytest.importorskip("sentence_transformers").SentenceTransformer(str(out), device="cpu")
    for text, theirs, vector in zip(texts, opened.encode(texts), ours):
        if vector is not None:
            assert vector == pytest.approx(list(map(float, theirs)), abs=TOLERANCE), text


@pytest.mark.parametrize(
    "options, named",
    [
        (["--char-ngrams", "3"], "no n-grams"),
        (["--token-weights", "idf"], "no --token-weights"),
        (["--stopwords", "en"], "no stop words"),
        (["--no-vector-words"], "--vector-words"),
    ],
)
def test_what_a_folder_cannot_say_is_refused(rows, tmp_path, options, named):
    semblance("train", "dssm", "--train", rows, "--vectors", FOLDERS / "plain", "--epochs", "1", "--run", tmp_path / "run", *options)
    refused = semblance("export", tmp_path / "run", "--format", "sentence-transformers", "--output", tmp_path / "out", check=False)
    assert refused.code == USAGE
    assert named in refused.err and not (tmp_path / "out").exists()


def without_first_rows(path):
    from safetensors.numpy import load_file, save_file

    save_file({name: tensor[1:] for name, tensor in load_file(path).items()}, path)


REFUSED = {
    "BPE": ("plain", lambda f: edit(f / "tokenizer.json", lambda t: t["model"].update(type="BPE")), "of type WordPiece, the only one that is read, found BPE"),
    "Unigram": ("potion", lambda f: edit(f / "tokenizer.json", lambda t: t["model"].update(type="Unigram", vocab=[["a", -1.0]])), "found Unigram"),
    "normalizer": ("plain", lambda f: edit(f / "tokenizer.json", lambda t: t.update(normalizer={"type": "NFKC"})), "normalizer of type BertNormalizer, the only one that is read, found NFKC"),
    "pre-tokenizer": ("plain", lambda f: edit(f / "tokenizer.json", lambda t: t.update(pre_tokenizer=None)), "pre-tokenizer of type BertPreTokenizer, the only one that is read, found none"),
    "transformer": ("plain", lambda f: edit(f / "modules.json", lambda m: m[0].update(type="sentence_transformers.models.Transformer")), "found Transformer"),
    "activation": ("layers", lambda f: edit(f / "2_Dense" / "config.json", lambda c: c.update(activation_function="torch.nn.modules.activation.Tanh")), "after each layer but the last"),
    "another activation": ("layers", lambda f: edit(f / "1_Dense" / "config.json", lambda c: c.update(activation_function="torch.nn.modules.activation.Mish")), "found torch.nn.modules.activation.Mish"),
    "gap": ("plain", lambda f: edit(f / "tokenizer.json", lambda t: t["model"]["vocab"].update({"[PAD]": 1000})), "numbered from 0 on, found 1000 for '[PAD]'"),
    "unknown": ("plain", lambda f: edit(f / "tokenizer.json", lambda t: t["model"].update(unk_token="[OOV]")), "a piece for unknown words, '[OOV]', found none"),
    "rows": ("plain", lambda f: without_first_rows(f / "model.safetensors"), "one for each piece"),
    "mapping": ("quantised", lambda f: without_first_rows(f / "model.safetensors"), "one for each piece"),
    "cut tensors": ("plain", lambda f: (f / "model.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:-100]), "model.safetensors"),
    "no tensors": ("plain", lambda f: (f / "model.safetensors").unlink(), "model.safetensors"),
    "cut tokenizer": ("plain", lambda f: (f / "tokenizer.json").write_bytes((f / "tokenizer.json").read_bytes()[:-100]), "expected JSON"),
    "no list": ("plain", lambda f: (f / "modules.json").write_text("3"), "modules.json"),
    "no module": ("plain", lambda f: (f / "modules.json").write_text("[]"), "found no module"),
}


@pytest.mark.parametrize("damage", REFUSED)
def test_others_are_refused_by_name(tmp_path, damage):
    name, make, told = REFUSED[damage]
    folder = a_copy(name, tmp_path)
    make(pathlib.Path(folder))
    refused = semblance("encode", folder, input="open\n", check=False)
    assert refused.code == MODEL
    assert told in refused.err and refused.err.count("\n") == 1
    refused = semblance("vectors", "neighbors", folder, "open", check=False)
    assert refused.code == MODEL
    assert told in refused.err


def test_pieces_are_words_for_the_vectors_verbs():
    found = semblance("vectors", "neighbors", FOLDERS / "plain", "file", "--json", "--top", "3").json
    assert len(json.dumps(found)) > 20 and "found a folder of sentence-transformers" in semblance("inspect", FOLDERS / "plain", check=False).err
