"""A text classifier of many classes beside fastText: time, memory, bytes on disk, accuracy, and the answer to one text.

    .venv/bin/python benchmarks/classes.py make FOLDER [--classes 10000] [--texts 100000]
    .venv/bin/python benchmarks/classes.py ours FOLDER [--threads 2] -- OPTIONS OF train sentiment
    .venv/bin/python benchmarks/classes.py fasttext FOLDER -- OPTIONS OF fasttext supervised

`make` writes train.txt and test.txt, a text a line behind __label__cN: a class has eight words of its own among those of all
others, and a text draws four of them and eight that every class has. Each text's class is drawn first, one of each class and
the others with Zipf's frequencies.
"""

import argparse
import json
import os
import pathlib
import subprocess
import time

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
SEMBLANCE = pathlib.Path(os.environ.get("SEMBLANCE_BIN_DIR", ROOT / "build/release/bin")) / "semblance"


def make(folder, classes, texts, seed=1):
    random = numpy.random.default_rng(seed)
    words, common = classes * 2, 2000
    own = random.integers(0, words, (classes, 8))
    frequency = 1 / numpy.arange(10, classes + 10)
    frequency /= frequency.sum()
    folder.mkdir(parents=True, exist_ok=True)
    for part, size in (("train", texts), ("test", texts // 10)):
        labels = random.choice(classes, size, p=frequency)
        if part == "train":
            labels[:classes] = numpy.arange(classes)
            random.shuffle(labels)
        with open(folder / f"{part}.txt", "w") as file:
            for label in labels:
                special = [f"w{w}" for w in random.choice(own[label], 4)]
                usual = [f"the{w}" for w in random.zipf(1.3, 8) % common]
                text = special + usual
                random.shuffle(text)
                file.write(f"__label__c{label} {' '.join(text)}\n")


def measured(command, **options):
    """Seconds and the most megabytes that a command took, and what it printed."""
    start = time.perf_counter()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options)
    out = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, command
    seconds = time.perf_counter() - start
    print(f"{usage.ru_utime + usage.ru_stime:8.1f} s of processors,", end="", flush=True) if seconds > 5 else None
    return seconds, usage.ru_maxrss / 1024, out


def ours(folder, threads, options):
    run = folder / "run"
    command = [SEMBLANCE, "train", "sentiment", "--train", folder / "train.txt", "--split", "1,0,0", "--run", run, "--overwrite", "--threads", threads]
    seconds, megabytes, _ = measured([*command, "--keep-last", 1, "--no-tensorboard", *options])
    size = sum(file.stat().st_size for file in run.rglob("*") if file.is_file())
    manifest = next(run.glob("step-*/manifest.json")).stat().st_size
    evaluation, _, report = measured([SEMBLANCE, "evaluate", run, folder / "test.txt", "--json"])
    one, _, _ = measured(["bash", "-c", f"head -1 {folder}/test.txt | cut -d' ' -f2- | {SEMBLANCE} predict {run}"])
    print(f"{seconds:7.1f} s {megabytes:6.0f} MB, {size / 1e6:6.1f} MB on disk (manifest {manifest / 1e3:.0f} kB), accuracy {json.loads(report)['accuracy']:.4f}, evaluate {evaluation:.1f} s, predict {one:.2f} s  {' '.join(options)}")


def fasttext(folder, options):
    model = folder / "fasttext"
    seconds, megabytes, _ = measured(["fasttext", "supervised", "-input", folder / "train.txt", "-output", model, *options])
    evaluation, _, report = measured(["fasttext", "test", f"{model}.bin", folder / "test.txt"])
    one, _, _ = measured(["bash", "-c", f"head -1 {folder}/test.txt | cut -d' ' -f2- | fasttext predict {model}.bin -"])
    accuracy = next(line.split()[1] for line in report.splitlines() if line.startswith("P@1"))
    size = (folder / "fasttext.bin").stat().st_size
    print(f"{seconds:7.1f} s {megabytes:6.0f} MB, {size / 1e6:6.1f} MB on disk, accuracy {accuracy}, test {evaluation:.1f} s, predict {one:.2f} s  fasttext {' '.join(options)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["make", "ours", "fasttext"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--classes", type=int, default=10000)
    parser.add_argument("--texts", type=int, default=100000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("options", nargs="*", help="after --")
    given = parser.parse_args()
    if given.what == "make":
        make(given.folder, given.classes, given.texts)
    elif given.what == "ours":
        ours(given.folder, given.threads, given.options)
    else:
        fasttext(given.folder, given.options)


if __name__ == "__main__":
    main()
