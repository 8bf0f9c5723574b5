"""Several processes that train one model: the bytes of one process, whatever becomes of the others."""

import os
import random
import signal
import socket
import subprocess
import sys
import time

import pytest
from conftest import BIN, semblance

USAGE, DATA, DEVICE = 2, 3, 5
SHARED = {"SEMBLANCE_SHARE": "all"}  # however small the work: else so small a job is done by each process for itself


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start(size, *arguments, environment=SHARED):
    """One process for each rank, as torchrun starts them."""
    port = str(free_port())
    ranks = [
        {**os.environ, **environment, "RANK": str(rank), "WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        for rank in range(size)
    ]
    command = [str(BIN / "semblance"), *map(str, arguments)]
    return [subprocess.Popen(command, env=rank, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for rank in ranks]


def together(size, *arguments, **options):
    """What each rank's exit code was, and what it printed."""
    ended = []
    for process in start(size, *arguments, **options):
        out, err = process.communicate(timeout=120)
        ended.append((process.returncode, out, err))
    return ended


def last_of(run):
    return (run / "LAST").read_text() if (run / "LAST").exists() else ""


def wait_until(holds):
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def weights(run):
    last = run / (run / "LAST").read_text().strip()
    return [(last / f"{part}.safetensors").read_bytes() for part in ("model", "optimizer")]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")
    labelled, rows, corpus = folder / "texts.csv", folder / "rows.tsv", folder / "corpus.txt"
    texts = random.Random(1)
    word = lambda: f"w{int(texts.paretovariate(0.8)) % 300}"
    labelled.write_text("label,text\n" + "".join(f"{texts.choice('aaab')},{' '.join(word() for _ in range(9))}\n" for _ in range(400)))
    rows.write_text("".join(f"{word()} {word()} {i % 50}\t{word()} q{i % 50}\t{i % 50} {word()}\n" for i in range(200)))
    corpus.write_text("".join(" ".join(word() for _ in range(20)) + "\n" for _ in range(400)))
    hard = folder / "hard.csv"
    hard.write_text("a,b,wrong\n" + "".join(f"{word()} {word()},{word()} q{i % 50},{word()} {i % 50}\n" for i in range(200)))
    vectors = folder / "words.vec"
    vectors.write_text("300 8\n" + "".join(f"word{i}x{i * 7 % 31} {' '.join(f'{texts.gauss(0, 1):.4f}' for _ in range(8))}\n" for i in range(300)))
    return {
        "sentiment": ["sentiment", "--train", labelled, "--model", "mlp", "--sampler", "weighted", "--dropout", "0.5", "--epochs", "3", "--dim", "12"],
        "sentiment without options": ["sentiment", "--train", labelled, "--epochs", "2"],
        "trigram": ["trigram", "--vectors", vectors, "--epochs", "3", "--batch-size", "32"],
        "dssm": ["dssm", "--train", rows, "--dim", "24", "--projection", "8,6", "--learn-alpha", "--epochs", "3", "--batch-size", "64"],
        "dssm, hard negatives": ["dssm", "--train", hard, "--columns", "a,b", "--negatives-column", "wrong", "--dim", "24", "--epochs", "2", "--batch-size", "64"],
        "word2vec": ["word2vec", "--corpus", corpus, "--min-count", "1", "--dim", "20", "--epochs", "2", "--batch-size", "4096"],
        "word2vec, cbow": ["word2vec", "--corpus", corpus, "--min-count", "1", "--dim", "20", "--model", "cbow", "--epochs", "1", "--batch-size", "3000"],
    }


JOBS = ["sentiment", "sentiment without options", "trigram", "dssm", "dssm, hard negatives", "word2vec", "word2vec, cbow"]


@pytest.mark.parametrize("name", JOBS)
def test_the_model_is_the_same_bytes_for_any_number_of_processes(jobs, tmp_path, name):
    semblance("train", *jobs[name], "--run", tmp_path / "1")
    alone = weights(tmp_path / "1")
    for size in (2, 4):
        run = tmp_path / str(size)
        for rank, (code, out, err) in enumerate(together(size, "train", *jobs[name], "--run", run)):
            assert code == 0, err
            assert bool(out) == (rank == 0) and (rank == 0 or not err), "rank 0 tells for all"
        assert weights(run) == alone
        assert (run / "metrics.tsv").read_bytes() == (tmp_path / "1" / "metrics.tsv").read_bytes()


def test_a_training_goes_on_with_another_number_of_processes(jobs, tmp_path):
    semblance("train", *jobs["dssm"], "--run", tmp_path / "whole")
    run = tmp_path / "parts"
    assert [code for code, _, _ in together(2, "train", *jobs["dssm"], "--stop-after", "1", "--run", run)] == [0, 0]
    resumed = together(3, "resume", run, "--stop-after", "2")
    assert [code for code, _, _ in resumed] == [0] * 3
    assert resumed[0][2] and not resumed[1][2] and not resumed[2][2], "rank 0 tells for all"
    semblance("resume", run)
    assert weights(run) == weights(tmp_path / "whole")


@pytest.mark.parametrize("name", ["sentiment without options", "dssm"])
def test_one_process_encodes_the_texts_and_all_read_them(jobs, tmp_path, name):
    semblance("train", *jobs[name], "--run", tmp_path / "1")
    for size in (3, 2):  # the second time they are there
        ended = together(size, "train", *jobs[name], "--cache", tmp_path / "cache", "--run", tmp_path / str(size))
        assert [code for code, _, _ in ended] == [0] * size
        assert weights(tmp_path / str(size)) == weights(tmp_path / "1")
    assert not list((tmp_path / "cache").glob("*.tmp"))


def test_small_work_is_done_by_each_process_itself(jobs, tmp_path):
    """Sending would take longer; the bytes are the same."""
    semblance("train", *jobs["dssm"], "--run", tmp_path / "1")
    ended = together(2, "train", *jobs["dssm"], "--run", tmp_path / "2", environment={})
    assert [code for code, _, _ in ended] == [0, 0]
    assert weights(tmp_path / "2") == weights(tmp_path / "1")


@pytest.mark.parametrize("killed", [0, 1, 2])
def test_a_killed_process_ends_the_others_and_a_resumed_training_ends_as_if_nothing_had_been(jobs, tmp_path, killed):
    job = [*jobs["sentiment"], "--epochs", "25", "--checkpoint-every", "7steps"]
    semblance("train", *job, "--run", tmp_path / "whole")
    run, luck = tmp_path / "run", random.Random(killed)
    for attempt in range(3):
        begun = last_of(run)
        processes = start(3, *(["resume", run] if begun else ["train", *job, "--run", run]))
        wait_until(lambda: last_of(run) != begun or processes[0].poll() is not None)
        time.sleep(luck.uniform(0, 0.1))
        processes[killed].send_signal(signal.SIGKILL)
        killed_at = time.monotonic()
        for rank, process in enumerate(processes):
            _, err = process.communicate(timeout=20)
            if rank != killed and process.returncode != 0:  # which may have ended before
                assert process.returncode == DEVICE, err
                assert [line for line in err.splitlines() if "error: " in line][0].count("expected the other 2 process(es) to go on, found that one has ended") == 1, err
        assert time.monotonic() - killed_at < 10
    semblance("resume", run)
    assert weights(run) == weights(tmp_path / "whole")


def test_a_signal_to_one_process_is_a_signal_to_all(jobs, tmp_path):
    processes = start(2, "train", *jobs["sentiment"], "--epochs", "2000", "--run", tmp_path / "run")
    wait_until(lambda: last_of(tmp_path / "run"))
    processes[1].send_signal(signal.SIGTERM)
    assert [process.wait(timeout=30) for process in processes] == [128 + signal.SIGTERM] * 2
    for process in processes:
        process.communicate()
    assert (tmp_path / "run" / "LAST").exists()


def test_a_process_with_other_data_is_refused(jobs, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text((jobs["sentiment"][2]).read_text().replace("w1", "w2"))
    port = str(free_port())
    processes = []
    for rank, train in enumerate([jobs["sentiment"][2], other]):
        environment = {**os.environ, "RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        command = [BIN / "semblance", "train", "sentiment", "--train", train, *jobs["sentiment"][3:], "--run", tmp_path / "run"]
        processes.append(subprocess.Popen(list(map(str, command)), env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
    for process in processes:
        _, err = process.communicate(timeout=60)
        assert process.returncode == DATA
        assert "expected the same job and data in all processes, found another in rank 1 than in rank 0" in err
    assert not (tmp_path / "run").exists()


def test_what_is_for_one_process_is_refused(jobs, tmp_path):
    for arguments, told in [
        (["train", *jobs["sentiment"]], "expected --run, the folder that 2 processes train in together"),
        (["tune", *jobs["sentiment"], "--trials", "2", "--run", tmp_path / "t"], "tune: expected one process"),
        (["train", *jobs["word2vec"], "--hogwild", "--run", tmp_path / "h"], "--hogwild: expected one process"),
    ]:
        for rank, (code, _, err) in enumerate(together(2, *arguments)):
            assert code == USAGE and told in err, err
    assert list(tmp_path.iterdir()) == []


def test_torchrun_begins_anew_where_a_checkpoint_stands(jobs, tmp_path):
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--no-python", "--nproc-per-node", "2", "--max-restarts", "2", "--monitor-interval", "0.1"]
    job = [*jobs["dssm"], "--epochs", "40", "--checkpoint-every", "5steps"]
    semblance("train", *job, "--run", tmp_path / "whole")
    run = tmp_path / "run"
    # After --: torchrun takes --run for an option of its own otherwise.
    command = [*torchrun, "--", str(BIN / "semblance"), "train", *map(str, job), "--run", str(run)]
    process = subprocess.Popen(command, env={**os.environ, **SHARED}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    wait_until(lambda: last_of(run))
    children = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    assert len(children) == 2
    os.kill(int(children[-1]), signal.SIGKILL)
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0, out
    assert "expected the other 1 process(es) to go on" in out
    assert weights(run) == weights(tmp_path / "whole")
