"""What tune finds, keeps and says, and that a killed one comes to the same."""

import csv
import signal
import subprocess
import time

import pytest
from conftest import BIN, ROOT, semblance

USAGE, DATA, DIVERGED = 2, 3, 6
WORDS = ROOT / "tests/fixtures/words.vec"
# Small enough to be quick; only the learning rate and the epochs are searched.
JOB = ["--split", "0.7,0.3,0", "--batch-size", "16", "--dim", "8", "--ngrams", "1", "--char-ngrams", "0", "--min-count", "1", "--min-ngram-count", "1",
       "--dropout", "0", "--weight-decay", "0", "--no-tensorboard"]


def tune(opinions, run, *options, **how):
    return semblance("tune", "sentiment", "--train", opinions, "--run", run, *JOB, *options, **how)


def table(run):
    with open(run / "trials.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for row in rows:
        assert float(row.pop("seconds")) > 0
    return rows


def content(run):
    """All files but those that hold times."""
    return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*")
            if path.is_file() and path.name not in ("trials.tsv", "tune.json", "LOCK")}


@pytest.fixture(scope="module")
def tuned(opinions, tmp_path_factory):
    """A run and its report; tests only read it."""
    run = tmp_path_factory.mktemp("runs") / "tuned"
    return run, tune(opinions, run, "--trials", "4", "--epochs", "3", "--json").json


def test_the_winner_is_a_run_like_any_other(tuned, opinions):
    run, report = tuned
    assert semblance("predict", run, input="loved the film\n").json["label"] in ("positive", "negative")
    assert semblance("evaluate", run, opinions, "--json").json["examples"] == 80
    assert report["checkpoint"] in semblance("inspect", run).out
    assert not (run / "trials").exists()
    best = report["trials"][0]
    assert best["trial"] == report["trial"] and best["value"] == report["valid"][report["metric"]]
    assert best["value"] == max(trial["value"] for trial in report["trials"])


def test_the_first_trial_is_the_job_as_given(tuned):
    _, report = tuned
    first = next(trial for trial in report["trials"] if trial["trial"] == 1)
    assert first["options"] == {"lr": "0.1"} and first["status"] == "completed" and first["epochs"] == 3
    assert len(report["trials"]) == 4 and len({trial["options"]["lr"] for trial in report["trials"]}) == 4


def test_the_table_is_the_same_twice_and_for_any_number_of_processes(tuned, opinions, tmp_path):
    run, _ = tuned
    tune(opinions, tmp_path / "again", "--trials", "4", "--epochs", "3", "--processes", "1")
    assert table(tmp_path / "again") == table(run)
    assert content(tmp_path / "again") == content(run)


def test_the_winner_was_halved_and_resumed_to_the_bytes_of_a_straight_training(opinions, tmp_path):
    run = tmp_path / "run"
    report = tune(opinions, run, "--trials", "10", "--epochs", "9", "--schedule", "cosine", "--lr", "0.1", "--json").json
    # With --lr given nothing is left to search: the winner is the job as given.
    assert len(report["trials"]) == 1
    report = tune(opinions, run, "--trials", "10", "--epochs", "9", "--schedule", "cosine", "--json", "--overwrite").json
    assert {trial["epochs"] for trial in report["trials"]} == {1, 3, 9}
    semblance("train", "--config", run / "job.toml", "--run", tmp_path / "straight", "--threads", "1")
    straight = tmp_path / "straight"
    for name in ("BEST", "LAST", "metrics.tsv"):
        assert (straight / name).read_bytes() == (run / name).read_bytes()
    last = (run / "LAST").read_text().strip()
    for file in ("model.safetensors", "optimizer.safetensors"):
        assert (straight / last / file).read_bytes() == (run / last / file).read_bytes()


def test_killed_at_any_time_it_comes_to_the_same_winner(opinions, tmp_path):
    options = ["--trials", "5", "--epochs", "4", "--seed", "3", "--threads", "1"]
    whole = tmp_path / "whole"
    tune(opinions, whole, *options)
    killed = tmp_path / "killed"
    arguments = ["tune", "sentiment", "--train", opinions, "--run", killed, *JOB, *options]
    for trials in range(1, 4):
        program = subprocess.Popen([BIN / "semblance", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for line in program.stderr:
            if line.startswith(b"trial "):
                break
        program.kill()
        program.communicate()
        arguments = ["resume", killed]
        assert (killed / "tune.json").exists()
    semblance("resume", killed)
    assert table(killed) == table(whole)
    assert content(killed) == content(whole)


def test_interrupted_it_stops_and_says_how_to_go_on(opinions, tmp_path):
    run = tmp_path / "run"
    program = subprocess.Popen([BIN / "semblance", *map(str, ["tune", "sentiment", "--train", opinions, "--run", run, *JOB, "--trials", "90",
                                                              "--epochs", "30", "--threads", "1"])], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for line in program.stderr:
        if line.startswith(b"trial 1:"):
            break
    program.send_signal(signal.SIGTERM)
    _, told = program.communicate(timeout=60)
    assert program.returncode == 128 + signal.SIGTERM
    assert f"semblance resume {run}" in told.decode()


def test_a_budget_leaves_the_best_of_what_there_was_time_for(opinions, tmp_path):
    run = tmp_path / "run"
    report = tune(opinions, run, "--budget", "4s", "--epochs", "2", "--json").json
    assert report["stopped"] in ("budget", "completed") and report["trials"]
    semblance("predict", run, input="loved the film\n")


def test_a_budget_too_short_for_a_checkpoint_is_an_error(opinions, tmp_path):
    result = tune(opinions, tmp_path / "run", "--budget", "0.001s", check=False)
    assert result.code == USAGE and "--budget: expected the time for a first checkpoint" in result.error


def test_a_trial_that_diverges_is_the_worst_and_no_error(opinions, tmp_path):
    # Decayed by more than twice its size in each step, a weight grows: with the rate as given it does, with lower ones not.
    wild = ["--optimizer", "sgd", "--schedule", "constant", "--epochs", "40"]
    job = [part for i, part in enumerate(JOB) if "--weight-decay" not in (part, JOB[i - 1])]
    report = semblance("tune", "sentiment", "--train", opinions, "--run", tmp_path / "some", *job, *wild, "--weight-decay", "30", "--trials", "10", "--json").json
    statuses = {trial["trial"]: trial["status"] for trial in report["trials"]}
    assert statuses[1] == "diverged" and statuses[report["trial"]] in ("completed", "dropped")
    result = tune(opinions, tmp_path / "all", *wild, "--weight-decay", "1e6", "--trials", "2", check=False)
    assert result.code == DIVERGED and "every trial failed, the first: training diverged" in result.error
    assert not (tmp_path / "all" / "trials").exists()


@pytest.mark.parametrize("options, told", [
    ([], "expected --budget or --trials"),
    (["--budget", "60"], "--budget: expected a time with a unit (60s, 5min, 2h), found '60'"),
    (["--budget", "-1s"], "--budget: expected a time"),
    (["--trials", "0"], "--trials: expected a whole number from 1"),
    (["--trials", "2", "--split", "0.9,0,0.1"], "expected a job that is validated"),
    (["--trials", "2", "--checkpoint-content", "weights"], "--checkpoint-content: expected training-state"),
])
def test_wrong_options(opinions, tmp_path, options, told):
    result = tune(opinions, tmp_path / "run", *options, check=False)
    assert result.code == USAGE and told in result.error


def test_wrong_input_is_told_once_and_leaves_nothing(opinions, tmp_path):
    result = semblance("tune", "sentiment", "--train", tmp_path / "none.csv", "--trials", "3", "--run", tmp_path / "run", check=False)
    assert result.code == DATA and "none.csv" in result.error
    assert not (tmp_path / "run").exists() or not list((tmp_path / "run").iterdir())
    result = semblance("tune", "word2vec", "--corpus", opinions, "--trials", "3", "--run", tmp_path / "run", check=False)
    assert result.code == USAGE and "word2vec: expected a job that is validated" in result.error


def test_a_folder_with_a_run_is_refused_and_kept_until_there_is_another(tuned, trained, opinions, tmp_path):
    run, _ = tuned
    assert "already holds a tuning" in tune(opinions, run, "--trials", "1", check=False).error
    assert "already holds a run" in tune(opinions, trained, "--trials", "1", check=False).error
    own = tmp_path / "own"
    semblance("train", "trigram", "--vectors", WORDS, "--epochs", "1", "--run", own)
    before = content(own)
    assert semblance("tune", "sentiment", "--train", tmp_path / "none.csv", "--trials", "1", "--overwrite", "--run", own, check=False).code == DATA
    assert content(own) == before
    tune(opinions, own, "--trials", "1", "--epochs", "1", "--overwrite")
    assert semblance("inspect", own).out.count("sentiment")


def test_other_tasks_are_tuned_too(tmp_path):
    report = semblance("tune", "trigram", "--vectors", WORDS, "--held-out", "0.3", "--epochs", "2", "--trials", "3", "--run", tmp_path / "run", "--json").json
    assert report["metric"] == "cosine" and "weight-decay" in report["trials"][0]["options"]


def test_stop_after_keeps_the_schedule_and_is_resumed_to_the_same_bytes(opinions, tmp_path):
    job = ["--train", opinions, "--split", "0.7,0.3,0", "--epochs", "4", "--schedule", "linear", "--no-tensorboard"]
    semblance("train", "sentiment", *job, "--run", tmp_path / "straight")
    paused = semblance("train", "sentiment", *job, "--stop-after", "1", "--run", tmp_path / "paused", "--json").json
    assert paused["stopped"] == "paused" and paused["epoch"] == 1
    assert semblance("resume", tmp_path / "paused", "--stop-after", "3", "--json").json["epoch"] == 3
    assert semblance("resume", tmp_path / "paused", "--json").json["stopped"] == "completed"
    assert content(tmp_path / "paused") == content(tmp_path / "straight")
