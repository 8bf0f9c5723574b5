"""word2vec beside gensim: words a second of whole jobs, counting the vocabulary included, in turn.

    .venv/bin/python benchmarks/word2vec.py TEXT [--runs 3] [--threads 2]

TEXT is running text, a sentence a line. Each line of the table is a median over the runs, and its ratio to gensim's.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent


def ours(text, threads, run, *options):
    shutil.rmtree(run, ignore_errors=True)
    command = [ROOT / "build/release/bin/semblance", "train", "word2vec", "--corpus", text, "--run", run, "--epochs", "1", "--threads", str(threads), *options]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)


def gensim(text, threads, model):
    from gensim.models import Word2Vec

    Word2Vec(corpus_file=str(text), vector_size=100, window=5, negative=5, sample=1e-3, min_count=5, epochs=1, workers=threads, sg=model == "skipgram")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=pathlib.Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    given = parser.parse_args()
    words = sum(len(line.split()) for line in given.text.open(encoding="utf-8", errors="replace"))
    __import__("gensim.models")  # Python's own start does not count
    with tempfile.TemporaryDirectory() as folder:
        for model in ("skipgram", "cbow"):
            jobs = {
                "gensim": lambda: gensim(given.text, given.threads, model),
                "semblance": lambda: ours(given.text, given.threads, f"{folder}/run", "--model", model),
                "semblance --hogwild": lambda: ours(given.text, given.threads, f"{folder}/run", "--model", model, "--hogwild"),
                "semblance --threads 1": lambda: ours(given.text, 1, f"{folder}/run", "--model", model),
            }
            seconds = {name: [] for name in jobs}
            for _ in range(given.runs):
                for name, job in jobs.items():
                    start = time.perf_counter()
                    job()
                    seconds[name].append(time.perf_counter() - start)
            slowest = statistics.median(seconds["gensim"])
            for name, all_seconds in seconds.items():
                median = statistics.median(all_seconds)
                print(f"{model:<10} {name:<24} {median:6.2f} s  {words / median:>10,.0f} words/s  {slowest / median:5.2f} x", flush=True)


if __name__ == "__main__":
    main()
