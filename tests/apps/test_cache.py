"""--cache: encoded texts that a training finds again. The model is the same with it and without, whatever became of the cache."""

import os
import random
import signal
import subprocess
import time

import pytest
from conftest import BIN, semblance

USAGE, DATA, MODEL = 2, 3, 4


def weights(run):
    last = run / (run / "LAST").read_text().strip()
    return [(last / f"{part}.safetensors").read_bytes() for part in ("model", "optimizer")]


LARGE = ["--dim", "2", "--epochs", "1", "--batch-size", "256", "--split", "0.9,0.1,0", "--negatives", "10"]


def long_rows_in(path):
    """Some MB that are soon trained on: few pairs of long texts."""
    texts = random.Random(1)
    words = [f"w{int(texts.paretovariate(0.8)) % 30000}" for _ in range(1 << 16)]
    with open(path, "w") as file:
        for i in range(8000):
            file.write("\t".join(" ".join(words[at : at + 400]) for at in (texts.randrange(60000), texts.randrange(60000))) + f" {i}\n")
    return path


def texts_in(path, rows=400, seed=1):
    texts = random.Random(seed)
    word = lambda: f"w{int(texts.paretovariate(0.8)) % 300}"
    if path.suffix == ".csv":
        path.write_text("label,text\n" + "".join(f"{texts.choice('aaab')},{' '.join(word() for _ in range(9))}\n" for _ in range(rows)))
    elif path.suffix == ".tags":
        path.write_text("".join(f"__label__{texts.choice('xyz')} __label__{texts.choice('pq')} {' '.join(word() for _ in range(9))}\n" for _ in range(rows)))
    else:
        path.write_text("".join(f"{word()} {word()} {i % 50}\t{word()} q{i % 50}\t{i % 50} {word()}\n" for i in range(rows)))
    return path


@pytest.fixture
def jobs(tmp_path):
    labelled, tags, rows = (texts_in(tmp_path / name) for name in ("texts.csv", "texts.tags", "rows.tsv"))
    scored = tmp_path / "scored.csv"
    scored.write_text("score,a,b,wrong\n" + "".join(f"{i % 6},w{i % 7} w{i % 11},w{i % 5} w{i % 13},\n" for i in range(200)))
    hard = tmp_path / "hard.csv"
    hard.write_text("a,b,wrong\n" + "".join(f"w{i % 7} w{i % 11},w{i % 5} w{i % 13},w{i % 3} v{i % 17}\n" for i in range(200)))
    stop = tmp_path / "stop.txt"
    stop.write_text("w1\nw2\n")
    return {
        "sentiment without options": ["sentiment", "--train", labelled, "--epochs", "2"],
        "sentiment, padded, weighted": ["sentiment", "--train", labelled, "--model", "mlp", "--pooling", "padded-mean", "--sampler", "weighted", "--epochs", "2", "--dim", "12"],
        "sentiment, own parts, idf": ["sentiment", "--train", labelled, "--valid", labelled, "--test", labelled, "--token-weights", "idf", "--ngrams", "2", "--epochs", "2"],
        "sentiment, linear": ["sentiment", "--train", labelled, "--model", "linear", "--epochs", "2"],
        "sets of labels, n-grams with a row of their own": ["sentiment", "--train", tags, "--ngrams", "2", "--char-ngrams", "4", "--stopwords", stop, "--epochs", "2"],
        "dssm": ["dssm", "--train", rows, "--dim", "24", "--projection", "8,6", "--learn-alpha", "--epochs", "2", "--batch-size", "64", "--split", "0.8,0.1,0.1"],
        "dssm, texts apart": ["dssm", "--train", rows, "--dim", "24", "--no-duplicates", "--split-by", "text", "--token-weights", "idf", "--epochs", "2", "--batch-size", "16"],
        "dssm, scores": ["dssm", "--train", scored, "--dim", "24", "--score-column", "score", "--columns", "a,b", "--epochs", "2", "--batch-size", "16"],
        "dssm, hard negatives": ["dssm", "--train", hard, "--dim", "24", "--columns", "a,b", "--negatives-column", "wrong", "--epochs", "2", "--batch-size", "16"],
    }


KINDS = ["sentiment without options", "sentiment, padded, weighted", "sentiment, own parts, idf", "sentiment, linear", "sets of labels, n-grams with a row of their own",
         "dssm", "dssm, texts apart", "dssm, scores", "dssm, hard negatives"]  # fmt: skip


def train(job, run, *options, **keywords):
    return semblance("train", *job, "--run", run, *options, **keywords)


@pytest.mark.parametrize("kind", KINDS)
def test_made_and_found_it_gives_the_same_model_and_says_the_same(jobs, tmp_path, kind):
    job, cache = jobs[kind], tmp_path / "cache"
    plain = train(job, tmp_path / "plain")
    made = train(job, tmp_path / "made", "--cache", cache)
    found = train(job, tmp_path / "found", "--cache", cache)
    assert weights(tmp_path / "made") == weights(tmp_path / "plain")
    assert weights(tmp_path / "found") == weights(tmp_path / "plain")
    name = lambda answer, run: answer.out.replace(str(tmp_path / run), "RUN")
    assert name(made, "made") == name(found, "found") == name(plain, "plain")
    assert "encoded texts found" in found.err and "encoded texts found" not in made.err
    said = lambda answer: [line for line in answer.err.splitlines() if "/s" not in line and "encoded texts" not in line]
    assert said(found) == said(made) == said(plain)


def test_other_options_of_the_training_use_it_too(jobs, tmp_path):
    job, cache = jobs["dssm"], tmp_path / "cache"
    train(job, tmp_path / "first", "--cache", cache)
    other = train(job, tmp_path / "other", "--cache", cache, "--lr", "0.02", "--epochs", "1", "--clip-norm", "1")
    assert "encoded texts found" in other.err
    words = train(job, tmp_path / "words", "--cache", cache, "--min-count", "2")
    assert "encoded texts found" not in words.err and len(list(cache.glob("*.semcache"))) == 2
    train(job, tmp_path / "plain", "--min-count", "2")
    assert weights(tmp_path / "words") == weights(tmp_path / "plain")


def test_a_run_is_resumed_with_it_without_it_and_from_another(jobs, tmp_path):
    for kind in ("sentiment without options", "dssm"):
        job, cache = jobs[kind][:-2] if kind.startswith("sentiment") else jobs[kind], tmp_path / "cache"
        whole, run = tmp_path / f"{kind} whole", tmp_path / f"{kind} run"
        train(job, whole, "--epochs", "5")
        train(job, run, "--epochs", "5", "--stop-after", "2", "--cache", cache)
        assert "encoded texts found" in semblance("resume", run, "--stop-after", "3").err
        for file in cache.iterdir():
            file.unlink()
        assert "encoded texts found" not in semblance("resume", run, "--stop-after", "4").err
        job_file = run / "job.toml"
        job_file.write_text(job_file.read_text().replace(str(cache), str(tmp_path / "elsewhere")))
        assert "elsewhere" in semblance("resume", run).err
        assert any((tmp_path / "elsewhere").glob("*.semcache"))
        assert weights(run) == weights(whole)


def test_it_is_made_anew_where_the_texts_have_changed(jobs, tmp_path):
    job, cache, rows = jobs["dssm"], tmp_path / "cache", tmp_path / "rows.tsv"
    train(job, tmp_path / "first", "--cache", cache)
    before = rows.stat()
    rows.write_text(rows.read_text().replace("q7", "q8"))
    os.utime(rows, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert rows.stat().st_size == before.st_size
    answer = train(job, tmp_path / "changed", "--cache", cache)
    assert "was made of other texts" in answer.err and "encoded texts found" not in answer.err
    assert len(list(cache.glob("*.semcache"))) == 1, "in the place of the one of before"
    train(job, tmp_path / "plain")
    assert weights(tmp_path / "changed") == weights(tmp_path / "plain") != weights(tmp_path / "first")


def test_a_large_file_that_is_changed_is_read_again(tmp_path):
    rows, cache = tmp_path / "rows.tsv", tmp_path / "cache"
    long_rows_in(rows)
    assert rows.stat().st_size > 16 << 20
    os.utime(rows, (1, 1))
    job = ["dssm", "--train", rows, *LARGE]
    time.sleep(2.1)  # until it is no longer so young that its state says nothing
    train(job, tmp_path / "first", "--cache", cache)
    assert str(rows) in (cache / "inputs.json").read_text()
    assert "encoded texts found" in train(job, tmp_path / "again", "--cache", cache).err
    with open(rows, "r+b") as file:
        file.seek(1000)
        file.write(b"zzz")
    os.utime(rows, (1, 1))  # the time of the change says it all the same
    assert "was made of other texts" in train(job, tmp_path / "changed", "--cache", cache).err


def test_what_is_damaged_is_made_anew(jobs, tmp_path):
    job, cache = jobs["sentiment without options"], tmp_path / "cache"
    train(job, tmp_path / "plain")
    train(job, tmp_path / "made", "--cache", cache)
    for name in ("sentiment", "defaults"):
        (file,) = cache.glob(f"{name}-*.semcache")
        whole = file.read_bytes()
        places = random.Random(1)
        damaged = [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in (places.randrange(64, len(whole)) for _ in range(3))]
        for i, content in enumerate([b"", whole[:-1], whole[: len(whole) // 2], bytes(len(whole)), *damaged]):
            file.write_bytes(content)
            run = tmp_path / f"{name} {i}"
            answer = train(job, run, "--cache", cache)
            assert weights(run) == weights(tmp_path / "plain")
            if content != whole and len(content) != len(whole):
                assert f"warning: {file}: " in answer.err and "anew" in answer.err
            assert file.read_bytes() == whole


def test_a_training_killed_while_it_makes_one_leaves_nothing_that_counts(tmp_path):
    rows, cache = tmp_path / "rows.tsv", tmp_path / "cache"
    job = ["dssm", "--train", long_rows_in(rows), *LARGE]
    train(job, tmp_path / "plain")
    command = [str(BIN / "semblance"), "train", *map(str, job), "--cache", str(cache), "--run"]
    moments = random.Random(1)
    for i in range(6):
        process = subprocess.Popen([*command, str(tmp_path / f"killed {i}")], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.2, 1.2))
        process.send_signal(signal.SIGKILL)
        process.wait()
    cache.mkdir(exist_ok=True)
    (cache / "dssm-0123456789abcdef.semcache.semblance-abcdef.tmp").write_bytes(b"half")
    for file in cache.glob("dssm*.semcache"):
        file.unlink()
    train(job, tmp_path / "run", "--cache", cache)
    assert weights(tmp_path / "run") == weights(tmp_path / "plain")
    assert not list(cache.glob("*.tmp"))


def test_two_trainings_share_one(tmp_path):
    rows, cache = tmp_path / "rows.tsv", tmp_path / "cache"
    job = ["dssm", "--train", long_rows_in(rows), *LARGE, "--cache", cache]
    command = [str(BIN / "semblance"), "train", *map(str, job), "--run"]
    both = [subprocess.Popen([*command, str(tmp_path / name)], stderr=subprocess.PIPE, text=True) for name in ("one", "two")]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert weights(tmp_path / "one") == weights(tmp_path / "two")
    assert sum("encoded texts found" in text for text in said) == 1, "by the other one, which waited"
    assert len(list(cache.glob("*.semcache"))) == 1


def test_any_name_will_do_for_a_file(tmp_path):
    rows = tmp_path / os.fsdecode(b"\xff rows.tsv")
    texts_in(rows)
    job = ["dssm", "--train", rows, "--dim", "4", "--epochs", "1", "--cache", tmp_path / "cache"]
    command = [str(BIN / "semblance"), "train", *map(str, job), "--run"]
    for name in ("made", "found"):
        subprocess.run([*command, str(tmp_path / name)], check=True, capture_output=True)
    assert weights(tmp_path / "made") == weights(tmp_path / "found")


def test_what_cannot_be_is_told_in_a_line(jobs, tmp_path):
    job = jobs["dssm"]
    file = tmp_path / "file"
    file.write_text("no folder")
    answer = train(job, tmp_path / "run", "--cache", file, check=False)
    assert answer.code == MODEL
    assert answer.err.splitlines()[-1].startswith(f"semblance: error: {file}")
    answer = semblance("train", "dssm", "--train", "-", "--cache", tmp_path / "cache", "--run", tmp_path / "run", input="a\tb\n", check=False)
    assert answer.code == DATA
    assert "--cache" in answer.err.splitlines()[-1]
    assert not (tmp_path / "run").exists()
