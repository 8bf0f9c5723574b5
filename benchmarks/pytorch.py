"""How many times as fast semblance trains as the same models written in Python on PyTorch, two threads each.

  python3 benchmarks/pytorch.py [PROGRAM …] [--runs 3] [--jobs tweets,trigrams,duplicates,whole] [--rows 1000000]

The scripts are looked for in $SEMBLANCE_SHARED, or ../shared. The scripts and the programs (build/release/bin/semblance
unless given) run in turn, so that drift meets them alike. Rates are examples a second of a step; `whole` is the seconds
of a million rows of duplicates from their text to Hits@K, PyTorch's included. Run it by a Python that has torch and
tensorboard: that of the tests.
"""

import argparse
import gzip
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

from classifiers import ROOT, SHARED, tweet_rows
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

PEERS = SHARED / "peers"


def run(*command):
    return subprocess.run(list(map(str, command)), check=True, capture_output=True, text=True).stdout


def script(name, *arguments):
    return run(sys.executable, PEERS / name, *arguments)


def rate_of_script(*command):
    return float(re.search(r"(?:rows|words|pairs)/s=(\d+)", script(*command))[1])


def rate(program, *arguments):
    """The median over the reports of a training."""
    with tempfile.TemporaryDirectory() as folder:
        run(program, "train", *arguments, "--run", f"{folder}/run", "--log-every", "200", "--threads", "2")
        events = EventAccumulator(f"{folder}/run")
        events.Reload()
        return statistics.median(event.value for event in events.Scalars("train/examples_per_second"))


def tweets(folder, _):
    rows = [(int(int(label) > 0), " ".join(text.split())) for label, text in tweet_rows()]
    for name, part in (("train.txt", rows[::2] + rows[1::4]), ("test.txt", rows[3::400])):
        (folder / name).write_text("".join(f"{label} {text}\n" for label, text in part), encoding="utf-8")
    ours = ["sentiment", "--config", ROOT / "apps/jobs/lecture.toml", "--train", folder / "train.txt", "--split", "1,0,0", "--epochs", "5"]
    return lambda: rate_of_script("sentiment.py", folder / "train.txt", folder / "test.txt", "--epochs", "2"), lambda program: rate(program, *ours)


def trigrams(folder, _):
    vectors = folder / "words.vec"
    vectors.write_bytes(gzip.open(SHARED / "data/vectors/imdb_sg_100d.vec.gz").read())
    return lambda: rate_of_script("trigram.py", vectors, "--sparse", "--epochs", "3"), lambda program: rate(program, "trigram", "--vectors", vectors, "--limit", "50000", "--epochs", "10")


def make_duplicates(folder, rows):
    script("make_duplicates.py", folder, "--rows", rows)
    return folder / "train.tsv", folder / "validation.tsv"


def duplicates(folder, rows):
    train, validation = make_duplicates(folder, rows)
    short = folder / "short.tsv"
    short.write_text("".join(open(validation, encoding="utf-8").readlines()[:10]), encoding="utf-8")
    return lambda: rate_of_script("dssm.py", train, short, "--sparse", "--epochs", "1", "--steps", "1000"), lambda program: rate(program, "dssm", "--train", train, "--dim", "300", "--split", "1,0,0", "--epochs", "1")


def whole(folder, rows):
    train, validation = make_duplicates(folder, rows)

    def seconds(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    def ours(program):
        run(program, "train", "dssm", "--train", train, "--dim", "300", "--split", "1,0,0", "--epochs", "1", "--run", folder / "run", "--overwrite", "--threads", "2")
        run(program, "evaluate", folder / "run", validation)

    return lambda: seconds(lambda: script("dssm.py", train, validation, "--sparse", "--epochs", "1")), lambda program: seconds(lambda: ours(program))


JOBS = {"tweets": tweets, "trigrams": trigrams, "duplicates": duplicates, "whole": whole}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", default=[ROOT / "build/release/bin/semblance"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--jobs", default="tweets,trigrams,duplicates")
    parser.add_argument("--rows", type=int, default=1000000)
    options = parser.parse_args()
    for job in options.jobs.split(","):
        with tempfile.TemporaryDirectory() as folder:
            reference, ours = JOBS[job](pathlib.Path(folder), options.rows)
            theirs, times = [], {program: [] for program in options.programs}
            for _ in range(options.runs):
                theirs.append(reference())
                for program in options.programs:
                    times[program].append(ours(program))
        shown = lambda values: " ".join(f"{value:,.0f}" if value > 1000 else f"{value:.1f}" for value in values)
        print(f"{job}: PyTorch {shown(theirs)}", flush=True)
        for program, own in times.items():
            ratios = [a / b if job == "whole" else b / a for a, b in zip(theirs, own)]
            print(f"  {program}: {shown(own)}; times as fast: {' '.join(f'{ratio:.1f}' for ratio in ratios)}, median {statistics.median(ratios):.1f}", flush=True)


if __name__ == "__main__":
    main()
