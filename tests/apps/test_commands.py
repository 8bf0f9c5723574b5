"""The verbs as scripts use them."""

import gzip
import json
import math
import os
import subprocess
import time

import pytest
from conftest import BIN, QUICK, SUBJECTS, semblance


def test_help_of_every_level_goes_to_stdout():
    for arguments in (["--help"], ["train", "--help"], ["train", "sentiment", "--help"], ["resume", "--help"], ["evaluate", "--help"], ["predict", "--help"], ["inspect", "--help"], ["version", "--help"]):
        result = semblance(*arguments)
        assert "semblance" in result.out and result.err == ""
    text = semblance("train", "sentiment", "--help").out
    for option in ("--lr", "--seed", "--checkpoint-every", "--tokenizer", "--split", "--class-weights"):
        assert option in text
    assert "(default: wordpunct)" in text


def test_version_tells_library_and_devices():
    report = semblance("version", "--json").json
    assert report["libtorch"] == report["libtorch_headers"]
    assert "cpu" in report["devices"] and report["threads"] >= 1


def test_a_program_kept_to_one_cpu_takes_one_thread():
    cpu = min(os.sched_getaffinity(0))
    assert semblance("version", "--json", preexec_fn=lambda: os.sched_setaffinity(0, [cpu])).json["threads"] == 1


def test_training_tells_its_device_and_threads(trained, tmp_path):
    device = semblance("version", "--json").json["device"]
    result = semblance("train", "--config", trained / "job.toml", "--threads", "3", "--run", tmp_path / "r", "--epochs", "1")
    operators = ", LibTorch's operators" if os.environ.get("SEMBLANCE_KERNELS") == "libtorch" else ""
    assert f"{device}, 3 threads{operators}" in result.err.splitlines()
    assert f"{device}, 1 thread{operators}" in semblance("resume", tmp_path / "r", "--threads", "1").err.splitlines()


def test_train_reports_the_best_epoch_and_the_history(opinions, tmp_path):
    report = semblance("train", "sentiment", "--train", opinions, "--test", opinions, "--run", tmp_path / "r", *QUICK, "--json").json
    assert report["task"] == "sentiment" and report["stopped"] == "completed"
    assert len(report["history"]) == 6 and report["examples_per_second"] > 0
    best = max(record["valid"]["accuracy"] for record in report["history"])
    assert report["valid"]["accuracy"] == best
    assert report["test"]["examples"] == 80 and report["test"]["accuracy"] > 0.9
    for key in ("loss", "macro_f1", "auc", "per_class", "confusion"):
        assert key in report["test"]


def test_a_run_folder_holds_what_the_contract_says(trained):
    names = {path.name for path in trained.iterdir()}
    assert {"job.toml", "metrics.tsv", "curves.svg", "LAST", "BEST"} <= names
    assert any(name.startswith("events.out.tfevents.") for name in names)
    assert not any(name.endswith(".tmp") for name in names)
    last = trained / (trained / "LAST").read_text().strip()
    assert {"manifest.json", "labels.jsonl", "vocabulary.txt", "ngram_rows.bin", "model.safetensors", "optimizer.safetensors"} == {path.name for path in last.iterdir()}
    assert len((trained / "metrics.tsv").read_text().splitlines()) == 7


def test_the_job_file_repeats_the_run(trained, tmp_path):
    semblance("train", "--config", trained / "job.toml", "--run", tmp_path / "again")
    for path in sorted(trained.rglob("*")):
        if path.is_file() and "tfevents" not in path.name:
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(trained)).read_bytes(), path


def test_options_override_the_job_file_and_unknown_keys_are_errors(trained, tmp_path):
    semblance("train", "--config", trained / "job.toml", "--epochs", "1", "--run", tmp_path / "one")
    assert len((tmp_path / "one" / "metrics.tsv").read_text().splitlines()) == 2
    job = tmp_path / "job.toml"
    job.write_text((trained / "job.toml").read_text() + "leraning-rate = 1\n")
    result = semblance("train", "--config", job, "--run", tmp_path / "r", check=False)
    assert result.code == 2 and "leraning-rate" in result.error


def test_the_number_of_threads_changes_nothing(trained, tmp_path):
    semblance("train", "--config", trained / "job.toml", "--threads", "3", "--run", tmp_path / "r")
    name = (trained / "LAST").read_text().strip()
    assert (trained / name / "model.safetensors").read_bytes() == (tmp_path / "r" / name / "model.safetensors").read_bytes()


def test_evaluate_needs_nothing_but_run_and_data(trained, opinions):
    report = semblance("evaluate", trained, opinions, "--json").json
    assert report["examples"] == 80 and report["skipped"] == 0 and report["accuracy"] > 0.9
    assert report["checkpoint"] == (trained / "BEST").read_text().strip()
    assert sum(map(sum, report["confusion"])) == 80
    table = semblance("evaluate", trained, opinions, "--checkpoint", "last").out
    assert "accuracy" in table and "positive" in table


def test_evaluate_on_a_label_never_seen(trained, opinions, tmp_path):
    data = tmp_path / "d.csv"
    data.write_text(opinions.read_text() + "mixed,so so\n")
    assert semblance("evaluate", trained, data, check=False).code == 3
    report = semblance("evaluate", trained, data, "--bad-rows", "skip", "--json").json
    assert report["skipped"] == 1 and report["examples"] == 80


def test_predict_answers_line_by_line_in_order(trained):
    texts = [f"{word} the {subject}" for subject in SUBJECTS for word in ("loved", "hated")]
    lines = [json.loads(line) for line in semblance("predict", trained, input="\n".join(texts) + "\n").out.splitlines()]
    assert [line["label"] for line in lines] == ["positive", "negative"] * len(SUBJECTS)
    assert all(0.5 <= line["probability"] <= 1 for line in lines)


def test_predict_keeps_empty_and_unknown_texts_in_place(trained):
    result = semblance("predict", trained, "-", input=b"loved\n\nzzzz qqqq\n\xff\xfe\x00\n" + b"hated " * 1000 + b"\nlast")
    assert len(result.out.splitlines()) == 6
    assert "4 of 6 text(s) have no word that the model knows" in result.err
    assert "1 text(s) with ill-formed UTF-8" in result.err


def test_predict_reads_files_columns_and_gzip(trained, opinions, tmp_path):
    from_csv = semblance("predict", trained, opinions, "--input-format", "csv").out
    assert len(from_csv.splitlines()) == 80
    packed = tmp_path / "o.csv.gz"
    packed.write_bytes(gzip.compress(opinions.read_bytes()))
    assert semblance("predict", trained, packed, "--input-format", "auto").out == from_csv


def test_predict_answers_a_slow_pipe_at_once(trained):
    program = subprocess.Popen([str(BIN / "semblance"), "predict", str(trained)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for text in ("loved the film", "hated the film"):
        program.stdin.write(text + "\n")
        program.stdin.flush()
        assert json.loads(program.stdout.readline())["label"] in ("positive", "negative")
    program.stdin.close()
    assert program.wait(timeout=20) == 0


def test_inspect_shows_what_a_run_is(trained):
    report = semblance("inspect", trained, "--json").json
    assert report["task"] == "sentiment" and report["labels"] == ["negative", "positive"] and report["model"]["classes"] == 2
    assert report["model"]["dim"] == 16 and report["step"] > 0
    step = trained / report["checkpoints"][0]
    assert semblance("inspect", step, "--json").json["checkpoint"] == step.name
    assert "embedding.weight" in semblance("inspect", trained).out


def test_several_classes_and_sets_of_labels(tmp_path):
    three = tmp_path / "three.txt"
    three.write_text("".join(f"__label__{label} {word} word\n" for label, word in (("a", "x"), ("b", "y"), ("c", "z"))) * 30)
    run = tmp_path / "r3"
    report = semblance("train", "sentiment", "--train", three, "--run", run, "--epochs", "30", "--batch-size", "8", "--lr", "0.05", "--model", "mean", "--dropout", "0", "--split-duplicates", "--checkpoint-every", "100epochs", "--json").json
    assert report["test"]["accuracy"] == 1 and len(report["test"]["confusion"]) == 3

    sets = tmp_path / "sets.tsv"
    sets.write_text("title\ttags\r\n" + "x y\t['a', 'b']\r\nx w\t['a']\r\n\"y z\t['b']\r\n" * 30)
    run = tmp_path / "sets"
    report = semblance("train", "sentiment", "--train", sets, "--run", run, "--epochs", "40", "--batch-size", "8", "--lr", "0.05", "--model", "mean", "--dropout", "0", "--split-duplicates", "--checkpoint-every", "100epochs", "--json").json
    assert report["test"]["micro_f1"] == 1 and report["test"]["macro_f1"] == 1
    lines = [json.loads(line) for line in semblance("predict", run, input="x y\nx w\n").out.splitlines()]
    assert lines[0]["labels"] == ["a", "b"] and lines[1]["labels"] == ["a"]


@pytest.mark.parametrize("options", [["--model", "flat", "--max-length", "12"], ["--pooling", "padded-mean"], ["--pooling", "padded-mean", "--max-length", "9", "--padding", "pre"], ["--loss", "bce"], ["--loss", "cross-entropy"], ["--loss", "nll"],
                                     ["--activation", "gelu-tanh", "--hidden", "8,4"], ["--optimizer", "lazy-adam"], ["--optimizer", "adagrad"], ["--optimizer", "adamw", "--weight-decay", "0.01"], ["--ngrams", "2", "--buckets", "1000"], ["--char-ngrams", "4", "--char-buckets", "1000"],
                                     ["--sampler", "weighted", "--max-weight", "3"], ["--class-weights", "balanced"], ["--class-weights", "1,2"], ["--stopwords", "en"], ["--clip-norm", "1", "--accumulate", "2"], ["--schedule", "cosine", "--warmup", "5"]])
def test_every_kind_of_model_learns_the_opinions(options, opinions, tmp_path):
    report = semblance("train", "sentiment", "--train", opinions, "--run", tmp_path / "r", "--epochs", "25", "--batch-size", "8", "--lr", "0.02", "--split", "1,0,0", "--test", opinions, "--checkpoint-every", "100epochs", "--json", *options).json
    assert report["test"]["accuracy"] > 0.85
    assert math.isfinite(report["test"]["loss"])


def test_early_stopping_says_so(opinions, tmp_path):
    report = semblance("train", "sentiment", "--train", opinions, "--run", tmp_path / "r", *QUICK, "--epochs", "50", "--lr", "0", "--patience", "2", "--json").json
    assert report["stopped"] == "early-stopping" and report["epoch"] == 3


def test_the_weighted_sampler_evens_the_class_mix(tmp_path):
    data = tmp_path / "d.csv"
    data.write_text("label,text\n" + "".join(f"{'rare' if i % 10 == 0 else 'common'},text {i}\n" for i in range(1000)))
    report = semblance("train", "sentiment", "--train", data, "--run", tmp_path / "r", "--epochs", "2", "--split", "1,0,0", "--sampler", "weighted", "--json").json
    assert abs(report["history"][0]["class_mix"]["rare"] - 0.5) < 0.06
