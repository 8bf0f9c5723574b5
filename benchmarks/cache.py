"""What --cache costs and gives: trainings on one file without it, making it and finding it; start, speed, memory. docs/figures.md has the result.

python3 benchmarks/cache.py ROWS.tsv [--gigabytes 20] [--cached-only] [-- OPTION …]

ROWS.tsv: rows of duplicates; with --gigabytes it is made first where it is not there (needs numpy), of rows of two texts of 20 to 80
words. OPTIONs go to `semblance train dssm`. Memory is what the process has of its own and what it has of files, sampled ten times a
second; the tables are the model's and the optimizer's.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

BIN = pathlib.Path(__file__).resolve().parent.parent / "build" / "release" / "bin"


def make_rows(path, size):
    import numpy

    draws = numpy.random.default_rng(1)
    syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
    words = numpy.array([a + b + c for a in syllables for b in syllables for c in syllables][:200_000], dtype=object)
    chances = 1 / (numpy.arange(len(words)) + 3)
    chances /= chances.sum()
    with open(path, "w") as out:
        while out.tell() < size:
            lengths = draws.integers(20, 80, 20_000)
            ids = draws.choice(len(words), lengths.sum(), p=chances)
            topics = draws.choice(len(words), (10_000, 12), p=chances)
            of = numpy.repeat(numpy.arange(20_000) // 2, lengths)
            own = draws.random(len(ids)) < 1 / 3
            ids[own] = topics[of[own], draws.integers(0, 12, own.sum())]
            texts = [" ".join(part) for part in numpy.split(words[ids], lengths.cumsum()[:-1])]
            out.write("".join(f"{a}\t{b}\n" for a, b in zip(texts[::2], texts[1::2])))


def sample(pid, most, ended):
    while not ended.wait(0.1):
        try:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return
        values = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if line.startswith(("VmRSS", "RssAnon"))}
        for name, value in values.items():
            most[name] = max(most.get(name, 0), value * 1024 / 1e6)


def train(rows, options):
    with tempfile.TemporaryDirectory(dir=pathlib.Path(rows).parent) as folder:
        run = pathlib.Path(folder) / "run"
        command = [BIN / "semblance", "train", "dssm", "--train", rows, *options, "--run", run, "--json"]
        start, most, ended, ready = time.monotonic(), {}, threading.Event(), None
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        sampler = threading.Thread(target=sample, args=(process.pid, most, ended))
        sampler.start()
        for line in process.stderr:
            if " to train on;" in line:
                ready = time.monotonic() - start
        report = json.loads(process.communicate()[0])
        ended.set()
        sampler.join()
        tables = sum(file.stat().st_size for file in (run / (run / "LAST").read_text().strip()).glob("*.safetensors")) / 1e6
        return ready, report["examples_per_second"], time.monotonic() - start, most, tables


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rows", type=pathlib.Path)
    parser.add_argument("--gigabytes", type=float, default=0)
    parser.add_argument("--cached-only", action="store_true")
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    given, of_training = parser.parse_args(sys.argv[1:end]), sys.argv[end + 1 :]
    if not given.rows.exists():
        make_rows(given.rows, given.gigabytes * 1e9)
    print(f"{given.rows}: {given.rows.stat().st_size / 1e6:,.0f} MB")
    with tempfile.TemporaryDirectory(dir=given.rows.parent) as folder:
        cache = pathlib.Path(folder) / "cache"
        print(f"{'':10} {'data ready':>12} {'pairs/s':>10} {'whole job':>12} {'own memory':>12} {'resident':>12}")
        for name, options in (("without", []), ("made", ["--cache", cache]), ("found", ["--cache", cache])):
            if name == "without" and given.cached_only:
                continue
            ready, speed, seconds, most, tables = train(given.rows, [*of_training, *options])
            print(f"{name:10} {ready:10.1f} s {speed:10,.0f} {seconds:10.1f} s {most['RssAnon']:9,.0f} MB {most['VmRSS']:9,.0f} MB")
        print(f"tables: {tables:,.0f} MB; cache: {sum(f.stat().st_size for f in cache.iterdir()) / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
