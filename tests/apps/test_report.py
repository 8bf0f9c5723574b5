"""report: one page of every kind of run, whose numbers are those of metrics.tsv and evaluate, opened in a browser."""

import hashlib
import html.parser
import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from browser import CHROMIUM, Browser
from conftest import BIN, ROOT, semblance

USAGE, DATA, MODEL = 2, 3, 4
WORDS = ROOT / "tests/fixtures/words.vec"
HOSTILE = ["</script><script>alert(1)</script>", "<!--<script>", "<img src=x onerror=alert(1)>", "]]>\u2028&amp;\"'"]
SHORT = ["--epochs", "3", "--batch-size", "8"]


def write_topics(path, classes, rows=160):
    """Texts of a word of their class, and every ninth of another's; some hold markup."""
    lines = []
    for i in range(rows):
        topic = (i * 7 + (i % 9 == 0)) % classes
        lines.append({"text": f"w{i % classes} x{i % 5} y{i % 3} {HOSTILE[i % 4]}", "label": f"<b>l{topic}"})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def write_sets(path, rows=120):
    path.write_text("".join(json.dumps({"text": f"w{i % 4} v{i % 3}", "label": [f"l{i % 4}", f"m{i % 3}"]}) + "\n" for i in range(rows)))
    return path


def write_duplicates(path, rows=90):
    path.write_text("".join(f"how w{i} {HOSTILE[i % 3]}\twhy w{i % 60} again\n" for i in range(rows)))
    return path


def write_corpus(path):
    path.write_text("".join(f"a{i % 7} b{i % 5} a{i % 7} c{i % 3} </script>\n" for i in range(400)))
    return path


def train(folder, kind):
    run = folder / "run"
    if kind in ("binary", "linear", "mlp"):
        data = write_topics(folder / "t.jsonl", 2)
        extra = [] if kind == "binary" else ["--model", kind]
        semblance("train", "sentiment", "--train", data, "--run", run, "--split", "0.6,0.4,0", *SHORT, *extra)
    elif kind == "classes":
        semblance("train", "sentiment", "--train", write_topics(folder / "t.jsonl", 25, 500), "--run", run, "--split", "0.6,0.4,0", *SHORT)
    elif kind == "sets":
        semblance("train", "sentiment", "--train", write_sets(folder / "t.jsonl"), "--run", run, "--split", "0.6,0.4,0", *SHORT)
    elif kind == "one-epoch":
        semblance("train", "sentiment", "--train", write_topics(folder / "t.jsonl", 3), "--run", run, "--epochs", "1")
    elif kind == "no-dev":
        semblance("train", "sentiment", "--train", write_topics(folder / "t.jsonl", 3), "--run", run, "--split", "1,0,0", *SHORT)
    elif kind == "dssm":
        semblance("train", "dssm", "--train", write_duplicates(folder / "t.tsv"), "--run", run, "--split", "0.6,0.4,0", "--dim", "8", *SHORT)
    elif kind == "scored":
        (folder / "t.tsv").write_text("first\tsecond\tscore\n" + "".join(f"how w{i % 9} v{i % 4}\twhy w{i % 7} v{i % 3}\t{i % 5 / 5}\n" for i in range(90)))
        options = ["--columns", "first,second", "--score-column", "score", "--split", "0.6,0.4,0", "--dim", "8"]
        semblance("train", "dssm", "--train", folder / "t.tsv", "--run", run, *options, *SHORT)
    elif kind == "trigram":
        semblance("train", "trigram", "--vectors", WORDS, "--run", run, "--held-out", "0.3", *SHORT)
    elif kind == "word2vec":
        semblance("train", "word2vec", "--corpus", write_corpus(folder / "t.txt"), "--run", run, "--dim", "8", "--min-count", "1", "--epochs", "2")
    return run


KINDS = ["binary", "linear", "mlp", "classes", "sets", "one-epoch", "no-dev", "dssm", "scored", "trigram", "word2vec"]


class Page(html.parser.HTMLParser):
    """Tags with their attributes, and the texts of scripts and styles."""

    def __init__(self, path):
        super().__init__()
        self.text, self.tags, self.scripts, self.styles, self.cells, self.inside = path.read_text(encoding="utf-8"), [], [], [], [], None
        self.feed(self.text)
        self.content = json.loads(self.scripts[0])

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        self.inside = "td" if tag == "bdi" else None

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts.append(data)
        elif self.inside == "style":
            self.styles.append(data)
        elif self.inside in ("td", "th", "bdi") and self.cells:
            self.cells[-1] += data


@pytest.fixture(scope="module", params=KINDS)
def made(request, tmp_path_factory):
    """A run and its page."""
    folder = tmp_path_factory.mktemp(request.param)
    run = train(folder, request.param)
    result = semblance("report", run, "--output", folder / "page.html")
    return {"kind": request.param, "run": run, "folder": folder, "path": folder / "page.html", "page": Page(folder / "page.html"), "err": result.err}


def metrics(run):
    lines = (run / "metrics.tsv").read_text().splitlines()
    return lines[0].split("\t"), [[float(cell) if cell else None for cell in line.split("\t")] for line in lines[1:]]


def test_curves_are_those_of_metrics_tsv(made):
    history, cells = made["page"].content["history"], made["page"].cells
    columns, rows = metrics(made["run"])
    assert history["columns"] == columns and history["rows"] == rows
    drawn = [name for panel in history["panels"] for name in panel["columns"]]
    assert "train_loss" in drawn and "lr" in drawn and set(drawn) <= set(columns)
    for row in history["rows"]:
        assert all(str(json.dumps(cell)) in cells for cell in row if cell is not None)


def test_measures_are_those_recorded_and_those_that_evaluate_tells(made):
    content, (columns, rows) = made["page"].content, metrics(made["run"])
    if made["kind"] in ("no-dev", "word2vec"):
        assert content["evaluation"] is None and "held out no data" in content["left_out"][0]
        assert content["left_out"][0] in made["err"]
        return
    assert len(content["left_out"]) == (made["kind"] == "mlp")
    recorded = dict(zip(columns, rows[content["epoch"] - 1]))
    for name in ("loss", "accuracy", "macro_f1", "mrr", "mean_rank", "spearman", "cosine"):
        if f"valid_{name}" in recorded:
            assert content["evaluation"][name] == pytest.approx(recorded[f"valid_{name}"], abs=1e-5), name
    assert content["evaluation"]["examples"] > 0


def test_other_data_gives_what_evaluate_gives(made):
    kind, folder = made["kind"], made["folder"]
    if kind in ("trigram", "word2vec"):
        words = ["noemia noemi 5"] if kind == "trigram" else []
        data = folder / "set.txt"
        names = [line.split()[0] for line in WORDS.read_text().splitlines()[1:6]] if kind == "trigram" else ["a1", "a2", "b1", "b2", "c1"]
        data.write_text("".join(f"{a}\t{b}\t{i}\n" for i, (a, b) in enumerate(zip(names, names[1:]))) or "\n".join(words))
    else:
        data = folder / ("t.tsv" if kind in ("dssm", "scored") else "t.jsonl")
    semblance("report", made["run"], "--output", folder / "other.html", "--data", data)
    content = Page(folder / "other.html").content
    expected = semblance("evaluate", made["run"], data, "--json").json
    for key in ("seconds", "run", "checkpoint", "step", "epoch"):
        expected.pop(key)
    found = content["evaluation"]
    found.pop("hardest", None)
    if "per_class" in found:
        assert found.pop("classes") == len(expected["per_class"])
    confused = found.pop("confused", None)
    if kind == "classes":  # too many for a matrix
        matrix, labels = expected.pop("confusion"), [one["label"] for one in expected["per_class"]]
        wrong = sorted((count for i, row in enumerate(matrix) for j, count in enumerate(row) if i != j and count), reverse=True)
        assert [pair["texts"] for pair in confused] == wrong[:25] != []
        assert all(matrix[labels.index(pair["actual"])][labels.index(pair["predicted"])] == pair["texts"] for pair in confused)
    if kind == "dssm":  # which has more K
        for measure in ("hits", "dcg"):
            assert {k: found[measure][k] for k in expected[measure]} == expected.pop(measure)
            found.pop(measure)
    assert found == expected and content["measured"] == str(data)


def test_the_page_needs_nothing_beside_itself(made):
    page = made["page"]
    assert len(page.text.encode()) < 1_000_000
    for tag, attributes in page.tags:
        assert attributes.get("href", "#").startswith("#")
        assert not {"src", "style"} & set(attributes) and not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert tag not in ("link", "iframe", "object", "embed", "img", "base", "form")
    assert "@import" not in page.styles[0] and "url(" not in page.styles[0]
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "http" not in policy
    digest = lambda text: re.escape(f"'sha256-{__import__('base64').b64encode(hashlib.sha256(text.encode()).digest()).decode()}'")
    for text in [*page.styles, *page.scripts[1:]]:
        assert re.search(digest(text), policy)


def test_headings_captions_and_languages(made):
    tags = made["page"].tags
    assert ("html", {"lang": "en"}) in tags
    names = [tag for tag, _ in tags]
    assert names.count("h1") == 1 and names.count("title") >= 1 and names.count("caption") == names.count("table") > 1
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert all(a["aria-labelledby"] in ids for _, a in tags if "aria-labelledby" in a)


def test_hostile_texts_are_harmless(made):
    page = made["page"]
    assert [tag for tag, _ in page.tags].count("script") == 3
    assert "alert(1)</script>" not in page.text and "<!--" not in page.text and "<b>l" not in page.text
    if made["kind"] in ("binary", "linear", "mlp", "classes", "one-epoch"):
        hostile = [example["text"] for example in page.content["evaluation"]["hardest"] if "<script>" in example["text"]]
        assert hostile and all(text in page.cells for text in hostile)


def test_what_each_kind_of_run_shows(made):
    content, kind = made["page"].content, made["kind"]
    evaluation = content["evaluation"] or {}
    if kind in ("binary", "linear", "mlp", "classes", "sets", "one-epoch"):
        labels = semblance("inspect", made["run"], "--json").json["labels"]
        assert [one["label"] for one in evaluation["per_class"]] == labels
        bins = evaluation["reliability"]
        assert sum(b["examples"] for b in bins) == evaluation["examples"] * (len(labels) if kind == "sets" else 1)
        error = sum(b["examples"] * abs(b["confidence"] - b["accuracy"]) for b in bins) / sum(b["examples"] for b in bins)
        assert error == pytest.approx(evaluation["ece"], abs=1e-9)
        if kind != "sets":
            wrong = round((1 - evaluation["accuracy"]) * evaluation["examples"])
            assert len(evaluation["hardest"]) == min(wrong, 25) > 0
            assert sum(content["class_mix"].values()) == pytest.approx(1)
        surety = [e["probability"] if e["about"] in e["predicted"] else 1 - e["probability"] for e in evaluation["hardest"]]
        assert surety == sorted(surety, reverse=True)
        for example in evaluation["hardest"]:
            assert (example["about"] in example["actual"]) != (example["about"] in example["predicted"])
    if kind == "binary":
        top = semblance("inspect", made["run"], "--json", "--top-words", "15").json["top_words"][0]
        shown = {one["label"]: one["words"] for one in content["words"]}
        assert shown["<b>l1"] == [[w["word"], w["coefficient"]] for w in top["largest"]]
        assert shown["<b>l0"] == [[w["word"], w["coefficient"]] for w in top["smallest"]]
        assert 'class="numbers confusion"' in made["page"].text
    if kind == "classes":
        assert 'class="numbers confusion"' not in made["page"].text and "The most frequent mistakes" in made["page"].text
    if kind == "mlp":
        assert content["words"] is None and "The strongest words of each class are left out" in content["left_out"][0]
    if kind == "dssm":
        ranks = [example["rank"] for example in evaluation["hardest"]]
        assert ranks == sorted(ranks, reverse=True) and min(ranks) > 1
        for example in evaluation["hardest"]:
            assert example["nearest_similarity"] >= example["similarity"] and example["rank"] <= example["candidates"]
        shares = list(evaluation["hits"].values())
        assert shares == sorted(shares) and {"1", "2", "20"} <= set(evaluation["hits"])
    if kind == "trigram":
        assert len(evaluation["hardest"]) == min(evaluation["examples"], 25)
    if kind != "linear":  # of two classes, which has a number for each word
        names = [point[0] for point in content["map"]["points"]]
        assert len(names) == len(set(names)) > 5
        assert max(abs(x) for _, x, y, _ in content["map"]["points"]) == 1


def test_one_run_has_one_page(made):
    again = made["folder"] / "again.html"
    semblance("report", made["run"], "--output", again, "--threads", "2")
    assert again.read_bytes() == made["path"].read_bytes()


# In a browser

@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not CHROMIUM:
        pytest.skip("there is no chromium")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.mark.parametrize("width, scheme", [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_in_a_browser(made, browser, width, scheme):
    browser.open(made["path"], width, scheme)
    assert browser.problems == []
    assert browser.requests == [made["path"].resolve().as_uri()]
    assert browser.run("document.documentElement.scrollWidth") == width, "the page does not scroll sideways"
    panels = len(made["page"].content["history"]["panels"])
    assert browser.run("document.querySelectorAll('[data-panel] canvas').length") == panels
    background = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", background)[:3])) < 384) == (scheme == "dark")
    # Something other than the background is drawn in each chart.
    drawn = browser.run("[...document.querySelectorAll('canvas')].every(c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v))")
    assert drawn
    if made["page"].content["map"]:
        assert browser.run("document.querySelectorAll('[data-map] > svg > path').length") == len(made["page"].content["map"]["points"])
        browser.run("document.querySelector('[data-map] > svg').focus()")
        key = "document.querySelector('[data-map] > svg').dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowRight'}))"
        browser.run(key)
        told = browser.run("document.querySelector('[data-map] output').textContent")
        assert any(told == point[0] or told == f"{point[0]}: speaks for {point[3]}" for point in made["page"].content["map"]["points"])


CONTRAST = """(() => {
  const canvas = Object.assign(document.createElement('canvas'), {width: 1, height: 1}).getContext('2d', {willReadFrequently: true});
  const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255]; };
  let least = 99;
  for (const e of document.querySelectorAll('body *')) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !e.getClientRects().length || e.ownerSVGElement) continue;
    const a = light(rgb(getComputedStyle(e).color)), b = light(behind(e));
    least = Math.min(least, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  }
  return least;
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_stand_out_from_what_is_behind_them(made, browser, scheme):
    browser.open(made["path"], 1280, scheme)
    assert browser.run(CONTRAST) >= 4.5


def test_without_scripts_the_numbers_are_there(made, browser):
    browser.open(made["path"], scripts=False)
    assert browser.problems == []
    root = browser.ask("DOM.getDocument")["root"]["nodeId"]
    html_text = browser.ask("DOM.getOuterHTML", nodeId=root)["outerHTML"]
    assert all(json.dumps(row[3]) in html_text for row in made["page"].content["history"]["rows"])


# Data that is gone, runs that are not done, and what is refused

@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    write_topics(folder / "train.jsonl", 3), write_topics(folder / "dev.jsonl", 3, 60)
    semblance("train", "sentiment", "--train", "train.jsonl", "--valid", "dev.jsonl", "--run", "run", *SHORT, cwd=folder)
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "copy")


def report(folder, *options, **how):
    result = semblance("report", folder / "run", "--output", folder / "page.html", *options, **how)
    return result, Page(folder / "page.html").content if result.code == 0 else None


def test_inputs_are_found_around_the_run(folder):
    result, content = report(folder, cwd="/")
    assert content["left_out"] == [] and content["evaluation"]["hardest"] and result.err == ""


@pytest.mark.parametrize("change", ["gone", "a row more", "another label", "another text"])
def test_other_data_than_the_trainings_is_not_shown(folder, change):
    dev = folder / "dev.jsonl"
    lines = dev.read_text().splitlines(keepends=True)
    if change == "gone":
        dev.unlink()
    elif change == "a row more":
        dev.write_text("".join(lines + lines[:1]))
    elif change == "another label":
        dev.write_text("".join(lines).replace('l0"', 'l1"', 1))
    else:
        dev.write_text("".join(lines).replace("w0 x0", "w1 w1", 1))
    result, content = report(folder)
    recorded = metrics(folder / "run")
    assert "hardest" not in content["evaluation"] and "reliability" not in content["evaluation"]
    row = dict(zip(recorded[0], recorded[1][content["epoch"] - 1]))
    assert content["evaluation"]["accuracy"] == pytest.approx(row["valid_accuracy"], abs=1e-6), "as it was recorded"
    assert "dev.jsonl" in content["left_out"][0] if change == "gone" else "found other data" in content["left_out"][0]
    assert content["left_out"][0] in result.err
    _, content = report(folder, "--data", folder / "train.jsonl")
    assert content["left_out"] == [] and content["evaluation"]["hardest"]


def test_a_run_that_was_trained_from_a_pipe(tmp_path):
    texts = write_topics(tmp_path / "t.jsonl", 3).read_bytes()
    semblance("train", "sentiment", "--train", "-", "--run", tmp_path / "run", *SHORT, input=texts)
    result, content = report(tmp_path)
    assert "hardest" not in content["evaluation"] and "found a pipe" in content["left_out"][0]


def test_a_run_without_an_epoch(tmp_path):
    run = tmp_path / "run"
    write_duplicates(tmp_path / "t.tsv", 3000)
    options = ["--train", tmp_path / "t.tsv", "--run", run, "--dim", "64", "--batch-size", "2", "--epochs", "9", "--checkpoint-every", "1steps", "--threads", "1"]
    program = subprocess.Popen([str(BIN / "semblance"), "train", "dssm", *map(str, options)], stderr=subprocess.DEVNULL)
    while not list(run.glob("step-????????")):
        assert program.poll() is None
    program.send_signal(signal.SIGTERM)
    assert program.wait(timeout=60) == 128 + signal.SIGTERM
    result, content = report(tmp_path)
    assert content["history"] is None and content["evaluation"] is None and len(content["left_out"]) == 2
    assert "none were recorded with this checkpoint" in result.err
    _, content = report(tmp_path, "--data", tmp_path / "t.tsv")
    assert content["evaluation"]["hits"] and len(content["left_out"]) == 1


def test_a_run_that_was_stopped(tmp_path):
    run = tmp_path / "run"
    program = subprocess.Popen([str(BIN / "semblance"), *map(str, ["train", "trigram", "--vectors", WORDS, "--held-out", "0.3", "--run", run, "--epochs", "100000", "--threads", "1"])], stderr=subprocess.PIPE)
    for line in program.stderr:
        if line.startswith(b"epoch 3/"):
            break
    program.send_signal(signal.SIGTERM)
    program.stderr.read(), program.wait(timeout=60)
    semblance("report", run, "--output", tmp_path / "page.html")
    content = Page(tmp_path / "page.html").content
    assert content["evaluation"]["cosine"] and dict(content["facts"])["ended"].startswith("not yet: it stands in epoch ")
    (run / "metrics.tsv").unlink()
    result = semblance("report", run, "--output", tmp_path / "page.html")
    content = Page(tmp_path / "page.html").content
    assert content["history"] is None and "The curves are left out" in result.err


def test_thousands_of_classes_and_texts_of_any_length_stay_within_a_page(tmp_path):
    rows = [f"{'x' * 200 * (i % 2)}label{i}\tw{i} v{i}{' long' * (9999 if i == 3 else 0)}\n" for i in range(3000)]
    (tmp_path / "t.tsv").write_text("label\ttext\n" + "".join(rows) * 2)
    semblance("train", "sentiment", "--train", tmp_path / "t.tsv", "--run", tmp_path / "run", "--split-duplicates", "--epochs", "1", "--dim", "4", "--ngrams", "1", "--char-ngrams", "0")
    result, content = report(tmp_path)
    assert (tmp_path / "page.html").stat().st_size < 1_000_000
    assert content["evaluation"]["classes"] == 3000 and len(content["evaluation"]["per_class"]) == 100


def test_a_damaged_table_is_left_out(folder):
    table = folder / "run/metrics.tsv"
    table.write_text(table.read_text() + "4\t1\n")
    result, content = report(folder)
    assert content["history"] is None and "metrics.tsv:5: expected" in content["left_out"][0]


def test_where_the_page_goes(folder):
    page = folder / "page.html"
    page.write_text("before")
    assert semblance("report", folder / "run", "--output", folder / "none/page.html", check=False).code == MODEL
    result = semblance("report", folder / "run", "--output", page, "--data", folder / "nowhere", check=False)
    assert result.code == DATA and page.read_text() == "before" and sorted(os.listdir(folder)) == ["dev.jsonl", "page.html", "run", "train.jsonl"]
    told = semblance("report", folder / "run", "--output", page, "--json").json
    assert told == {"output": str(page), "bytes": page.stat().st_size, "run": str(folder / "run"), "checkpoint": told["checkpoint"]}
    assert semblance("report", folder / "run", "--output", "-").out.encode() == page.read_bytes()


@pytest.mark.parametrize("options, code, told", [
    ([], USAGE, "--output: expected a file to write, found none"),
    (["--output", "-", "--json"], USAGE, "--json: expected a file as --output, found -"),
    (["--output", "p.html", "--temperature", "2"], USAGE, "--temperature: expected --data beside it, found none"),
    (["--output", "p.html", "--data", "dev.jsonl", "--ties", "expected"], USAGE, "--ties: does not apply to a sentiment model"),
    (["--output", "p.html", "--checkpoint", "step-9"], MODEL, "step-9"),
])
def test_refusals(folder, options, code, told):
    result = semblance("report", "run", *options, check=False, cwd=folder)
    assert result.code == code and told in result.error
    assert not (folder / "p.html").exists()


def test_models_that_are_no_runs(folder):
    semblance("export", folder / "run", "--format", "small", "--output", folder / "small", "--tolerance", "1")
    for model in (folder / "small", ROOT / "tests/fixtures/static_folders/plain"):
        result = semblance("report", model, "--output", folder / "p.html", check=False)
        assert result.code == MODEL and f"{model}" in result.error and "expected a run folder, found a model without its training" in result.error
        assert not (folder / "p.html").exists()
