"""A training that is killed at any moment and resumed ends with the same bytes as one that was never stopped."""

import os
import random
import shutil
import signal
import subprocess
import time

import pytest
from conftest import BIN, semblance


CHECKPOINT_EVERY = 20
KILLS = int(os.environ.get("SEMBLANCE_KILLS", 10))  # of each kind of model


# In the jobs is everything on that could be forgotten: schedule, patience, row-sparse Adam, …
# One thread, which on a busy machine waits for no other. Their number changes no byte, as other tests show.
TRAINING = f"""[training]
threads = 1
epochs = 6
lr = 0.002
optimizer = "lazy-adam"
schedule = "cosine"
warmup = 50
clip-norm = 1
patience = 5
checkpoint-every = "{CHECKPOINT_EVERY}steps"
keep-last = 3
log-every = 7
"""


def sentiment(folder):
    """… weighted sampler, dropout."""
    generator = random.Random(5)
    words = [f"w{i}" for i in range(2000)]
    rows = []
    for i in range(6000):
        label = i % 5 == 0
        text = generator.choices(words[:1200] if label else words[800:], k=12)
        rows.append(f"{'rare' if label else 'common'}\t{' '.join(text)}\n")
    (folder / "data.tsv").write_text("".join(rows))
    return f"""task = "sentiment"
[data]
train = ["{folder}/data.tsv"]
[input]
label-column = "1"
text-column = "2"
[model]
dropout = 0.4
dim = 24
sampler = "weighted"
max-weight = 3
{TRAINING}batch-size = 16
"""


def trigram(folder):
    """… decay that a row makes up for when it comes up, hashing, a list of words."""
    generator = random.Random(6)
    words = list(dict.fromkeys("".join(generator.choices("abcdefghéж", k=generator.randrange(1, 9))) for _ in range(4000)))
    rows = [word + "".join(f" {generator.gauss(0, 0.1):.3f}" for _ in range(24)) for word in words]
    (folder / "vectors").write_text("\n".join(rows))
    (folder / "words").write_text("\n".join(words[::-1][100:]))
    return f"""task = "trigram"
[data]
vectors = "{folder}/vectors"
words = "{folder}/words"
[runs]
ngrams = "2-4"
hash-buckets = 3000
{TRAINING}batch-size = 8
weight-decay = 3
"""


def dssm(folder):
    """… a sampler that keeps rows apart, projection layers, a learnt temperature, drawn pairs."""
    generator = random.Random(7)
    words = [f"w{i}" for i in range(1500)]
    rows = [[" ".join(generator.choices(words, k=5)) for _ in range(generator.randrange(2, 6))] for _ in range(3000)]
    (folder / "rows.tsv").write_text("".join("\t".join(row) + "\n" for row in rows))
    return f"""task = "dssm"
[data]
train = ["{folder}/rows.tsv"]
negatives = 30
[pairs]
max-pairs-per-row = 2
[ngrams]
ngrams = 2
buckets = 1000
[model]
dim = 24
projection = [20]
learn-alpha = true
no-duplicates = true
{TRAINING}batch-size = 16
"""


@pytest.fixture(scope="module", params=[sentiment, trigram, dssm])
def job(request, tmp_path_factory):
    """A job file, and the run of it that was never stopped."""
    folder = tmp_path_factory.mktemp("resume")
    (folder / "job.toml").write_text(request.param(folder))
    semblance("train", "--config", folder / "job.toml", "--run", folder / "whole")
    return folder


sentiment_alone = pytest.mark.parametrize("job", [sentiment], indirect=True)


def final_bytes(run):
    last = run / (run / "LAST").read_text().strip()
    kept = {path.name: path.read_bytes() for path in sorted(last.iterdir())}
    return kept | {name: (run / name).read_bytes() for name in ("LAST", "BEST", "metrics.tsv", "job.toml", "curves.svg")}


def start(*arguments):
    """Behind this test on a busy machine, so that it sees in time how far the program has come."""
    return subprocess.Popen(["nice", "-n", "5", BIN / "semblance", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def assert_same(run, whole):
    here, there = final_bytes(run), final_bytes(whole)
    assert here.keys() == there.keys()
    for name in there:
        assert here[name] == there[name], name


def checkpoints_written(run):
    try:
        return int((run / "LAST").read_text().strip().rpartition("-")[2]) // CHECKPOINT_EVERY
    except OSError:
        return 0


def test_killed_at_random_moments(job, tmp_path):
    """kill -9; with a checkpoint every 20 steps many of them fall into a save. A run that came to its end is compared, and
    another begun, until there were enough of them."""
    moments, killed, runs = random.Random(17), 0, 0
    while killed < KILLS:
        run = tmp_path / f"killed-{(runs := runs + 1)}"
        # A killed first start may leave less than a run: then it is started again, as a person would.
        arguments = ("train", "--config", job / "job.toml", "--run", run)
        while killed < KILLS:
            # The moment is one of the training's own and not of the clock: a fast machine must not finish before it.
            wanted = checkpoints_written(run) + moments.randrange(5)
            program = start(*arguments)
            while program.poll() is None and checkpoints_written(run) < wanted:
                time.sleep(0.001)
            time.sleep(moments.uniform(0, 0.01))
            program.kill()
            error = program.communicate()[1].decode()
            if program.returncode == 0:  # it came to its end before
                arguments = ("resume", run)
                break
            assert program.returncode == -signal.SIGKILL, error
            killed += 1
            arguments = ("resume", run) if (run / "job.toml").exists() else arguments
        semblance(*arguments)
        assert_same(run, job / "whole")
        assert not list(run.glob("*.tmp")) and not list(run.glob("*.damaged"))


def test_stopped_by_sigterm(job):
    stop_and_go_on(job, signal.SIGTERM)


@sentiment_alone
def test_stopped_by_sigint(job):
    stop_and_go_on(job, signal.SIGINT)


def stop_and_go_on(job, number):
    run = job / f"signal-{number}"
    program = start("train", "--config", job / "job.toml", "--run", run, "--checkpoint-every", "1epoch")
    for line in program.stderr:
        if line.startswith(b"epoch 2/"):
            break
    program.send_signal(number)
    error = program.stderr.read()
    assert program.wait(timeout=60) == 128 + number, error
    assert b"interrupted at epoch" in error
    manifest = semblance("inspect", run, "--checkpoint", "last", "--json").json
    assert manifest["stopped"] == ""
    semblance("resume", run)
    model = (run / "LAST").read_text().strip() + "/model.safetensors"
    assert (run / model).read_bytes() == (job / "whole" / model).read_bytes()


@sentiment_alone
def test_a_signal_before_training_ends_at_once(job):
    pipe = subprocess.Popen([BIN / "semblance", "predict", job / "whole"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pipe.stdin.write(b"w1 w2\n")
    pipe.stdin.flush()
    pipe.stdout.readline()
    pipe.send_signal(signal.SIGTERM)
    assert pipe.wait(timeout=20) == 143


def test_resuming_a_finished_run_changes_nothing(job):
    before = final_bytes(job / "whole")
    report = semblance("resume", job / "whole", "--json").json
    assert report["stopped"] in ("completed", "early-stopping")
    assert final_bytes(job / "whole") == before


def test_resume_to_more_epochs_goes_on(job, tmp_path):
    semblance("train", "--config", job / "job.toml", "--run", tmp_path / "r", "--epochs", "1", "--checkpoint-every", "1epoch")
    report = semblance("resume", tmp_path / "r", "--epochs", "2", "--json").json
    assert report["epoch"] == 2 and len(report["history"]) == 2
    assert "epochs = 2" in (tmp_path / "r" / "job.toml").read_text()


@sentiment_alone
def test_resume_without_a_checkpoint_starts_over(job, tmp_path):
    run = tmp_path / "r"
    run.mkdir()
    run.joinpath("job.toml").write_bytes((job / "whole" / "job.toml").read_bytes())
    result = semblance("resume", run)
    assert "no checkpoint was written yet" in result.err
    assert_same(run, job / "whole")


@sentiment_alone
def test_weights_only_checkpoints_serve_but_cannot_be_resumed(job, tmp_path):
    semblance("train", "--config", job / "job.toml", "--run", tmp_path / "r", "--epochs", "1", "--checkpoint-content", "weights")
    assert semblance("predict", tmp_path / "r", input="w1 w2\n").out
    result = semblance("resume", tmp_path / "r", check=False)
    assert result.code == 4 and "weights only" in result.error


def test_a_finished_training_does_not_go_on(trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    notes = semblance("resume", run).err
    assert "going on" not in notes and "completed at epoch 6, step" in notes
