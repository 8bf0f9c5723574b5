"""The question encoder: training on duplicates, ranking, encoding, searching."""

import json
import math
import random
import shutil

import numpy
import pytest
from conftest import LAST_DIGITS, ROOT, semblance

USAGE, DATA, MODEL = 2, 3, 4

WORDS = ROOT / "tests/fixtures/words.vec"
QUICK = ["--dim", "16", "--init-std", "0.3", "--epochs", "8", "--batch-size", "32", "--k", "1,5"]


def make_rows(count, seed):
    """Rows of two to four questions about one topic, each in words of its own, as duplicates are."""
    draw = random.Random(seed)

    def question(topic):
        words = [f"{syllable}{draw.randrange(3)}" for syllable in topic] + draw.choices(["how", "why", "the", "пожалуйста", "can"], k=2)
        draw.shuffle(words)
        return " ".join(words).capitalize() + "?"

    topics = [f"{a}{b}" for a in "bdgklmnp" for b in "aeiou"]
    rows = []
    for _ in range(count):
        topic = draw.sample(topics, 2)
        rows.append([question(topic) for _ in range(draw.randrange(2, 5))])
    return rows


def write_rows(path, rows):
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """train.tsv of duplicates, valid.tsv of a question, its duplicate and ten negatives."""
    folder = tmp_path_factory.mktemp("dssm")
    write_rows(folder / "train.tsv", make_rows(400, 1))
    others = make_rows(60, 2)
    ranked = [[*row[:2], *(others[(i + k) % 60][0] for k in range(1, 11))] for i, row in enumerate(others)]
    write_rows(folder / "valid.tsv", ranked)
    return folder


def train(data, run, *options, **more):
    return semblance("train", "dssm", "--train", data / "train.tsv", "--run", run, *options, **more)


@pytest.fixture(scope="module")
def run(data):
    """A trained run; tests only read it."""
    train(data, data / "run", "--valid", data / "valid.tsv", *QUICK)
    return data / "run"


def encode(run, texts):
    lines = semblance("encode", run, input="\n".join(texts) + "\n").out.splitlines()
    found = [json.loads(line) for line in lines]
    assert [line["text"] for line in found] == list(texts)
    return [line["vector"] for line in found]


def unit(vectors):
    vectors = numpy.array(vectors)
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


# Training


def test_it_learns_what_words_stand_for_each_other(data, run):
    before = train(data, data / "untrained", "--valid", data / "valid.tsv", *QUICK, "--lr", "0", "--epochs", "1", "--json").json
    after = semblance("evaluate", run, data / "valid.tsv", "--json").json
    assert after["hits"]["1"] > before["valid"]["hits"]["1"] + 0.3
    assert set(after["hits"]) == {"1", "5"} and after["task"] == "dssm"


def test_the_loss_is_nt_xent_of_the_encoded_pairs(data, tmp_path):
    """With a learning rate of zero and all pairs in one batch, the loss can be computed from what `encode` prints."""
    rows = make_rows(20, 3)
    write_rows(tmp_path / "train.tsv", rows)
    options = ["--lr", "0", "--epochs", "1", "--alpha", "0.2", "--split", "1,0,0", "--dim", "8", "--batch-size", "500"]
    report = train(tmp_path, tmp_path / "r", *options, "--pairs", "first-with-rest", "--json").json
    pairs = [(i, row[0], other) for i, row in enumerate(rows) for other in row[1:]]
    groups = numpy.array([i for i, _, _ in pairs])
    q, d = unit(encode(tmp_path / "r", [a for _, a, _ in pairs])), unit(encode(tmp_path / "r", [b for _, _, b in pairs]))
    scores = q @ d.T / 0.2
    scores[(groups[:, None] == groups) & ~numpy.eye(len(pairs), dtype=bool)] = -numpy.inf

    def log_softmax_of_own(s):
        return numpy.diag(s) - numpy.log(numpy.exp(s).sum(1))

    expected = -(log_softmax_of_own(scores) + log_softmax_of_own(scores.T)).mean() / 2
    assert report["history"][0]["train_loss"] == pytest.approx(expected, rel=1e-5)


def test_the_pairs_of_a_row(data, tmp_path):
    rows = make_rows(50, 4)
    write_rows(tmp_path / "train.tsv", rows)
    sizes = [len(row) for row in rows]
    expected = {
        ("--pairs", "first-two"): 50,
        ("--pairs", "first-with-rest"): sum(n - 1 for n in sizes),
        ("--pairs", "all-pairs"): sum(math.comb(n, 2) for n in sizes),
        ("--max-pairs-per-row", "2"): sum(min(2, math.comb(n, 2)) for n in sizes),
    }
    for options, pairs in expected.items():
        result = train(tmp_path, tmp_path / "r", "--overwrite", "--split", "1,0,0", "--epochs", "1", "--dim", "4", *options)
        assert f"50 rows, {pairs} pairs to train on" in result.err, options


@pytest.mark.parametrize("options", [[], ["--projection", "12,6", "--learn-alpha"], ["--optimizer", "rowwise-adagrad", "--lr", "0.1", "--no-duplicates"]])
def test_the_number_of_threads_changes_nothing(options, data, tmp_path):
    for threads in "1", "2":
        train(data, tmp_path / threads, "--threads", threads, "--dim", "24", "--epochs", "2", "--batch-size", "150", *options)
    one, two = (next((tmp_path / threads).glob("step-*/model.safetensors")).read_bytes() for threads in "12")
    assert one == two


def test_lazy_adam_learns_what_libtorchs_dense_adam_does(data, tmp_path):
    losses = {}
    for optimizer in "lazy-adam", "dense-adam":
        report = train(data, tmp_path / optimizer, *QUICK, "--optimizer", optimizer, "--json").json
        losses[optimizer] = report["history"][-1]["train_loss"]
    assert losses["lazy-adam"] == pytest.approx(losses["dense-adam"], rel=0.1)


def test_rows_of_the_training_file_are_held_out_whole(data, tmp_path):
    report = train(data, tmp_path / "r", "--split", "0.8,0.1,0.1", "--negatives", "7", *QUICK, "--json").json
    assert report["valid"]["examples"] == 40 and report["test"]["examples"] == 40
    assert report["valid"]["mean_rank"] <= 8


def test_early_stopping_on_a_ranking_metric(data, tmp_path):
    options = ["--valid", data / "valid.tsv", *QUICK, "--epochs", "60", "--metric", "hits@1", "--patience", "2", "--json"]
    report = train(data, tmp_path / "r", *options).json
    assert report["stopped"] == "early-stopping" and len(report["history"]) < 60
    best = max(record["valid"]["hits"]["1"] for record in report["history"])
    assert report["valid"]["hits"]["1"] == best
    wrong = train(data, tmp_path / "w", "--metric", "hits@7", check=False)
    assert wrong.code == USAGE and "hits@5" in wrong.error


# R1
def test_pairs_to_validate_on_are_ranked_among_each_other(data, tmp_path):
    """Alone with its question, a duplicate would come first whatever the vectors."""
    rows = [row[:2] for row in make_rows(60, 2)]
    write_rows(tmp_path / "pairs.tsv", rows)
    options = ["--valid", tmp_path / "pairs.tsv", *QUICK, "--epochs", "3", "--json"]
    report = train(data, tmp_path / "r", *options).json
    assert report["valid"]["examples"] == 60
    assert report["history"][0]["valid"]["hits"]["1"] < report["valid"]["hits"]["1"] < 1
    served = semblance("evaluate", tmp_path / "r", tmp_path / "pairs.tsv", "--json").json
    written_out = [[*row, *(other[1] for other in rows if other != row)] for row in rows]
    whole = semblance("evaluate", tmp_path / "r", write_rows(tmp_path / "rows.tsv", written_out), "--json").json
    for key in ("hits", "mrr", "mean_rank", "ties"):
        assert served[key] == whole[key] == report["valid"][key], key
    vectors = semblance("evaluate", "--vectors", WORDS, tmp_path / "pairs.tsv", "--json").json
    assert vectors["mrr"] == 0 and vectors["empty_queries"] == 60, "where nothing is known, nothing is found"
    few = semblance("evaluate", tmp_path / "r", tmp_path / "pairs.tsv", "--negatives", "3", "--json").json
    assert few["mean_rank"] <= 4 and few["mrr"] > served["mrr"]


def test_of_equal_epochs_the_latest_is_best_and_told(data, tmp_path):
    result = train(data, tmp_path / "r", "--valid", data / "valid.tsv", *QUICK, "--lr", "0", "--epochs", "3", "--json")
    assert result.json["best_epoch"] == 3 and "in 3 epochs, and never better" in result.err


# R4
def test_what_is_known_of_a_text_hangs_on_its_tokens(data, tmp_path):
    """Behind a layer with a bias every text has a vector, those without a known word too."""
    run = tmp_path / "r"
    train(data, run, *QUICK, "--projection", "16")
    questions = [["xyzzy" + str(i), row[1], row[0]] for i, row in enumerate(make_rows(20, 2))]
    result = semblance("evaluate", run, write_rows(tmp_path / "rows.tsv", questions), "--json")
    assert result.json["empty_queries"] == 20 and result.json["mrr"] == 0 and result.json["hits"]["5"] == 0
    assert "20 of 20 question(s) have no word that is known" in result.err
    (tmp_path / "corpus.txt").write_text("xyzzy\nba0 de1\nplugh\n")
    answer = semblance("search", run, "--corpus", tmp_path / "corpus.txt", "--top", "3", "--json", input="ba0 de1\n")
    assert [found["text"] for found in answer.json["results"]] == ["ba0 de1"]
    assert "2 of 3 text(s) have no word that is known" in answer.err


def test_starting_from_word_vectors(data, tmp_path):
    """A word that the training texts lack is known all the same, unless --no-vector-words says otherwise."""
    words = dict((line.split(" ")[0], line.split(" ")[1:]) for line in WORDS.read_text().splitlines()[1:])
    word = next(iter(words))
    for switch, known in (("--vector-words", True), ("--no-vector-words", False)):
        run = tmp_path / switch
        train(data, run, "--vectors", WORDS, "--lr", "0", "--epochs", "1", switch)
        (vector,) = encode(run, [word])
        assert (vector == pytest.approx([float(x) for x in words[word]])) if known else vector is None


def test_tensorboard_has_each_logged_batch_and_each_epochs_hits(data, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    report = train(data, tmp_path / "r", "--valid", data / "valid.tsv", *QUICK, "--epochs", "2", "--log-every", "1", "--json").json
    events = EventAccumulator(str(tmp_path / "r"), size_guidance={"scalars": 0})
    events.Reload()
    assert [event.step for event in events.Scalars("train/loss")] == list(range(1, report["step"] + 1))
    assert [event.value for event in events.Scalars("valid/hits@5")] == pytest.approx([r["valid"]["hits"]["5"] for r in report["history"]])


# Use


def test_evaluate_ranks_as_its_definition_says(data, run):
    rows = [line.split("\t") for line in (data / "valid.tsv").read_text().splitlines()]
    texts = [text for row in rows for text in row]
    vectors = unit(encode(run, texts)).reshape(len(rows), 12, -1)
    above = numpy.array([(row[2:] - row[1]) @ row[0] for row in vectors])
    report = semblance("evaluate", run, data / "valid.tsv", "--k", "1,3", "--json").json
    # The last digits decide between texts of the same words in another order.
    best, worst = (1 + (above > margin).sum(1) for margin in (LAST_DIGITS, -LAST_DIGITS))
    for k in (1, 3):
        assert numpy.mean(worst <= k) <= report["hits"][str(k)] <= numpy.mean(best <= k)
    assert numpy.mean(1 / worst) <= report["mrr"] + 1e-9 and report["mrr"] - 1e-9 <= numpy.mean(1 / best)
    assert numpy.mean(best) <= report["mean_rank"] <= numpy.mean(worst)
    assert numpy.mean(worst - best) < 0.1, "which is seldom"


def test_encoding_keeps_every_line_in_its_order(run):
    texts = ["How ba0 de1?", "xyzzy", "How ba0 de1?", "the " * 3000]
    vectors = encode(run, texts)
    assert vectors[1] is None and vectors[0] == vectors[2] and len(vectors[0]) == 16
    assert vectors[0] == encode(run, ["how   ba0, de1"])[0], "cleaned as in training"
    assert "1 of 4 text(s) have no word" in semblance("encode", run, input="\n".join(texts)).err


def test_search_finds_the_nearest_texts(run, tmp_path):
    corpus = [row[0] for row in make_rows(300, 7)]
    queries = [row[1] for row in make_rows(300, 7)[:20]]
    (tmp_path / "corpus.txt").write_text("\n".join(corpus), encoding="utf-8")
    semblance("encode", run, tmp_path / "corpus.txt", "--output-format", "mapped", "--output", tmp_path / "corpus.map")
    similarity = unit(encode(run, queries)) @ unit(encode(run, corpus)).T
    answers = {}
    for name in "corpus.txt", "corpus.map":
        lines = semblance("search", run, "--corpus", tmp_path / name, "--top", "4", "--json", input="\n".join(queries)).out.splitlines()
        answers[name] = [json.loads(line) for line in lines]
    for i, answer in enumerate(answers["corpus.txt"]):
        assert answer["query"] == queries[i]
        assert [r["similarity"] for r in answer["results"]] == pytest.approx(sorted(similarity[i], reverse=True)[:4], abs=LAST_DIGITS)
        assert all(similarity[i][corpus.index(r["text"])] == pytest.approx(r["similarity"], abs=LAST_DIGITS) for r in answer["results"])
    if len(set(corpus)) == len(corpus):
        assert answers["corpus.map"] == answers["corpus.txt"]


def test_a_query_of_no_known_word_is_told_and_counted(run, tmp_path):
    (tmp_path / "corpus.txt").write_text("gi2 de1\n\nba0 ba1\n")
    result = semblance("search", run, "--corpus", tmp_path / "corpus.txt", "--json", input="xyzzy\n\nba0\n")
    unknown, blank, known = map(json.loads, result.out.splitlines())  # V6: a line for a line
    assert unknown == {"query": "xyzzy", "results": [], "unknown": True}
    assert blank == {"query": "", "results": [], "unknown": True}
    assert known["results"][0]["text"] == "ba0 ba1" and len(known["results"]) == 2
    assert "2 of 3 queries have no word" in result.err


def test_a_corpus_gives_one_answer_as_text_and_mapped(run, tmp_path):  # V14
    (tmp_path / "corpus.txt").write_text("ba0 ba1\n\nxyzzy\nba0 ba1\n   \ngi2 de1\n")
    made = semblance("encode", run, tmp_path / "corpus.txt", "--output-format", "mapped", "--output", tmp_path / "corpus.map")
    answers = [semblance("search", run, "--corpus", tmp_path / name, "--json", input="ba0 ba1\n") for name in ("corpus.txt", "corpus.map")]
    assert answers[0].out == answers[1].out
    assert [found["text"] for found in answers[0].json["results"]] == ["ba0 ba1", "gi2 de1"]
    assert "1 line(s) that came before" in made.err and "1 repeated line(s)" in answers[0].err


def test_every_line_is_encoded_in_its_place(run):  # V6
    lines = [json.loads(line) for line in semblance("encode", run, "--output-format", "jsonl", input="ba0\n\nba0\n  \nxyzzy").out.splitlines()]
    assert [line["text"] for line in lines] == ["ba0", "", "ba0", "  ", "xyzzy"]
    assert [line["vector"] is None for line in lines] == [line.get("unknown", False) for line in lines] == [False, True, False, True, True]


# Wrong inputs


@pytest.mark.parametrize(
    "content, options, code, message",
    [
        ("", [], DATA, "expected rows of texts that are duplicates of each other, found none"),
        ("alone\n", [], DATA, ":1: expected texts that are duplicates"),
        ("a\tb\n\talone\n", [], DATA, ":2: expected texts that are duplicates"),
        ("?\t!\n.\t,\n", ["--split", "1,0,0"], DATA, "expected pairs of texts to train on, found none"),
        ("a\tb\n", ["--split", "0.5,0.5"], USAGE, "--split: expected three shares"),
        ("a\tb\n", ["--alpha", "0"], USAGE, "--alpha"),
        ("a\tb\n", ["--pairs", "none"], USAGE, "--pairs"),
        ("a\tb\n", ["--vectors", WORDS, "--dim", "9"], USAGE, "--dim: expected 8"),
        ("a\tb\n", ["--split", "1,0,0", "--patience", "1"], USAGE, "--patience: expected validation data"),
        ("a\tb\n", ["--char-ngrams", "2"], USAGE, "--min-char-ngrams"),
    ],
)
def test_training_that_cannot_begin(content, options, code, message, tmp_path):
    (tmp_path / "train.tsv").write_text(content)
    result = train(tmp_path, tmp_path / "r", *options, check=False)
    assert (result.code, message in result.error) == (code, True), result.error
    assert not (tmp_path / "r").exists()


def test_bad_rows_can_be_skipped_and_odd_text_is_text(tmp_path):
    content = b"one two\tuno dos\nalone\nthr\xffee\tt\x00res\n" + "е" .encode() * 2_000_000 + b"\tlong\n\xef\xbf\xbdq\tr\n"
    (tmp_path / "train.tsv").write_bytes(content)
    result = train(tmp_path, tmp_path / "r", "--bad-rows", "skip", "--split", "1,0,0", "--epochs", "1", "--dim", "4")
    assert "left out 1 bad row(s)" in result.err and "1 row(s) with ill-formed UTF-8" in result.err
    assert "4 rows, 4 pairs to train on" in result.err


def test_a_corpus_that_another_checkpoint_encoded_is_refused(data, run, tmp_path):
    train(data, tmp_path / "other", *QUICK, "--seed", "2")
    (tmp_path / "corpus.txt").write_text("ba0 de1\nthe ba1\n")
    encoded = tmp_path / "corpus.map"
    semblance("encode", tmp_path / "other", tmp_path / "corpus.txt", "--output-format", "mapped", "--output", encoded)
    result = semblance("search", run, "--corpus", encoded, input="ba0\n", check=False)
    assert result.code == DATA and "encode them again" in result.error and not result.out
    encoded.write_bytes(encoded.read_bytes()[:-200])
    assert semblance("search", tmp_path / "other", "--corpus", encoded, input="ba0\n", check=False).code == MODEL
    (tmp_path / "empty").write_text("\n")
    assert semblance("search", run, "--corpus", tmp_path / "empty", input="ba0\n", check=False).code == DATA


def test_what_is_not_an_encoders_is_refused(data, run, trained, tmp_path):
    (tmp_path / "corpus.txt").write_text("ba0 de1\n")
    other = semblance("search", trained, "--corpus", tmp_path / "corpus.txt", input="ba0\n", check=False)
    assert other.code == MODEL and "dssm" in other.error
    assert semblance("search", run, input="ba0\n", check=False).code == USAGE
    assert semblance("encode", run, "--merge", WORDS, input="ba0\n", check=False).code == USAGE
    assert semblance("evaluate", run, data / "valid.tsv", "--restrict-vocab", "3", check=False).code == USAGE
    assert semblance("evaluate", run, data / "valid.tsv", "--text-column", "2", check=False).code == USAGE
    assert semblance("evaluate", trained, data / "valid.tsv", "--ties", "expected", check=False).code == USAGE
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    model = copy / (copy / "BEST").read_text().strip() / "model.safetensors"
    model.write_bytes(model.read_bytes()[:-1])
    assert semblance("encode", copy, input="ba0\n", check=False).code == MODEL
