"""--kernels libtorch: the code of a GPU on the CPU, which gives the numbers of the own kernels but for rounding."""

import json

import numpy
import pytest
from conftest import semblance

CLOSE = dict(rtol=2e-3, atol=2e-4)  # of weights, after some steps of optimizers that divide by small numbers


@pytest.fixture(scope="module")
def jobs(opinions, tmp_path_factory):
    folder = tmp_path_factory.mktemp("jobs")
    rows, corpus, vectors = folder / "rows.tsv", folder / "corpus.txt", folder / "words.vec"
    rows.write_text("".join(f"open the w{i % 17} {i % 40}\tw{i % 17} opens q{i % 40}\t{i % 40} how to w{i % 5}\n" for i in range(160)))
    corpus.write_text("".join(f"the w{i % 13} sat on w{i % 7} and w{i % 5} ran\n" for i in range(300)))
    generator = numpy.random.default_rng(5)
    vectors.write_text("90 8\n" + "".join(f"word{i}x{i * 7 % 31} {' '.join(f'{x:.4f}' for x in generator.normal(size=8))}\n" for i in range(90)))
    sentiment = ["sentiment", "--train", opinions, "--epochs", "3", "--batch-size", "8"]
    dssm = ["dssm", "--train", rows, "--epochs", "2", "--dim", "16", "--batch-size", "32"]
    return {
        "sentiment": sentiment,
        "sentiment, mlp": [*sentiment, "--model", "mlp", "--token-weights", "idf", "--class-weights", "balanced", "--clip-norm", "1"],
        "sentiment, dropout": [*sentiment, "--model", "mlp", "--dropout", "0.4", "--optimizer", "adamw"],
        "sentiment, padded": [*sentiment, "--model", "mlp", "--pooling", "padded-mean", "--zero-padding", "--max-norm", "1"],
        "sentiment, linear": [*sentiment, "--model", "linear"],
        "trigram": ["trigram", "--vectors", vectors, "--epochs", "3", "--batch-size", "16"],
        "dssm": [*dssm, "--projection", "8,6", "--learn-alpha", "--char-ngrams", "3"],
        "dssm, decay": [*dssm, "--weight-decay", "0.1", "--token-weights", "idf"],
        "dssm, rows": [*dssm, "--optimizer", "rowwise-adagrad", "--no-duplicates"],
        "word2vec": ["word2vec", "--corpus", corpus, "--min-count", "1", "--dim", "10", "--epochs", "2", "--full-softmax", "--batch-size", "512"],
    }


JOBS = ["sentiment", "sentiment, mlp", "sentiment, dropout", "sentiment, padded", "sentiment, linear", "trigram", "dssm", "dssm, decay", "dssm, rows", "word2vec"]


def weights(run):
    from safetensors.numpy import load_file

    return load_file(run / (run / "LAST").read_text().strip() / "model.safetensors")


@pytest.mark.parametrize("name", JOBS)
def test_trains_to_the_same_weights_and_resumes_exactly(jobs, tmp_path, name):
    for kernels in ("own", "libtorch"):
        semblance("train", *jobs[name], "--kernels", kernels, "--run", tmp_path / kernels)
    own, libtorch = weights(tmp_path / "own"), weights(tmp_path / "libtorch")
    assert own.keys() == libtorch.keys()
    for tensor in own:
        numpy.testing.assert_allclose(libtorch[tensor], own[tensor], **CLOSE, err_msg=tensor)
    semblance("train", *jobs[name], "--kernels", "libtorch", "--stop-after", "1", "--run", tmp_path / "parts")
    semblance("resume", tmp_path / "parts")
    for tensor, value in weights(tmp_path / "parts").items():
        assert (value == libtorch[tensor]).all(), tensor


def test_serves_the_same_answers(jobs, opinions, tmp_path):
    for name in ("sentiment", "dssm"):
        semblance("train", *jobs[name], "--run", tmp_path / name)
    for verb, run in (("predict", "sentiment"), ("encode", "dssm")):
        asked = "open the w3\na great film\n"
        own, libtorch = (semblance(verb, tmp_path / run, "--kernels", kernels, "--json", input=asked).out.splitlines() for kernels in ("own", "libtorch"))
        for a, b in zip(own, libtorch, strict=True):
            a, b = json.loads(a), json.loads(b)
            key = "probability" if verb == "predict" else "vector"
            assert b[key] == pytest.approx(a[key], abs=1e-5)
    reports = [semblance("evaluate", tmp_path / "sentiment", opinions, "--kernels", kernels, "--json").json for kernels in ("own", "libtorch")]
    assert reports[1]["loss"] == pytest.approx(reports[0]["loss"], abs=1e-5)


def test_a_small_model_answers_the_same(jobs, tmp_path):
    semblance("train", *jobs["sentiment"], "--run", tmp_path / "run")
    semblance("export", tmp_path / "run", "--format", "small", "--output", tmp_path / "small")
    own, libtorch = (semblance("predict", tmp_path / "small", "--kernels", kernels, input="a great film\n").json for kernels in ("own", "libtorch"))
    assert libtorch["probability"] == pytest.approx(own["probability"], abs=1e-5)
