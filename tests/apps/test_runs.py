"""What resume may do and says, and what holds while others, damage and hands are at a run's folder."""

import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from conftest import BIN, ROOT, semblance

USAGE, DATA, MODEL = 2, 3, 4
WORDS = ROOT / "tests/fixtures/words.vec"
QUICK = ["--held-out", "0.3", "--batch-size", "4", "--weight-decay", "0", "--threads", "1", "--no-tensorboard"]
# Never better after the first epoch.
STALE = ["--lr", "0", "--patience", "2", "--epochs", "9"]


def train(run, *options, **how):
    return semblance("train", "trigram", "--vectors", WORDS, *QUICK, "--run", run, *options, **how)


def content(run):
    return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def checkpoints(run):
    return sorted(path.name for path in run.glob("step-*"))


def pointer(run, name):
    return (run / name).read_text().strip()


def damage(checkpoint):
    model = checkpoint / "model.safetensors"
    model.write_bytes(model.read_bytes()[:-1])


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "finished"
    train(run, "--epochs", "3")
    return run


@pytest.fixture
def run(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "run")


def stop_after_epoch(run, epoch, *arguments):
    """SIGTERM as soon as an epoch is told."""
    program = subprocess.Popen([BIN / "semblance", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for line in program.stderr:
        if line.startswith(b"epoch %d/" % epoch):
            break
    program.send_signal(signal.SIGTERM)
    error = program.stderr.read().decode()
    assert program.wait(timeout=60) in (0, 128 + signal.SIGTERM), error


# R2
def test_best_names_what_is_there_after_a_fallback(tmp_path):
    run = tmp_path / "run"
    train(run, "--epochs", "3", "--keep-last", "2")
    last = checkpoints(run)[-1]
    assert pointer(run, "BEST") == last
    damage(run / last)
    stop_after_epoch(run, 3, "resume", run, "--epochs", "4000", "--threads", "1")
    assert pointer(run, "BEST") in checkpoints(run) and pointer(run, "LAST") in checkpoints(run)
    semblance("encode", run, input="noemia\n")
    semblance("inspect", run, "--checkpoint", "last")


# R3
def test_a_damaged_checkpoint_is_set_aside_and_nothing_new_is_removed(tmp_path):
    run = tmp_path / "run"
    train(run, "--epochs", "40", "--keep-last", "1", "--checkpoint-every", "5steps", "--held-out", "0")
    newest = checkpoints(run)[-1]
    shutil.copytree(run / newest, run / "step-00000003")
    (run / "step-00000003").rename(run / newest.replace(newest[-8:], "%08d" % (int(newest[-8:]) + 100)))
    damaged = checkpoints(run)[-1]
    damage(run / damaged)
    result = semblance("resume", run)
    assert "trying the one before" in result.err
    assert checkpoints(run) == [newest, damaged + ".damaged"]
    assert pointer(run, "LAST") == newest
    assert "trying the one before" not in semblance("resume", run).err


# R6
def test_a_run_that_was_stopped_early_stays_so_without_more_patience(tmp_path):
    run = tmp_path / "run"
    train(run, *STALE)
    before = content(run)
    for _ in range(2):
        result = semblance("resume", run, "--json")
        assert result.json["stopped"] == "early-stopping" and result.json["epoch"] == 3
        assert content(run) == before
        assert "a larger one lets the training go on" in result.err
    report = semblance("resume", run, "--epochs", "12", "--json").json
    assert report["stopped"] == "early-stopping" and report["epoch"] == 3
    report = semblance("resume", run, "--patience", "5", "--json").json
    assert report["stopped"] == "early-stopping" and report["epoch"] == 6
    report = semblance("resume", run, "--patience", "0", "--epochs", "8", "--json").json
    assert report["stopped"] == "completed" and report["epoch"] == 8


# R7
def test_fewer_epochs_than_are_done_are_refused(run):
    before = content(run)
    result = semblance("resume", run, "--epochs", "2", check=False)
    assert result.code == USAGE and "--epochs: expected at least 3, which the training has begun, found 2" in result.error
    assert content(run) == before


# R7
def test_a_schedule_that_is_stretched_is_told_with_both_rates(tmp_path):
    run = tmp_path / "run"
    train(run, "--epochs", "3", "--schedule", "cosine", "--lr", "0.005")
    result = semblance("resume", run, "--epochs", "6")
    rates = re.search(r"stretches the cosine schedule: the learning rate was (\S+) in the last step and is (\S+) in the next", result.err)
    assert float(rates[1]) < 1e-4 < 0.002 < float(rates[2])
    assert "stretches" not in semblance("resume", run).err


# R8
def test_a_second_process_is_refused_and_the_first_is_named(tmp_path):
    run = tmp_path / "run"
    command = [BIN / "semblance", "train", "trigram", "--vectors", WORDS, *QUICK, "--run", run, "--epochs", "100000"]
    first = subprocess.Popen([*map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for line in first.stderr:
        if line.startswith(b"epoch 2/"):
            break
    for arguments in (["resume", run], ["train", "trigram", "--vectors", WORDS, *QUICK, "--run", run, "--overwrite"]):
        result = semblance(*arguments, check=False)
        assert result.code == MODEL and f"found process {first.pid} on" in result.error
    semblance("encode", run, input="noemia\n")
    first.send_signal(signal.SIGTERM)
    first.stderr.read()
    assert first.wait(timeout=60) == 128 + signal.SIGTERM
    assert (run / "job.toml").exists() and not (run / "LOCK").exists()
    assert semblance("inspect", run, "--checkpoint", "last", "--json").json["stopped"] == ""


# R9
def test_edits_of_job_toml_are_told(run):
    job = run / "job.toml"
    before = job.read_text()
    job.write_text(before.replace("lr = 0.01", "lr = 0.5").replace("[model]", "[model]\ncolour = 3"))
    result = semblance("resume", run)
    assert "training.lr = 0.5 instead of 0.01" in result.err and "model.colour = 3 instead of null" in result.err
    assert "left aside" in result.err
    assert job.read_text() == before
    job.write_text(before.replace("epochs = 3", "epochs = 4"))
    result = semblance("resume", run, "--json")
    assert "training.epochs = 4 instead of 3" in result.err and result.json["epoch"] == 4
    job.write_text("[[[")
    assert "going on as the run began" in semblance("resume", run).err


# R9
def test_job_toml_is_written_after_the_checks(run, tmp_path):
    before = content(run)
    assert semblance("resume", run, "--epochs", "2", check=False).code == USAGE
    changed = tmp_path / "words.vec"
    changed.write_text(WORDS.read_text().replace(" 0.3776 ", " 0.5 "))
    other = tmp_path / "other"
    semblance("train", "trigram", "--vectors", changed, *QUICK, "--run", other, "--epochs", "2")
    changed.write_text(WORDS.read_text())
    kept = content(other)
    assert semblance("resume", other, "--epochs", "4", check=False).code == DATA
    assert content(other) == kept and content(run) == before


# R10
@pytest.mark.parametrize("rows, options", [(40, ["--batch-size", "1"]), (1, [])])
def test_batches_without_negatives_are_told(rows, options, tmp_path):
    (tmp_path / "rows.tsv").write_text("".join(f"how a{i}\twhy a{i}\twhen a{i}\n" for i in range(rows)))
    told = semblance("train", "dssm", "--train", tmp_path / "rows.tsv", "--split", "1,0,0", "--epochs", "1", "--dim", "4", "--run", tmp_path / "r", *options).err
    assert "no pair has a negative" in told


# R11
def test_a_row_of_very_many_pairs_is_told(tmp_path):
    (tmp_path / "rows.tsv").write_text("\t".join(f"a{i}" for i in range(1600)) + "\nb\tc\n")
    job = ["train", "dssm", "--train", tmp_path / "rows.tsv", "--split", "1,0,0", "--epochs", "1", "--dim", "1", "--batch-size", "1000"]
    told = semblance(*job, "--run", tmp_path / "r", "--max-pairs-per-row", "9").err
    assert "--max-pairs-per-row" not in told
    told = semblance(*job, "--run", "/proc/none", check=False).err
    assert "1279201 pairs, 1279200 of them of one row" in told and "--max-pairs-per-row" in told


# R11
def test_a_batch_that_memory_cannot_hold_is_refused_by_its_option(tmp_path):
    (tmp_path / "rows.tsv").write_text("".join(f"a{i}\tb{i}\n" for i in range(40_000)))
    job = ["train", "dssm", "--train", tmp_path / "rows.tsv", "--split", "1,0,0", "--epochs", "1", "--dim", "1"]
    result = semblance(*job, "--batch-size", "40000", "--run", tmp_path / "r", limit="-v 4000000", check=False)
    assert result.code == USAGE and "--batch-size" in result.error


# R12
def test_a_warm_up_longer_than_the_training_is_told(tmp_path):
    assert "--warmup 5000: longer than the training of" in train(tmp_path / "r", "--epochs", "1", "--warmup", "5000").err


# R12
def test_an_input_that_is_a_pipe_is_told(tmp_path):
    pipe = subprocess.Popen(["cat", WORDS], stdout=subprocess.PIPE)
    result = semblance("train", "trigram", "--vectors", "/dev/fd/0", *QUICK, "--epochs", "1", "--run", tmp_path / "r", stdin=pipe.stdout)
    pipe.wait()
    assert "--vectors /dev/fd/0: a pipe is read once" in result.err


# R12
def test_relative_inputs_are_found_from_around_the_run(tmp_path):
    there, elsewhere = tmp_path / "there", tmp_path / "elsewhere"
    for folder in (there / "data", elsewhere):
        folder.mkdir(parents=True)
    shutil.copy(WORDS, there / "data" / "words.vec")
    job = ["train", "trigram", "--vectors", "data/words.vec", *QUICK, "--schedule", "constant"]
    semblance(*job, "--epochs", "2", "--run", "runs/r", cwd=there)
    semblance(*job, "--epochs", "3", "--run", "runs/whole", cwd=there)
    result = semblance("resume", "../there/runs/r", "--epochs", "3", cwd=elsewhere)
    assert f"the inputs are taken from {there}" in result.err
    last = pointer(there / "runs/whole", "LAST")
    assert content(there / "runs/r" / last) == content(there / "runs/whole" / last)
    (there / "data" / "words.vec").unlink()
    result = semblance("resume", "../there/runs/r", check=False, cwd=elsewhere)
    assert result.code == DATA and "data/words.vec" in result.error and "job.toml" in result.error


# S5
@pytest.mark.parametrize("name", ["BEST", "LAST"])
def test_a_pointer_out_of_the_run_is_refused_and_mended_by_resume(name, run):
    (run / name).write_text("../..\n")
    choice = name.lower()
    for verb in (["encode", run, "--checkpoint", choice], ["inspect", run, "--checkpoint", choice]):
        result = semblance(*verb, input="noemia\n", check=False)
        assert result.code == MODEL and f"{name}: expected the name of a checkpoint in the run, found '../..'" in result.error
    semblance("inspect", run, "--checkpoint", checkpoints(run)[0])
    semblance("resume", run)
    semblance("encode", run, "--checkpoint", choice, input="noemia\n")
    (run / name).unlink()
    assert f"{name} is missing" in semblance("encode", run, "--checkpoint", choice, input="noemia\n").err


# S7
def test_control_characters_of_files_are_shown_by_number(tmp_path):
    path = tmp_path / "w\x1b[31m\u009b.vec"
    path.write_text("word x\x1b]0;title\x07\n")
    result = semblance("train", "trigram", "--vectors", path, "--run", tmp_path / "r", check=False)
    assert result.code == DATA and "w\\x1b[31m\\xc2\\x9b.vec" in result.error
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", result.err)


# S10
def test_deep_files_are_refused(run):
    deep = "[" * 100_000 + "]" * 100_000
    newest = run / checkpoints(run)[-1]
    (newest / "manifest.json").write_text(deep)
    for verb in ("inspect", "encode"):
        result = semblance(verb, run, "--checkpoint", "last", input="noemia\n", check=False)
        assert result.code == MODEL and "manifest.json: expected JSON of at most" in result.error
    assert "trying the one before" in semblance("resume", run).err
    job = run / "job.toml"
    for text in (f"a = {deep}", "a" + ".a" * 100_000 + " = 1"):
        job.write_text(text)
        assert semblance("train", "--config", job, check=False).code == USAGE


# S10
@pytest.mark.parametrize("line", ["task = 3", 'task = "poetry"', "task = [1]"])
def test_a_job_of_no_task_is_refused_by_name(line, run):
    for checkpoint in run.glob("step-*"):
        shutil.rmtree(checkpoint)
    (run / "job.toml").write_text(line + "\n")
    result = semblance("resume", run, check=False)
    assert result.code == MODEL and str(run) in result.error and "json.exception" not in result.error


# S11
def test_too_many_open_files_are_told_and_nothing_is_lost(run):
    before = content(run)
    result = semblance("resume", run, "--epochs", "5", limit="-n 4", check=False)
    assert result.code == MODEL and "Too many open files" in result.error
    assert content(run) == before


# S11
def test_an_ignored_interrupt_stays_ignored(tmp_path):
    command = " ".join(map(str, [BIN / "semblance", "train", "trigram", "--vectors", WORDS, *QUICK, "--epochs", "400", "--run", tmp_path / "r", "--json"]))
    program = subprocess.Popen(["bash", "-c", f"trap '' INT; exec {command}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=os.setsid)
    for line in program.stderr:
        if line.startswith(b"epoch 2/"):
            break
    program.send_signal(signal.SIGINT)
    out, _ = program.communicate(timeout=60)
    assert program.returncode == 0 and json.loads(out)["stopped"] == "completed"
