"""Classifiers without an option but the files: semblance beside fastText and scikit-learn, set by set.

  python3 benchmarks/classifiers.py [--sets sst2,mr,…] [--tools semblance,fasttext,…] [--seeds 1,2,3] [--program PATH]

A line for each set and tool: micro F1 (of one label a text: accuracy) and macro F1 on the test part, the mean and the
spread over the seeds; seconds of training, reading and writing included, peak memory and bytes on disk, medians. MR has
ten folds instead of seeds. fastText gets the texts in lower case, punctuation apart; multi-label texts one-vs-all. The
real sets are looked for in $SEMBLANCE_SHARED, or ../shared; those that are not there are left out. `fasttext` is Debian's.
"""

import argparse
import ast
import csv
import gzip
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("SEMBLANCE_SHARED", ROOT.parent / "shared"))
DATA = SHARED / "data/sentiment"
SEPARATOR = "|"  # between the labels of one text
TOKENS = re.compile(r"\w+|[^\w\s]+")


# Sets: (training rows, test rows) of (label, text).


def lines(path, encoding="utf-8"):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding=encoding, newline="\n") as file:
        return file.read().rstrip("\n").split("\n")


def cut(rows, share=0.8, seed=7):
    rows = list(rows)
    random.Random(seed).shuffle(rows)
    return rows[: int(len(rows) * share)], rows[int(len(rows) * share) :]


def labelled(path, separator, encoding="utf-8"):
    return [tuple(line.split(separator, 1)) for line in lines(path, encoding)]


def csv_rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return [(row["label"], row["text"]) for row in csv.DictReader(file)]


def imdb():
    return cut((line.split("\t")[0], line.split("\t")[3]) for line in lines(DATA / "imdb/train.tsv.gz"))


def tags():
    rows = (line.rstrip("\r").rsplit("\t", 1) for line in lines(DATA / "so_title_tags/train.tsv")[1:])
    return cut((SEPARATOR.join(ast.literal_eval(tags)), title) for title, tags in rows if tags != "tags")


def tweet_rows():
    """All of them, the positive ones first; labels are 1 and -1."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, SHARED / "peers/make_tweets.py", folder], check=True)
        for name in ("positive.csv", "negative.csv"):
            with open(pathlib.Path(folder) / name, encoding="utf-8", newline="") as file:
                rows += [(row[4], row[3]) for row in csv.reader(file, delimiter=";")]
    return rows


def tweets():
    return cut(tweet_rows())


def folds(rows, count=10):
    rows = cut(rows, 1)[0]
    for i in range(count):
        yield [row for j, row in enumerate(rows) if j % count != i], rows[i::count]


SETS = {
    "sst2": lambda: (labelled(DATA / "sst2/stsa.binary.train", " "), labelled(DATA / "sst2/stsa.binary.test", " ")),
    "mr": lambda: list(folds(labelled(DATA / "rt-polarity.all", " ", "cp1252"))),
    "imdb": imdb,
    "rusentiment": lambda: tuple(csv_rows(DATA / f"rusentiment/rusentiment_{part}.csv") for part in ("random_posts", "test")),
    "telecoms": lambda: tuple(labelled(DATA / f"sentirueval/2015-telecoms-{part}.tsv", "\t") for part in ("train", "test_etalon")),
    "tweets": tweets,
    "tags": tags,
}


# Tools: train on a file, and answer a list of sets of labels for the texts of another.


def write(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        file.write("label\ttext\n")
        for label, text in rows:
            file.write(f"{label}\t{' '.join(text.split())}\n")


def write_fasttext(path, rows):
    with open(path, "w", encoding="utf-8") as file:
        for label, text in rows:
            marked = " ".join("__label__" + part for part in label.split(SEPARATOR))
            file.write(f"{marked} {' '.join(TOKENS.findall(text.lower()))}\n")


def timed(command, output=subprocess.DEVNULL):
    """Seconds, and MB of memory at most."""
    begin = time.monotonic()
    process = subprocess.Popen([str(part) for part in command], stdout=output, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return time.monotonic() - begin, usage.ru_maxrss / 1000


def bytes_of(path):
    return sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file())


def semblance(program, folder, train, test, multi_label, seed):
    write(folder / "train.tsv", train)
    write(folder / "test.tsv", test)
    (folder / "texts.txt").write_text("".join(" ".join(text.split()) + "\n" for _, text in test), encoding="utf-8")
    options = ["--label-separator", SEPARATOR] if multi_label else []
    measured = timed([program, "train", "sentiment", "--train", folder / "train.tsv", "--test", folder / "test.tsv", "--run", folder / "run", "--seed", seed, *options])
    lines_out = subprocess.run([program, "predict", folder / "run", folder / "texts.txt", "--output-format", "jsonl"], check=True, capture_output=True, text=True).stdout
    answers = [json.loads(line) for line in lines_out.splitlines()]
    found = [set(a["labels"]) if multi_label else {a["label"]} for a in answers]
    return found, *measured, bytes_of(folder / "run")


def fasttext(*extra):
    def run(_, folder, train, test, multi_label, seed):
        write_fasttext(folder / "train.txt", train)
        write_fasttext(folder / "test.txt", test)
        options = ["-loss", "ova"] if multi_label else []
        measured = timed(["fasttext", "supervised", "-input", folder / "train.txt", "-output", folder / "model", "-thread", "2", "-seed", seed, *options, *extra])
        wanted = ["-1", "0.5"] if multi_label else ["1"]
        found = subprocess.run(["fasttext", "predict", folder / "model.bin", folder / "test.txt", *wanted], check=True, capture_output=True, text=True).stdout
        return [set(line.replace("__label__", "").split()) for line in found.split("\n")[: len(test)]], *measured, bytes_of(folder / "model.bin")

    return run


def scikit_learn(_, folder, train, test, multi_label, seed):
    write(folder / "train.tsv", train)
    write(folder / "test.tsv", test)
    with open(folder / "found.txt", "wb") as out:
        measured = timed([sys.executable, __file__, "--scikit-learn", folder, *(["--multi-label"] if multi_label else [])], out)
    return [set(filter(None, line.split(SEPARATOR))) for line in lines(folder / "found.txt")], *measured, bytes_of(folder / "model.pickle")


def run_scikit_learn(folder, multi_label):
    """TF-IDF of words and pairs of words, logistic regression; a process of its own, for its time and memory."""
    import pickle

    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.preprocessing import MultiLabelBinarizer

    train, test = (labelled(folder / f"{part}.tsv", "\t")[1:] for part in ("train", "test"))
    vectorizer, model = TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(max_iter=1000)
    features = vectorizer.fit_transform([text for _, text in train])
    if multi_label:
        binarizer = MultiLabelBinarizer()
        model = OneVsRestClassifier(model, n_jobs=2).fit(features, binarizer.fit_transform([label.split(SEPARATOR) for label, _ in train]))
    else:
        model.fit(features, [label for label, _ in train])
    with open(folder / "model.pickle", "wb") as file:
        pickle.dump((vectorizer, model), file)
    found = model.predict(vectorizer.transform([text for _, text in test]))
    for labels in binarizer.inverse_transform(found) if multi_label else ([label] for label in found):
        print(SEPARATOR.join(labels))


TOOLS = {"semblance": semblance, "fasttext": fasttext(), "fasttext-bigrams": fasttext("-wordNgrams", "2"), "scikit-learn": scikit_learn}


def f1(expected, found):
    """Micro and macro, the latter over all labels that occur or were found."""
    labels = set().union(*expected, *found)
    hits, given, wanted = ({label: 0 for label in labels} for _ in range(3))
    for right, answer in zip(expected, found, strict=True):
        for label in right:
            wanted[label] += 1
        for label in answer:
            given[label] += 1
            hits[label] += label in right
    micro = 2 * sum(hits.values()) / (sum(given.values()) + sum(wanted.values()))
    return micro, statistics.mean(2 * hits[label] / (given[label] + wanted[label]) for label in labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--program", default=ROOT / "build/release/bin/semblance")
    parser.add_argument("--scikit-learn", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--multi-label", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.scikit_learn:
        return run_scikit_learn(options.scikit_learn, options.multi_label)
    print("| Set | Tool | Micro F1 | Macro F1 | Seconds | Memory, MB | Disk, MB |\n|---|---|---|---|---|---|---|")
    for name in options.sets.split(","):
        try:
            parts = SETS[name]()
        except FileNotFoundError as error:
            print(f"{name}: left out: {error.filename} is not there", file=sys.stderr)
            continue
        runs = [(*fold, 1) for fold in parts] if isinstance(parts, list) else [(*parts, seed) for seed in options.seeds.split(",")]
        scores, costs = ({tool: [] for tool in options.tools.split(",")} for _ in range(2))
        for i, (train, test, seed) in enumerate(runs):
            train, test = ([(label, text) for label, text in rows if label and text.split()] for rows in (train, test))
            for tool in scores:  # in turn: a machine is faster now and slower then
                if tool == "scikit-learn" and i > 0 and not isinstance(parts, list):
                    continue  # its solver has no seed that matters
                with tempfile.TemporaryDirectory() as folder:
                    found, *cost = TOOLS[tool](options.program, pathlib.Path(folder), train, test, name == "tags", seed)
                scores[tool].append(f1([set(label.split(SEPARATOR)) for label, _ in test], found))
                costs[tool].append(cost)
        for tool in scores:
            shown = [f"{statistics.mean(part):.4f} ± {statistics.pstdev(part):.4f}" for part in zip(*scores[tool])]
            seconds, memory, disk = (statistics.median(part) for part in zip(*costs[tool]))
            print(f"| {name} | {tool} | {shown[0]} | {shown[1]} | {seconds:.2f} | {memory:.0f} | {disk / 1e6:.1f} |", flush=True)


if __name__ == "__main__":
    main()
