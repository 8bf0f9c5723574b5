"""A training that is stopped at any of its renames, each in turn, is mended by resume: nothing else changes what a run shows."""

import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from conftest import BIN, ROOT, semblance

MODEL = 4

STOPPER = BIN.parent / "tests/reliability/libstop_at_rename.so"
pytestmark = pytest.mark.skipif(not STOPPER.exists(), reason=f"{STOPPER} was not built, as under sanitizers")

# The third epoch is the best: whoever overlooks it is seen. One checkpoint is kept, so that two of three go.
JOB = ["--vectors", ROOT / "tests/fixtures/words.vec", "--held-out", "0.3", "--epochs", "3", "--batch-size", "4", "--weight-decay", "0"]
JOB += ["--keep-last", "1", "--threads", "1", "--no-tensorboard"]


def train(run, stop, check=False):
    # By its name alone: a path in LD_PRELOAD ends at a blank.
    stopper = {"LD_PRELOAD": STOPPER.name, "LD_LIBRARY_PATH": str(STOPPER.parent), "STOP_AT_RENAME": stop}
    return semblance("train", "trigram", *JOB, "--run", run, check=check, env=os.environ | stopper)


def content(run):
    """Every file's bytes by its path."""
    return {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}


def resume(run):
    """As a person would; where not even job.toml came to be, that is the same command once more."""
    if (run / "job.toml").exists():
        assert '"stopped":"completed"' in semblance("resume", run, "--json").out
    else:
        train(run, "never", check=True)


def test_stopped_at_every_rename(tmp_path):
    counted = train(tmp_path / "whole", "count", check=True).err.splitlines()[-1]
    renames = int(counted.removesuffix(" renames"))
    whole = content(tmp_path / "whole")
    last = whole["LAST"].decode().strip()
    assert whole["BEST"] == whole["LAST"] and {name.partition("/")[0] for name in whole} == {"job.toml", "metrics.tsv", "curves.svg", "LAST", "BEST", last}
    # job.toml; table, curves, checkpoint, LAST, BEST for each epoch; and the removal of two checkpoints.
    assert renames == 1 + 3 * 5 + 2

    def problem(stop):
        run = tmp_path / stop.replace(" ", "-")
        stopped = train(run, stop)
        if stopped.code != (MODEL if "fail" in stop else -signal.SIGKILL):
            return f"exit code {stopped.code}: {stopped.err}"
        if stopped.code == MODEL and "No space left" not in stopped.error:
            return stopped.error
        resume(run)
        found = content(run)
        return None if found == whole else {name for name in found.keys() | whole.keys() if found.get(name) != whole.get(name)}

    # After one rename is as before the next, but that the next file is not begun; the last removes a checkpoint.
    stops = [f"{how} {number}" for number in range(1, renames + 1) for how in ("before", "fail")] + [f"after {renames}"]
    with ThreadPoolExecutor(2 * os.cpu_count()) as pool:
        problems = dict(zip(stops, pool.map(problem, stops)))
    assert not {stop: found for stop, found in problems.items() if found}
