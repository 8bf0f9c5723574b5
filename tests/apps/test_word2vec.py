"""Word vectors from running text: both models, resuming, other numbers of threads, serving, and other programs' results."""

import array
import collections
import gzip
import random
import shutil
import signal
import subprocess
import time

import pytest
from conftest import BIN, assert_same_neighbors, semblance

USAGE, DATA, DEVICE = 2, 3, 5

TOPICS = ["cat dog horse cow sheep goat pig hen".split(), "bread milk cheese butter apple soup rice egg".split(), "car bus train plane ship bike tram van".split()]


def write_corpus(path, sentences=4000, seed=1):
    """Sentences of one topic each, with words between that stand everywhere."""
    generator = random.Random(seed)
    with (gzip.open if path.suffix == ".gz" else open)(path, "wt") as file:
        for _ in range(sentences):
            topic = generator.choice(TOPICS)
            words = [generator.choice(topic) if generator.random() < 0.7 else generator.choice("the a of and to".split()) for _ in range(12)]
            file.write(" ".join(words) + "\n")
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return write_corpus(tmp_path_factory.mktemp("corpus") / "corpus.txt")


SMALL = ["--dim", "20", "--window", "4", "--sample", "0.01", "--batch-size", "2048", "--lr", "0.2"]


def train(corpus, run, *options, **more):
    return semblance("train", "word2vec", "--corpus", corpus, "--run", run, *SMALL, *options, **more)


@pytest.fixture(scope="module")
def run(corpus, tmp_path_factory):
    """A finished run; tests only read it."""
    folder = tmp_path_factory.mktemp("word2vec") / "run"
    train(corpus, folder)
    return folder


def tensors(run):
    return [(run / (run / "LAST").read_text().strip() / name).read_bytes() for name in ("model.safetensors", "vocabulary.txt")]


def neighbors(vectors, word, top=3):
    return [n["word"] for n in semblance("vectors", "neighbors", vectors, word, "--top", top, "--json").json["neighbors"]]


@pytest.mark.parametrize("options", [(), ("--hogwild",), ("--model", "cbow"), ("--model", "cbow", "--hogwild")], ids=" ".join)
def test_words_that_stand_together_are_near(corpus, tmp_path, options):
    train(corpus, tmp_path / "run", *options)
    for topic in TOPICS:
        assert set(neighbors(tmp_path / "run", topic[0])) <= set(topic)


def test_words_that_all_stand_alone_teach_nothing(tmp_path):
    (tmp_path / "lines.txt").write_text("one\ntwo\n" * 50)
    result = train(tmp_path / "lines.txt", tmp_path / "run", "--min-count", "1", check=False)
    assert result.code == DATA and "expected something to learn from, found none in a whole epoch" in result.err


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_the_lectures_network_learns_the_same(corpus, tmp_path, model):
    train(corpus, tmp_path / "run", "--full-softmax", "--model", model, "--lr", "0.02", "--batch-size", "256", "--optimizer", "adam", "--epochs", "3")
    for topic in TOPICS:
        assert set(neighbors(tmp_path / "run", topic[0])) <= set(topic)


def test_the_lectures_network_is_pytorchs(tmp_path):
    """One word a batch beside the other, plain SGD, from the same weights: the same weights after each step."""
    torch = pytest.importorskip("torch")
    load = pytest.importorskip("safetensors.torch").load_file
    text = tmp_path / "corpus.txt"
    text.write_text("a b c a d b c a b d e c a b e d a c\n")
    options = ["--full-softmax", "--no-dynamic-window", "--window", "2", "--sample", "0", "--min-count", "1", "--dim", "6", "--batch-size", "18", "--schedule", "constant"]
    options += ["--lr", "0.7", "--checkpoint-every", "1steps", "--keep-last", "10", "--epochs", "4"]
    semblance("train", "word2vec", "--corpus", text, "--run", tmp_path / "run", *options)
    steps = [load(tmp_path / f"run/step-{step:08}/model.safetensors") for step in (1, 2, 3, 4)]
    words = [line.split("\t")[0] for line in (tmp_path / "run/step-00000001/vocabulary.txt").read_text().splitlines()]
    tokens = [words.index(word) for word in text.read_text().split()]
    pairs = [(tokens[i], tokens[j]) for i in range(len(tokens)) for j in range(max(0, i - 2), min(len(tokens), i + 3)) if i != j]
    network = torch.nn.Sequential(torch.nn.Linear(len(words), 6, bias=False), torch.nn.Linear(6, len(words), bias=False))
    network[0].weight.data, network[1].weight.data = steps[0]["input"].T.clone(), steps[0]["output"].clone()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.7)
    centres = torch.nn.functional.one_hot(torch.tensor([c for c, _ in pairs]), len(words)).float()
    for after in steps[1:]:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(centres), torch.tensor([o for _, o in pairs])).backward()
        optimizer.step()
        assert torch.allclose(network[0].weight.T, after["input"], atol=1e-5)
        assert torch.allclose(network[1].weight, after["output"], atol=1e-5)


def test_another_number_of_threads_gives_the_same_bytes(corpus, run, tmp_path):
    train(corpus, tmp_path / "run", "--threads", "3")
    assert tensors(tmp_path / "run") == tensors(run)


def test_gzip_and_several_files_are_one_corpus(corpus, tmp_path):
    lines = corpus.read_text().splitlines(keepends=True)
    (tmp_path / "one.txt").write_text("".join(lines[:1000]))
    with gzip.open(tmp_path / "two.gz", "wt") as file:
        file.write("".join(lines[1000:]))
    train(tmp_path / "one.txt", tmp_path / "parts", "--corpus", tmp_path / "two.gz", "--epochs", "1")
    train(corpus, tmp_path / "whole", "--epochs", "1")
    assert tensors(tmp_path / "parts") == tensors(tmp_path / "whole")


def test_killed_anywhere_and_resumed_ends_in_the_same_bytes(tmp_path):
    """… in the middle of an epoch of a stream, over and over."""
    corpus = write_corpus(tmp_path / "corpus.gz", sentences=20000)
    options = ["--checkpoint-every", "10steps", "--epochs", "4"]
    train(corpus, tmp_path / "whole", *options)
    interrupted = tmp_path / "interrupted"
    command = [BIN / "semblance", "train", "word2vec", "--corpus", corpus, "--run", interrupted, "--threads", "1", *SMALL, *options]
    kills = 0
    for delay in (0.5, 0.6, 0.7, 0.8):
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(delay)
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
        if (interrupted / "job.toml").exists():
            command = [BIN / "semblance", "resume", interrupted]
        else:
            shutil.rmtree(interrupted, ignore_errors=True)
    assert kills > 0
    result = semblance("resume", interrupted, check=False) if (interrupted / "job.toml").exists() else None
    assert result and result.code == 0, result and result.err
    assert tensors(interrupted) == tensors(tmp_path / "whole")


def test_resume_refuses_another_corpus(corpus, tmp_path):
    copy = shutil.copy(corpus, tmp_path / "copy.txt")
    train(copy, tmp_path / "run", "--epochs", "1")
    with open(copy, "a") as file:
        file.write("another sentence\n")
    result = semblance("resume", tmp_path / "run", "--epochs", "2", check=False)
    assert result.code == DATA and "other data" in result.error


def test_exported_vectors_are_those_that_gensim_reads(run, tmp_path):
    keyed = pytest.importorskip("gensim.models").KeyedVectors
    semblance("export", run, "--format", "word2vec-bin", "--output", tmp_path / "v.bin")
    semblance("export", run, "--format", "word2vec", "--output", tmp_path / "v.txt")
    semblance("export", run, "--format", "mapped", "--output", tmp_path / "v.map")
    binary = keyed.load_word2vec_format(str(tmp_path / "v.bin"), binary=True)
    text = keyed.load_word2vec_format(str(tmp_path / "v.txt"))
    assert binary.index_to_key == text.index_to_key and (binary.vectors == text.vectors).all()
    for source in (run, tmp_path / "v.map", tmp_path / "v.bin"):
        assert_same_neighbors(semblance("vectors", "neighbors", source, "cow", "--json").json["neighbors"], binary.most_similar("cow"))


def test_tensorboards_projector_shows_them(run, tmp_path):
    projector = pytest.importorskip("tensorboard.plugins.projector.projector_plugin")
    from tensorboard.plugins import base_plugin
    from werkzeug.test import Client

    semblance("export", run, "--format", "projector", "--output", tmp_path / "log")
    semblance("export", run, "--format", "word2vec", "--output", tmp_path / "v.txt")
    rows = [line.split(" ") for line in (tmp_path / "v.txt").read_text(encoding="utf-8").splitlines()[1:]]
    apps = projector.ProjectorPlugin(base_plugin.TBContext(logdir=str(tmp_path / "log"))).get_plugin_apps()

    def get(path):
        answer = Client(apps[path]).get(path, query_string={"run": ".", "name": "words"})
        assert answer.status_code == 200, answer.data
        return answer.data

    assert get("/metadata").decode().splitlines() == [row[0] for row in rows]
    numbers = array.array("f", get("/tensor"))
    assert list(numbers) == pytest.approx([float(x) for row in rows for x in row[1:]], rel=1e-6)


def test_a_run_is_measured_as_its_vectors_are(run, tmp_path):
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("cat dog 9\ncat bus 1\ntrain plane 8\nmilk ship 2\nrice soup 7\nrice unheard 5\n")
    of_run = semblance("evaluate", run, pairs, "--json").json
    semblance("export", run, "--format", "word2vec", "--output", tmp_path / "v.txt")
    of_file = semblance("vectors", "evaluate", tmp_path / "v.txt", pairs, "--json").json
    assert of_run["spearman"] == pytest.approx(of_file["spearman"]) and of_run["skipped"] == of_file["skipped"] == 1
    assert of_run["spearman"] > 0.5


def test_phrases_become_words(tmp_path):
    corpus = tmp_path / "corpus.txt"
    generator = random.Random(3)
    with corpus.open("w") as file:
        for _ in range(2000):
            words = [generator.choice([f"w{i}" for i in range(300)]) for _ in range(8)]
            words[3:3] = generator.choice([["new", "york", "city"], ["ice", "cream"]])
            file.write(" ".join(words) + "\n")
    for passes, expected in (("1", {"new_york", "ice_cream"}), ("2", {"new_york_city", "ice_cream"})):
        run = tmp_path / f"run{passes}"
        train(corpus, run, "--phrases", passes, "--phrase-threshold", "15", "--epochs", "1")
        words = {line.split("\t")[0] for line in (run / (run / "LAST").read_text().strip() / "vocabulary.txt").read_text().splitlines()}
        assert {word for word in words if "_" in word} >= expected


def test_phrases_are_those_of_gensim(tmp_path):
    phrases = pytest.importorskip("gensim.models.phrases").Phrases
    generator = random.Random(4)
    words = [f"w{i}" for i in range(120)]
    # Each word is often followed by one of its own, in all shades between chance and always.
    sentences = []
    for _ in range(3000):
        sentence = [generator.randrange(120) for _ in range(6)]
        sentence = [word for first in sentence for word in ([first, (first * 7 + 1) % 120] if generator.random() < first / 240 else [first])]
        sentences.append([words[i] for i in sentence])
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("".join(" ".join(sentence) + "\n" for sentence in sentences))
    total = sum(map(len, sentences))
    run = tmp_path / "run"
    train(corpus, run, "--phrases", "1", "--phrase-threshold", "30", "--phrase-min-count", "5", "--min-count", "1", "--epochs", "1")
    ours = dict(line.split("\t")[:2] for line in (run / (run / "LAST").read_text().strip() / "vocabulary.txt").read_text().splitlines())
    # Its score has the size of the table of words and pairs where word2vec's has the number of words.
    counted = phrases(sentences, min_count=5, threshold=1, delimiter="_")
    counted.threshold = 30 / total * len(counted.vocab)
    theirs = collections.Counter(word for sentence in counted[sentences] for word in sentence)
    assert {word: int(count) for word, count in ours.items() if word in theirs or "_" in word} == dict(theirs)
    assert 20 < sum("_" in word for word in theirs) < 100


@pytest.mark.parametrize(
    "options, code, told",
    [
        (["--optimizer", "adam"], USAGE, "--optimizer: expected sgd"),
        (["--clip-norm", "1"], USAGE, "--clip-norm: expected 0"),
        (["--hogwild", "--full-softmax"], USAGE, "--hogwild"),
        (["--patience", "2"], USAGE, "--patience: expected validation data"),
        (["--min-count", "1000000"], DATA, "--min-count"),
        (["--corpus", "nowhere.txt"], DATA, "nowhere.txt"),
        (["--corpus", "/dev/null"], DATA, "/dev/null"),
        (["--device", "cuda:9"], DEVICE, "cuda"),
        (["--full-softmax", "--batch-size", "10000000"], USAGE, "--batch-size"),
    ],
)
def test_wrong_options_and_files_are_told_before_anything_is_written(corpus, tmp_path, options, code, told):
    result = train(corpus, tmp_path / "run", *options, check=False)
    assert result.code == code and told in result.error
    assert not (tmp_path / "run").exists()


def test_a_truncated_gzip_is_refused(corpus, tmp_path):
    path = tmp_path / "cut.gz"
    path.write_bytes(gzip.compress(corpus.read_bytes())[:-100])
    result = train(path, tmp_path / "run", check=False)
    assert result.code == DATA and "cut.gz" in result.error and not (tmp_path / "run").exists()


def test_no_worse_than_gensim_on_real_text(shared, tmp_path):
    """4 MB of reviews, one epoch each. Sets of word similarities at this size are noise but for differences of kind."""
    word2vec = pytest.importorskip("gensim.models").Word2Vec
    with gzip.open(shared / "data/text/imdb_40mb.txt.gz") as file:
        (tmp_path / "text").write_bytes(file.read(4_000_000))
    semblance("train", "word2vec", "--corpus", tmp_path / "text", "--run", tmp_path / "run", "--epochs", "2")
    theirs = word2vec(corpus_file=str(tmp_path / "text"), vector_size=100, sg=1, epochs=2, workers=2, min_count=5)
    theirs.wv.save_word2vec_format(tmp_path / "theirs.txt")
    words = shared / "data/words/EN-MEN-TR-3k.txt"
    ours = semblance("evaluate", tmp_path / "run", words, "--json").json
    other = semblance("vectors", "evaluate", tmp_path / "theirs.txt", words, "--json").json
    assert ours["examples"] == other["examples"]
    assert ours["spearman"] > other["spearman"] - 0.05
