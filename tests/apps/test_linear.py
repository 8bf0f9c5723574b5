"""TF-IDF: the linear model beside scikit-learn's, and token weights in the other models."""

import csv
import json

import pytest
from conftest import ROOT, semblance

USAGE, MODEL = 2, 4

LINEAR = ["--model", "linear", "--split", "1,0,0"]


def checkpoint(run):
    return run / (run / "LAST").read_text().strip()


def model_bytes(run):
    return (checkpoint(run) / "model.safetensors").read_bytes()


def load(run):
    tensors = pytest.importorskip("safetensors.numpy").load_file(checkpoint(run) / "model.safetensors")
    words = [line.split("\t")[0] for line in (checkpoint(run) / "vocabulary.txt").read_text().splitlines()]
    return words, tensors


def read_rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [row["text"] for row in rows], [row["label"] for row in rows]


TOKEN = r"(?u)[^\W_]+(?:'[^\W_]+)*"  # what --tokenizer words finds in lower-case text without punctuation


def test_idf_and_probabilities_are_scikit_learns(opinions, tmp_path):
    vectorizer = pytest.importorskip("sklearn.feature_extraction.text").TfidfVectorizer
    regression = pytest.importorskip("sklearn.linear_model").LogisticRegression
    run = tmp_path / "run"
    semblance("train", "sentiment", "--train", opinions, "--run", run, *LINEAR, "--epochs", "400", "--batch-size", "80")
    words, tensors = load(run)
    texts, labels = read_rows(opinions)
    theirs = vectorizer(token_pattern=TOKEN)
    features = theirs.fit_transform(texts)
    assert set(theirs.vocabulary_) == set(words[1:])
    for word, column in theirs.vocabulary_.items():
        assert tensors["embedding.idf"][words.index(word)] == pytest.approx(theirs.idf_[column], abs=1e-6)
    model = regression(tol=1e-8, max_iter=10000).fit(features, labels)
    asked = ["the film was awful", "loved the hotel", "superb", "book book book GREAT", "nothing known here"]
    answers = [line for line in semblance("predict", run, input="\n".join(asked) + "\n").out.splitlines()]
    for answer, probabilities in zip(answers, model.predict_proba(theirs.transform(asked))):
        answer = json.loads(answer)
        expected = dict(zip(model.classes_, probabilities))
        assert answer["probability"] == pytest.approx(expected[answer["label"]], abs=0.01)


@pytest.mark.parametrize("ngrams", [1, 2])
def test_as_accurate_as_scikit_learns_on_sst2(shared, tmp_path, ngrams):
    vectorizer = pytest.importorskip("sklearn.feature_extraction.text").TfidfVectorizer
    regression = pytest.importorskip("sklearn.linear_model").LogisticRegression
    train, test = (shared / f"data/sentiment/sst2/stsa.binary.{part}" for part in ("train", "test"))
    report = semblance("train", "sentiment", "--train", train, "--test", test, "--run", tmp_path / "run", *LINEAR, "--ngrams", ngrams, "--json").json
    (train_labels, train_texts), (test_labels, test_texts) = (zip(*(line.split(" ", 1) for line in path.read_text().splitlines())) for path in (train, test))
    theirs = vectorizer(token_pattern=TOKEN, ngram_range=(1, ngrams))
    model = regression(max_iter=1000).fit(theirs.fit_transform(train_texts), train_labels)
    assert report["test"]["accuracy"] == pytest.approx(model.score(theirs.transform(test_texts), test_labels), abs=0.003)


def test_top_words_are_the_largest_coefficients_of_scikit_learn(opinions, tmp_path):
    vectorizer = pytest.importorskip("sklearn.feature_extraction.text").TfidfVectorizer
    regression = pytest.importorskip("sklearn.linear_model").LogisticRegression
    run = tmp_path / "run"
    semblance("train", "sentiment", "--train", opinions, "--run", run, *LINEAR, "--epochs", "400", "--batch-size", "80")
    texts, labels = read_rows(opinions)
    theirs = vectorizer(token_pattern=TOKEN)
    model = regression(tol=1e-8, max_iter=10000).fit(theirs.fit_transform(texts), labels)
    coefficients = dict(zip(theirs.get_feature_names_out(), model.coef_[0]))
    top = semblance("inspect", run, "--top-words", "5", "--json").json["top_words"]
    positive = next(one for one in top if one["label"] == model.classes_[1])
    for side, sign in [("largest", 1), ("smallest", -1)]:
        expected = sorted(coefficients.values(), key=lambda c: -sign * c)[:5]
        assert [one["coefficient"] for one in positive[side]] == pytest.approx(expected, abs=0.05)
        for one in positive[side]:
            assert one["coefficient"] == pytest.approx(coefficients[one["word"]], abs=0.05)
    shown = semblance("inspect", run, "--top-words", "5").out
    assert all(one["word"] in shown for one in positive["largest"] + positive["smallest"])


def test_top_words_of_a_mean_are_embedding_times_layer(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("".join(f"__label__{name} the {word} of {name}s\n" for name in "abc" for word in ("red", "blue", "green")) * 20)
    run = tmp_path / "run"
    semblance("train", "sentiment", "--train", path, "--run", run, "--model", "mean", "--split", "1,0,0", "--epochs", "3", "--ngrams", "1", "--char-ngrams", "0")
    words, tensors = load(run)
    weights = tensors["embedding.weight"][1 : len(words)] @ tensors["layers.0.weight"].T
    top = semblance("inspect", run, "--top-words", "3", "--json").json["top_words"]
    assert [one["label"] for one in top] == ["a", "b", "c"]
    for output, one in enumerate(top):
        order = sorted(range(len(words) - 1), key=lambda i: -weights[i, output])
        assert [c["word"] for c in one["largest"]] == [words[1 + i] for i in order[:3] if weights[i, output] > 0]
        assert [c["word"] for c in one["smallest"]] == [words[1 + i] for i in order[::-1][:3] if weights[i, output] < 0]
        assert one["largest"][0]["coefficient"] == pytest.approx(weights[order[0], output], abs=1e-5)


@pytest.mark.parametrize("job", [["sentiment", "--model", "mlp"], ["sentiment", "--model", "flat", "--max-length", "9"], ["trigram"]])
def test_top_words_of_a_model_that_is_not_linear_are_refused(opinions, tmp_path, job):
    if job == ["trigram"]:
        job = ["trigram", "--vectors", ROOT / "tests/fixtures/words.vec"]
    else:
        job = [*job, "--train", opinions]
    semblance("train", *job, "--run", tmp_path / "run", "--epochs", "1")
    result = semblance("inspect", tmp_path / "run", "--top-words", "3", check=False)
    assert result.code == MODEL and ("linear" in result.error or "classifier" in result.error)


def test_multi_label_texts_are_one_against_the_rest(tmp_path):
    path = tmp_path / "labels.txt"
    lines = ["__label__a __label__b red and blue", "__label__a red alone", "__label__b blue alone", "__label__c green"] * 30
    path.write_text("\n".join(lines) + "\n")
    semblance("train", "sentiment", "--train", path, "--run", tmp_path / "run", *LINEAR, "--epochs", "40", "--linear-c", "100")
    out = semblance("predict", tmp_path / "run", input="red blue\ngreen\n").out.splitlines()
    assert '"a","b"' in out[0].replace(", ", ",") and '"c"' in out[1]


IDF_JOBS = {
    "linear": ["sentiment", *LINEAR, "--ngrams", "2", "--char-ngrams", "4", "--buckets", "500", "--char-buckets", "500"],
    "mlp": ["sentiment", "--token-weights", "idf", "--split", "0.8,0.2,0"],
    "dssm": ["dssm", "--token-weights", "idf", "--char-ngrams", "4", "--char-buckets", "500", "--dim", "16", "--negatives", "20"],
}


def write_rows(path):
    path.write_text("".join(f"how to w{i % 37} the v{i % 23}\tw{i % 37} a v{i % 23}\tv{i % 23} for w{i % 37}\n" for i in range(120)))
    return path


@pytest.mark.parametrize("job", IDF_JOBS)
def test_resumed_and_on_other_threads_the_same_bytes(opinions, tmp_path, job):
    data = write_rows(tmp_path / "rows.tsv") if job == "dssm" else opinions
    train = ["train", *IDF_JOBS[job], "--train", data, "--batch-size", "8"]
    semblance(*train, "--run", tmp_path / "whole", "--epochs", "4", "--schedule", "constant")
    semblance(*train, "--run", tmp_path / "part", "--epochs", "2", "--schedule", "constant", "--threads", "2")
    semblance("resume", tmp_path / "part", "--epochs", "4")
    assert model_bytes(tmp_path / "part") == model_bytes(tmp_path / "whole")


def test_token_weights_change_a_mean_as_their_formula_says(tmp_path):
    numpy = pytest.importorskip("numpy")
    run = tmp_path / "run"
    semblance("train", *IDF_JOBS["dssm"], "--train", write_rows(tmp_path / "rows.tsv"), "--run", run, "--char-ngrams", "0", "--epochs", "1")
    words, tensors = load(run)
    text = "how to w3 the unheard v5"
    vector = semblance("encode", run, "--output-format", "jsonl", input=text + "\n").json["vector"]
    ids = [words.index(word) for word in text.split() if word in words]
    idf, table = tensors["embedding.idf"][ids], tensors["embedding.weight"][ids]
    assert vector == pytest.approx((idf @ table / numpy.sum(idf)).tolist(), abs=1e-5)


def test_a_text_of_unknown_words_gets_an_answer(opinions, tmp_path):
    semblance("train", "sentiment", "--train", opinions, "--run", tmp_path / "run", *LINEAR)
    out = semblance("predict", tmp_path / "run", input="zzz yyy\n???\n").out
    assert len(out.splitlines()) == 2 and "null" not in out


@pytest.mark.parametrize(
    "options, told",
    [
        (["--model", "linear", "--weight-decay", "0.1"], "--weight-decay"),
        (["--model", "linear", "--pooling", "padded-mean"], "--pooling"),
        (["--model", "flat", "--max-length", "9", "--token-weights", "idf"], "--token-weights"),
        (["--pooling", "padded-mean", "--token-weights", "idf"], "--token-weights"),
        (["--model", "linear", "--linear-c", "0"], "--linear-c"),
    ],
)
def test_options_that_do_not_fit_are_usage_errors(opinions, tmp_path, options, told):
    result = semblance("train", "sentiment", "--train", opinions, "--run", tmp_path / "run", *options, check=False)
    assert result.code == USAGE and told in result.error and not (tmp_path / "run").exists()
