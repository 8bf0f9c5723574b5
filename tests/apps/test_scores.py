"""What evaluate tells of a classifier's scores, beside scikit-learn; temperatures; classes by the thousand."""

import json
import random

import pytest
from conftest import semblance

USAGE = 2
NEAR = 1e-6
NEAR_RANKED = 1e-3  # equal texts in batches of other sizes may differ in a logit's last bit, which orders them
KINDS = {"binary": 2, "multi-class": 4, "multi-label": 4}


def write_texts(path, kind, rows=240, seed=3):
    """Texts of few words that often have a label and not always; many are alike, so that scores tie."""
    chance = random.Random(seed)
    classes = KINDS[kind]
    lines = []
    for _ in range(rows):
        word = chance.randrange(classes)
        has = [word] if chance.random() < 0.7 else [chance.randrange(classes)]
        if kind == "multi-label":
            has = sorted({*has, *(c for c in range(classes) if chance.random() < 0.2)})
        text = " ".join([f"w{word}"] * chance.randrange(1, 3) + [f"x{chance.randrange(3)}"])
        lines.append({"text": text, "label": [f"l{c}" for c in has] if kind == "multi-label" else f"l{has[0]}"})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return lines


@pytest.fixture(scope="module", params=KINDS)
def model(request, tmp_path_factory):
    """A run of each kind, its texts, which labels they have, and the probabilities of all."""
    numpy = pytest.importorskip("numpy")
    folder = tmp_path_factory.mktemp("scores")
    lines = write_texts(folder / "t.jsonl", request.param)
    semblance("train", "sentiment", "--train", folder / "t.jsonl", "--run", folder / "run", "--split", "1,0,0", "--epochs", "3", "--lr", "0.05", "--dropout", "0")
    labels = semblance("inspect", folder / "run", "--json").json["labels"]
    out = semblance("predict", folder / "run", folder / "t.jsonl", "--all-probabilities").out.splitlines()
    answers = [json.loads(line) for line in out]
    p = numpy.array([[answer["all_probabilities"][label] for label in labels] for answer in answers])
    truth = numpy.array([[label in line["label"] for label in labels] for line in lines]).astype(int)
    return {"kind": request.param, "run": folder / "run", "texts": folder / "t.jsonl", "p": p, "truth": truth, "answers": answers}


def evaluate(model, *options):
    return semblance("evaluate", model["run"], model["texts"], "--json", *options).json


def test_areas_under_curves_are_scikit_learns(model):
    metrics = pytest.importorskip("sklearn.metrics")
    report, p, truth = evaluate(model), model["p"], model["truth"]
    if model["kind"] == "binary":
        assert report["auc"] == pytest.approx(metrics.roc_auc_score(truth[:, 1], p[:, 1]), abs=NEAR_RANKED)
        assert report["pr_auc"] == pytest.approx(metrics.average_precision_score(truth[:, 1], p[:, 1]), abs=NEAR_RANKED)
        return
    auc = metrics.roc_auc_score(truth, p) if model["kind"] == "multi-label" else metrics.roc_auc_score(truth.argmax(1), p / p.sum(1, keepdims=True), multi_class="ovr")
    assert report["auc"] == pytest.approx(auc, abs=NEAR_RANKED)
    assert metrics.roc_auc_score(truth, p) == pytest.approx(report["auc"], abs=NEAR_RANKED)
    assert report["pr_auc"] == pytest.approx(metrics.average_precision_score(truth, p), abs=NEAR_RANKED)


def test_precision_and_recall_at_k(model):
    numpy = pytest.importorskip("numpy")
    report, p, truth = evaluate(model, "--k", "1,2,3"), model["p"], model["truth"]
    assert list(report["recall_at_k"]) == [str(k) for k in (1, 2, 3) if k <= p.shape[1]]
    order = numpy.argsort(-p, axis=1, kind="stable")
    for k in map(int, report["recall_at_k"]):
        hits = numpy.take_along_axis(truth, order[:, :k], 1).sum(1)
        assert report["precision_at_k"][str(k)] == pytest.approx((hits / k).mean(), abs=NEAR)
        assert report["recall_at_k"][str(k)] == pytest.approx((hits / truth.sum(1)).mean(), abs=NEAR)
    if model["kind"] != "multi-label":
        assert report["recall_at_k"]["1"] == pytest.approx(report["accuracy"], abs=NEAR)
    assert "precision@1" in semblance("evaluate", model["run"], model["texts"]).out


def expected_calibration_error(model, p):
    numpy = pytest.importorskip("numpy")
    if model["kind"] == "multi-label":
        sure, right = p.ravel(), model["truth"].ravel()
    else:
        sure, right = p.max(1), numpy.take_along_axis(model["truth"], p.argmax(1)[:, None], 1)[:, 0]
    bins = numpy.minimum(numpy.floor(sure * 15), 14)
    return sum(abs((right - sure)[bins == b].sum()) for b in range(15)) / len(sure)


def test_calibration_error(model):
    assert evaluate(model)["ece"] == pytest.approx(expected_calibration_error(model, model["p"]), abs=NEAR)


def test_the_fitted_temperature_has_the_least_loss(model):
    optimize = pytest.importorskip("scipy.optimize")
    numpy = pytest.importorskip("numpy")
    plain, fitted = evaluate(model), evaluate(model, "--fit-temperature")
    assert fitted["loss_before"] == plain["loss"] and fitted["ece_before"] == plain["ece"]
    logits = numpy.log(model["p"]) - (numpy.log1p(-model["p"]) if model["kind"] == "multi-label" else 0)

    def loss(temperature):
        z = logits / temperature
        if model["kind"] == "multi-label":
            return (numpy.logaddexp(0, z) - z * model["truth"]).mean()
        return (numpy.logaddexp.reduce(z, axis=1) - (z * model["truth"]).sum(1)).mean()

    best = optimize.minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-9})
    assert fitted["temperature"] == pytest.approx(best.x, rel=1e-3)
    assert fitted["loss"] == pytest.approx(best.fun, abs=1e-5) and fitted["loss"] < plain["loss"]
    told = evaluate(model, "--temperature", fitted["temperature"])
    assert told["loss"] == pytest.approx(fitted["loss"], abs=NEAR) and told["accuracy"] == plain["accuracy"]


@pytest.mark.parametrize("temperature", ["0.01", "0.5", "100"])
def test_no_temperature_changes_a_label(model, temperature):
    for options in ([], ["--top-k", "2"]):
        name = "labels" if options or model["kind"] == "multi-label" else "label"
        plain, other = ([json.loads(line) for line in semblance("predict", model["run"], model["texts"], *options, *more).out.splitlines()] for more in ([], ["--temperature", temperature]))
        assert [answer[name] for answer in plain] == [answer[name] for answer in other]
        assert plain != other


def test_a_temperature_is_given_or_fitted(model):
    result = semblance("evaluate", model["run"], model["texts"], "--fit-temperature", "--temperature", "2", check=False)
    assert result.code == USAGE and "--fit-temperature" in result.error


def write_many(path, classes=1200):
    path.write_text("".join(f"__label__c{i % classes} w{i % classes} v{i % 7} w{i % classes}\n" for i in range(classes * 3)))
    return path


SAMPLED = ["train", "sentiment", "--model", "mean", "--loss", "sampled", "--sampled-classes", "100", "--split", "0.8,0.1,0.1", "--dropout", "0", "--schedule", "constant"]


def test_many_classes_by_a_sample_resumed_to_the_same_bytes(tmp_path):
    train = [*SAMPLED, "--train", write_many(tmp_path / "t.txt"), "--lr", "0.05"]
    semblance(*train, "--run", tmp_path / "whole", "--epochs", "4")
    semblance(*train, "--run", tmp_path / "part", "--epochs", "2", "--threads", "2")
    semblance("resume", tmp_path / "part", "--epochs", "4")
    files = [next((tmp_path / run).glob(f"{(tmp_path / run / 'LAST').read_text().strip()}/model.safetensors")).read_bytes() for run in ("whole", "part")]
    assert files[0] == files[1]
    assert 'optimizer = "rowwise-adagrad"' in (tmp_path / "whole/job.toml").read_text()


def test_a_sample_learns_what_all_classes_do_and_reports_without_a_matrix(tmp_path):
    data = write_many(tmp_path / "t.txt")
    options = ["--train", data, "--lr", "0.05", "--epochs", "12", "--split-duplicates", "--json", "--run", tmp_path / "run", "--overwrite"]
    sampled = semblance(*SAMPLED, *options, "--sampled-classes", "400").json["test"]
    whole = semblance(*SAMPLED, *options, "--loss", "cross-entropy").json["test"]
    assert sampled["accuracy"] > whole["accuracy"] - 0.1 and whole["accuracy"] > 0.5
    result = semblance("evaluate", tmp_path / "run", data, "--json")
    assert "confusion" not in result.json and len(result.json["per_class"]) == 1200
    assert "1200 classes: the confusion matrix is left out" in result.err


@pytest.mark.parametrize(
    "lines, options",
    [(["__label__a __label__b one", "__label__a two", "__label__b three"], []), (["__label__a one", "__label__b two", "__label__c three"], ["--model", "linear"])],
)
def test_where_no_sample_fits_it_is_refused(tmp_path, lines, options):
    (tmp_path / "t.txt").write_text("\n".join(lines * 20) + "\n")
    result = semblance(*SAMPLED, *options, "--train", tmp_path / "t.txt", "--run", tmp_path / "run", check=False)
    assert result.code == USAGE and "--loss" in result.error and "sampled" in result.error
