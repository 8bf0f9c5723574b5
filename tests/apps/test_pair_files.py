"""Training and ranking on the pair files that people have: columns by name, hard negatives, scores (R5)."""

import csv
import json
import random

import numpy
import pytest
from conftest import LAST_DIGITS, semblance
from test_dssm import WORDS, encode, make_rows, unit, write_rows

USAGE, DATA = 2, 3
QUICK = ["--dim", "16", "--init-std", "0.3", "--epochs", "4", "--batch-size", "16", "--k", "1,5", "--json"]
NAMED = ["--columns", "question1,question2", "--negatives-column", "other"]


@pytest.fixture(scope="module")
def triplets():
    """Question, duplicate and what is none, or nothing: any row may lack it."""
    rows, others = make_rows(60, 21), make_rows(60, 22)
    return [[*row[:2], other[0] if i % 3 else ""] for i, (row, other) in enumerate(zip(rows, others))]


def write_csv(path, header, rows, delimiter=","):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    return path


def test_one_content_in_any_format_gives_one_model(triplets, tmp_path):
    header = ["id", "question1", "question2", "other", "source"]
    table = [[i, *row, "forum"] for i, row in enumerate(triplets)]
    as_json = [{"other": row[2] or None, "question2": row[1], "id": i, "question1": row[0], "tags": ["x"]} for i, row in enumerate(triplets)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in as_json), encoding="utf-8")
    files = {
        write_csv(tmp_path / "rows.csv", header, table): NAMED,
        write_csv(tmp_path / "semicolons.csv", header, table, ";"): NAMED,
        write_csv(tmp_path / "rows.tsv", header, table, "\t"): NAMED,
        tmp_path / "rows.jsonl": NAMED,
        write_rows(tmp_path / "plain", [list(map(str, row)) for row in table]): ["--columns", "2,3", "--negatives-column", "4"],
    }
    models = set()
    for path, options in files.items():
        result = semblance("train", "dssm", "--train", path, "--run", tmp_path / "r", "--overwrite", *QUICK, "--no-tensorboard", *options)
        assert "57 rows, 57 pairs and 37 hard negatives to train on; 3 rows to validate" in result.err, result.err
        models.add((tmp_path / "r" / result.json["checkpoint"] / "model.safetensors").read_bytes())
    assert len(models) == 1


@pytest.mark.parametrize(
    "header, row, message",
    [
        (None, ["{a}", "{b}", "{i}.5"], "found numbers (0.5) in column 3; name those of the texts with --columns 1,2"),
        (["sentence1", "sentence2", "score"], ["{a}", "{b}", "{i}.5"], "say --columns sentence1,sentence2 (and --score-column score)"),
        (["anchor", "positive", "negative"], ["{a}", "{b}", "{a} {i}"], "--columns anchor,positive, or others (and --negatives-column negative)"),
        (["id", "qid1", "qid2", "question1", "question2", "is_duplicate"], ["{i}", "1{i}", "2{i}", "{a}", "{b}", "1"], "--columns question1,question2 (and --score-column is_duplicate)"),
        (None, ["{a}", "{b}", "forum"], "the same in every row (forum) in column 3"),
    ],
)
@pytest.mark.parametrize("verb", ["train", "evaluate"])
def test_what_is_no_text_is_never_a_duplicate(header, row, message, verb, tmp_path):
    rows = [[cell.format(a=a, b=b, i=i) for cell in row] for i, (a, b, *_) in enumerate(make_rows(30, 23))]
    path = write_rows(tmp_path / "rows.tsv", ([header] if header else []) + rows)
    if verb == "train":
        result = semblance("train", "dssm", "--train", path, "--run", tmp_path / "r", *QUICK, check=False)
    else:
        result = semblance("evaluate", "--vectors", WORDS, path, check=False)
        if header == ["anchor", "positive", "negative"]:
            assert result.code == 0 and "question and duplicate in column 1 (anchor) and column 2 (positive), negatives in column 3" in result.err
            return
        if row[-1] == "forum":
            assert result.code == 0 and "warning" in result.err and message in result.err
            return
    assert (result.code, message in result.error) == (DATA, True), result.error
    assert not (tmp_path / "r").exists() and not result.out


def test_the_loss_with_hard_negatives_is_nt_xent_of_the_encoded_texts(triplets, tmp_path):
    path = write_csv(tmp_path / "rows.csv", ["question1", "question2", "other"], triplets)
    options = ["--lr", "0", "--epochs", "1", "--alpha", "0.2", "--split", "1,0,0", "--dim", "8", "--batch-size", "500", "--json"]
    report = semblance("train", "dssm", "--train", path, "--run", tmp_path / "r", *NAMED, *options).json
    q, d = (unit(encode(tmp_path / "r", [row[side] for row in triplets])) for side in (0, 1))
    scores = q @ d.T / 0.2
    further = numpy.full((60, 60), -numpy.inf), numpy.full((60, 60), -numpy.inf)
    for i, row in enumerate(triplets):
        if row[2]:
            negative = unit(encode(tmp_path / "r", [row[2]]))[0]
            further[0][i, i], further[1][i, i] = q[i] @ negative / 0.2, d[i] @ negative / 0.2

    def log_softmax_of_own(s):
        return numpy.diag(s) - numpy.log(numpy.exp(s).sum(1))

    expected = -(log_softmax_of_own(numpy.hstack([scores, further[0]])) + log_softmax_of_own(numpy.hstack([scores.T, further[1]]))).mean() / 2
    assert report["history"][0]["train_loss"] == pytest.approx(expected, rel=1e-5)


def test_negatives_that_tell_nothing_are_left_out_and_counted(tmp_path):
    rows = [*make_rows(20, 24)[:20]]
    table = [[row[0], row[1], row[1].lower() if i == 3 else "???" if i == 4 else ""] for i, row in enumerate(rows)]
    table.append(["How ba0 de1?", "de2 ba1, why?", "go1 gi0 can"])
    path = write_csv(tmp_path / "rows.csv", ["question1", "question2", "other"], table)
    result = semblance("train", "dssm", "--train", path, "--run", tmp_path / "r", *NAMED, *QUICK, "--split", "1,0,0")
    assert "left out 2 hard negative(s) of no known word, or equal to a duplicate" in result.err
    assert "21 pairs and 1 hard negatives to train on" in result.err


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Pairs from 0 (other topics) to 5 (one topic)."""
    folder = tmp_path_factory.mktemp("scored")
    draw = random.Random(25)
    rows, others = make_rows(200, 26), make_rows(200, 27)
    table = [[i, row[0], row[1] if score > 2 else other[0], score] for i, (row, other) in enumerate(zip(rows, others)) for score in [draw.randrange(6)]]
    header = ["id", "sentence1", "sentence2", "score"]
    write_csv(folder / "train.csv", header, table[:150])
    write_csv(folder / "test.csv", header, table[150:])
    result = semblance("train", "dssm", "--train", folder / "train.csv", "--run", folder / "r", "--columns", "sentence1,sentence2", "--score-column", "score", *QUICK, "--epochs", "20", "--lr", "0.05", "--split", "0.8,0.2,0")
    folder.joinpath("report.json").write_text(result.out)
    folder.joinpath("notes").write_text(result.err)
    return folder, table[150:]


def test_cosines_are_fitted_to_scores(scored):
    folder, _ = scored
    report = json.loads((folder / "report.json").read_text())
    assert "scores from 0 to 5, which are taken for cosines from 0 to 1" in (folder / "notes").read_text()
    assert report["valid"]["examples"] == 30 and report["valid"]["spearman"] > 0.5
    assert report["history"][-1]["train_loss"] < 0.5 * report["history"][0]["train_loss"]
    best = max(record["valid"]["spearman"] for record in report["history"])
    assert report["valid"]["spearman"] == best, "which chooses the best epoch"


def test_correlations_are_scipys(scored):
    scipy = pytest.importorskip("scipy.stats")
    folder, table = scored
    a, b = (unit(encode(folder / "r", [row[side] for row in table])) for side in (1, 2))
    cosines, scores = (a * b).sum(1), [row[3] for row in table]
    report = semblance("evaluate", folder / "r", folder / "test.csv", "--json").json
    assert report["pearson"] == pytest.approx(scipy.pearsonr(cosines, scores)[0], abs=LAST_DIGITS)
    assert report["spearman"] == pytest.approx(scipy.spearmanr(cosines, scores)[0], abs=1e-3), "last digits may order two pairs otherwise"
    assert report["examples"] == 50 and "hits" not in report


def test_any_encoder_is_measured_by_scores(scored, tmp_path):
    folder, _ = scored
    options = ["--columns", "2,3", "--score-column", "score", "--json"]
    terms = semblance("evaluate", "--tfidf", folder / "train.csv", folder / "test.csv", *options).json
    assert 0 < terms["spearman"] < 1 and terms["examples"] == 50
    words = semblance("evaluate", "--vectors", WORDS, folder / "test.csv", *options, check=False)
    assert words.code == DATA and not words.out and "expected two pairs at least of texts with a word that is known, found 0" in words.error


def test_the_loss_of_scores_is_the_squared_difference_of_the_cosines(scored, tmp_path):
    folder, _ = scored
    options = ["--lr", "0", "--epochs", "1", "--split", "1,0,0", "--dim", "8", "--json"]
    report = semblance("train", "dssm", "--train", folder / "test.csv", "--run", tmp_path / "r", "--columns", "sentence1,sentence2", "--score-column", "score", *options).json
    rows = [row for row in csv.reader((folder / "test.csv").open(encoding="utf-8"))][1:]
    a, b = (unit(encode(tmp_path / "r", [row[side] for row in rows])) for side in (1, 2))
    expected = (((a * b).sum(1) - [float(row[3]) / 5 for row in rows]) ** 2).mean()
    assert report["history"][0]["train_loss"] == pytest.approx(expected, rel=1e-5)


def test_evaluate_reads_rows_as_their_training_did(triplets, tmp_path):
    header = ["id", "question1", "question2", "other"]
    table = [[i, *row] for i, row in enumerate(triplets)]
    path = write_csv(tmp_path / "rows.csv", header, table)
    run = tmp_path / "r"
    trained = semblance("train", "dssm", "--train", path, "--valid", path, "--run", run, *NAMED, *QUICK)
    served = semblance("evaluate", run, path, "--json")
    assert "question and duplicate in column 2 (question1) and column 3 (question2), negatives in column 4 (other)" in served.err
    assert served.json["mrr"] == trained.json["valid"]["mrr"] and served.json["hits"] == trained.json["valid"]["hits"]
    moved = write_csv(tmp_path / "moved.tsv", ["other", "question2", "question1"], [row[::-1] for row in triplets], "\t")
    assert semblance("evaluate", run, moved, "--json").json["mrr"] == served.json["mrr"], "by name"
    plain = write_rows(tmp_path / "plain.tsv", [[cell for cell in row if cell] for row in triplets])
    assert semblance("evaluate", run, plain, "--json").json["mrr"] == served.json["mrr"], "another layout is recognised by itself"
    assert semblance("evaluate", run, plain, "--columns", "question1,question2", check=False).code == DATA


@pytest.mark.parametrize(
    "options, code, message",
    [
        (["--columns", "question1,nothing"], DATA, "expected a column 'nothing' (--columns), found: question1, question2, other"),
        (["--columns", "1,9"], DATA, "expected a column '9'"),
        (["--columns", "question1,question2", "--score-column", "other", "--learn-alpha"], USAGE, "--score-column: expected neither --learn-alpha"),
        (["--columns", "question1,question2", "--score-column", "other"], DATA, ":2: expected a number in column 3 (other)"),
        (["--columns", "question1", "--negatives-column", "other"], DATA, ":2: expected texts that are duplicates of each other, found 1 text(s)"),
        (["--columns", "question1,other", "--negatives-column", "other"], USAGE, "named for something else too"),
        ([*NAMED, "--split", "1,0,0", "--patience", "2"], USAGE, "--patience: expected validation data"),
    ],
)
def test_columns_that_cannot_be_meant(options, code, message, triplets, tmp_path):
    path = write_csv(tmp_path / "rows.csv", ["question1", "question2", "other"], triplets)
    result = semblance("train", "dssm", "--train", path, "--run", tmp_path / "r", *options, check=False)
    assert (result.code, message in result.error) == (code, True), result.error
    assert not (tmp_path / "r").exists()


def test_a_metric_that_cannot_change_is_told(triplets, tmp_path):
    path = write_csv(tmp_path / "rows.csv", ["question1", "question2", "other"], triplets)
    valid = write_rows(tmp_path / "valid.tsv", [row for row in triplets if row[2]])
    result = semblance("train", "dssm", "--train", path, "--valid", valid, "--run", tmp_path / "r", *NAMED, *QUICK, "--metric", "hits@5")
    assert "--metric hits@5: no row has more than 2 candidates" in result.err


# Rows of many texts


def test_texts_of_rows_that_are_trained_on_can_be_held_out(tmp_path):
    """Rows of all wordings of one intent, of which --split by rows would hold out the whole intent."""
    draw = random.Random(28)
    intents = [[f"{a}{b}{i % 3} {draw.choice(['how', 'why'])} {i}x" for i in range(20)] for a in "bdgk" for b in "aeiou"]
    path = write_rows(tmp_path / "rows.tsv", intents)
    options = ["--split", "0.8,0.2,0", *QUICK]
    result = semblance("train", "dssm", "--train", path, "--run", tmp_path / "r", "--split-by", "text", *options)
    assert "20 rows," in result.err and "to train on; 40 rows to validate" in result.err, "two times a fifth of 400 texts, by twos"
    # None of the row's own texts is a wrong answer: 38 duplicates of other rows at most.
    assert result.json["valid"]["mean_rank"] <= 39
    rows = semblance("train", "dssm", "--train", path, "--run", tmp_path / "rows", *options)
    assert "16 rows" in rows.err and rows.json["valid"]["examples"] == 4
    assert result.json["valid"]["mrr"] > 0.5


# Resuming, threads

KINDS = {
    "negatives": (NAMED, 2),
    "scores": (["--columns", "question1,question2", "--score-column", "score"], 2),
    "by-text": (["--columns", "question1,question2", "--negatives-column", "other", "--split-by", "text", "--learn-alpha"], 2),
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request, triplets, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    table = [[*row, i % 4] for i, row in enumerate(triplets)]
    path = write_csv(folder / "rows.csv", ["question1", "question2", "other", "score"], table)
    return ["train", "dssm", "--train", path, "--dim", "24", "--batch-size", "13", "--split", "0.9,0.1,0", "--no-tensorboard", "--keep-last", "9", *KINDS[request.param][0]]


def test_a_training_resumed_within_an_epoch_ends_as_if_never_stopped(kind, tmp_path):
    whole = semblance(*kind, "--run", tmp_path / "whole", "--epochs", "3", "--checkpoint-every", "2steps", "--json").json
    last = (tmp_path / "whole/LAST").read_text().strip()
    semblance(*kind, "--run", tmp_path / "cut", "--epochs", "3", "--checkpoint-every", "2steps")
    # As a kill within the second epoch leaves it.
    steps = sorted(path.name for path in (tmp_path / "cut").glob("step-*"))
    for name in steps:
        if int(name[5:]) > 6:
            for file in (tmp_path / "cut" / name).iterdir():
                file.unlink()
            (tmp_path / "cut" / name).rmdir()
    resumed = semblance("resume", tmp_path / "cut", "--threads", "1", "--json").json
    assert resumed["history"] == whole["history"]
    assert (tmp_path / "cut" / last / "model.safetensors").read_bytes() == (tmp_path / "whole" / last / "model.safetensors").read_bytes()


def test_the_number_of_threads_changes_nothing(kind, tmp_path):
    models = set()
    for threads in "1", "2":
        semblance(*kind, "--run", tmp_path / threads, "--epochs", "2", "--batch-size", "60", "--threads", threads)
        last = (tmp_path / threads / "LAST").read_text().strip()
        models.add((tmp_path / threads / last / "model.safetensors").read_bytes())
    assert len(models) == 1


# R13


def test_a_learnt_temperature_is_seen(triplets, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    path = write_rows(tmp_path / "rows.tsv", [row[:2] for row in triplets])
    run = tmp_path / "r"
    result = semblance("train", "dssm", "--train", path, "--run", run, *QUICK, "--learn-alpha")
    alphas = [record["learnt"]["alpha"] for record in result.json["history"]]
    assert len(set(alphas)) == 4 and all(0 < alpha != 0.05 for alpha in alphas)
    assert f"  alpha {alphas[-1]:.4f}" in result.err
    header, *lines = [line.split("\t") for line in (run / "metrics.tsv").read_text().splitlines()]
    assert [float(line[header.index("alpha")]) for line in lines] == pytest.approx(alphas, abs=1e-6)
    events = EventAccumulator(str(run))
    events.Reload()
    assert [event.value for event in events.Scalars("train/alpha")] == pytest.approx(alphas)
    shown = semblance("inspect", run, "--checkpoint", "last", "--json").json
    assert shown["learnt"]["alpha"] == pytest.approx(alphas[-1])
    assert "\nlearnt\nalpha" in semblance("inspect", run).out
    fixed = semblance("train", "dssm", "--train", path, "--run", tmp_path / "fixed", *QUICK).json
    assert "learnt" not in fixed["history"][0]
