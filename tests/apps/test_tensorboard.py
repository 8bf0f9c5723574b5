"""The events are read back by TensorBoard itself, and the metrics are scikit-learn's."""

import numpy
import pytest
from conftest import QUICK, semblance


def read(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run), size_guidance={"scalars": 0})
    events.Reload()
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def test_tensorboard_reads_what_training_wrote(opinions, tmp_path):
    run = tmp_path / "r"
    report = semblance("train", "sentiment", "--train", opinions, "--run", run, *QUICK, "--schedule", "constant", "--log-every", "3", "--json").json
    scalars = read(run)
    history = report["history"]
    for name in ("accuracy", "loss", "auc"):
        assert scalars[f"valid/{name}"] == [(record["step"], pytest.approx(record["valid"][name], rel=1e-6)) for record in history]
    assert scalars["train/epoch_loss"] == [(record["step"], pytest.approx(record["train_loss"], rel=1e-6)) for record in history]
    assert [step for step, _ in scalars["train/loss"]] == list(range(3, report["step"] + 1, 3))
    assert all(value == pytest.approx(0.02) for _, value in scalars["train/lr"])


def test_a_resumed_run_continues_the_curves_without_doubles(opinions, tmp_path):
    run = tmp_path / "r"
    semblance("train", "sentiment", "--train", opinions, "--run", run, *QUICK, "--epochs", "2", "--log-every", "1")
    semblance("resume", run, "--epochs", "4")
    steps = [step for step, _ in read(run)["train/loss"]]
    assert steps == sorted(set(steps)) and len([*run.glob("events.out.tfevents.*")]) == 2


def test_measures_equal_scikit_learns(opinions, trained):
    import csv
    import json

    from sklearn import metrics

    with open(opinions, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    predictions = [json.loads(line) for line in semblance("predict", trained, opinions, "--input-format", "csv").out.splitlines()]
    truth = [row["label"] for row in rows]
    guess = [prediction["label"] for prediction in predictions]
    score = [p["probability"] if p["label"] == "positive" else 1 - p["probability"] for p in predictions]
    report = semblance("evaluate", trained, opinions, "--json").json
    assert report["accuracy"] == pytest.approx(metrics.accuracy_score(truth, guess))
    assert report["macro_f1"] == pytest.approx(metrics.f1_score(truth, guess, average="macro"))
    assert report["auc"] == pytest.approx(metrics.roc_auc_score([label == "positive" for label in truth], score))
    assert report["loss"] == pytest.approx(metrics.log_loss([label == "positive" for label in truth], numpy.array(score)), rel=1e-4)
    assert report["confusion"] == metrics.confusion_matrix(truth, guess).tolist()
    precision, recall, f1, support = metrics.precision_recall_fscore_support(truth, guess, labels=["negative", "positive"])
    for i, row in enumerate(report["per_class"]):
        assert (row["precision"], row["recall"], row["f1"], row["examples"]) == (pytest.approx(precision[i]), pytest.approx(recall[i]), pytest.approx(f1[i]), support[i])
