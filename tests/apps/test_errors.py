"""Wrong inputs: the exit code, one line, and nothing of an earlier run lost."""

import gzip
import hashlib
import shutil

import pytest
from conftest import BIN, QUICK, semblance

USAGE, DATA, MODEL, DEVICE, DIVERGED = 2, 3, 4, 5, 6


def fingerprint(folder):
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def run(trained, tmp_path):
    """An earlier run that must survive."""
    copy = tmp_path / "earlier"
    shutil.copytree(trained, copy)
    return copy


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


BAD_DATA = {
    "an empty file": ("", "found an empty file"),
    "a header alone": ("label,text\n", "found none"),
    "one class only": ("label,text\ngood,a b\ngood,c d\n", "at least two classes"),
    "broken quoting": ('label,text\ngood,"a b\nbad,c d\n', ":2: "),
    "a row without a label": ("label,text\ngood,a b\nbad\n", ":3: expected 2 columns, found 1"),
    "an empty label": ("label,text\ngood,a b\n,c d\n", ":3: expected a label"),
    "texts instead of labels": ("label,text\n" + "".join(f"l{i},t{i}\n" for i in range(300)), "few different labels"),
}


@pytest.mark.parametrize("name", BAD_DATA)
def test_bad_data_is_told_by_file_and_line(name, run, tmp_path):
    content, message = BAD_DATA[name]
    data = write(tmp_path / "data.csv", content)
    before = fingerprint(run)
    result = semblance("train", "sentiment", "--train", data, "--run", run, "--overwrite", check=False)
    assert result.code == DATA
    assert str(data) in result.error and message in result.error
    assert fingerprint(run) == before


def test_bad_rows_can_be_left_out_and_are_counted(tmp_path, opinions):
    data = write(tmp_path / "data.csv", opinions.read_text() + "positive\nnegative,a,b\n")
    result = semblance("train", "sentiment", "--train", data, "--run", tmp_path / "r", "--bad-rows", "skip", *QUICK)
    assert "left out 2 bad row(s)" in result.err


def test_a_label_of_rutweetcorp_is_1_or_minus_1(tmp_path):
    row = '"1";"2";"u";"text";"{}";"0";"0";"0";"1";"1";"1";"0"\n'
    data = write(tmp_path / "p.csv", row.format(1) + row.format(-1) + row.format(7))
    result = semblance("train", "sentiment", "--train", data, "--run", tmp_path / "r", check=False)
    assert result.code == DATA and ":3: expected 1 or -1 in column 5, found '7'" in result.error


def test_a_missing_column_is_named(opinions, tmp_path):
    result = semblance("train", "sentiment", "--train", opinions, "--run", tmp_path / "r", "--text-column", "body", check=False)
    assert result.code == DATA
    assert "expected a column 'body' (--text-column), found: label, text" in result.error


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        result = semblance("train", "sentiment", "--train", path, "--run", tmp_path / "r", check=False)
        assert result.code == DATA and str(path) in result.error
    assert not (tmp_path / "r").exists()


def test_a_truncated_gzip(opinions, tmp_path):
    whole = gzip.compress(opinions.read_bytes())
    data = write(tmp_path / "data.csv.gz", whole[: len(whole) // 2])
    result = semblance("train", "sentiment", "--train", data, "--run", tmp_path / "r", check=False)
    assert result.code == DATA and "gzip stream is truncated" in result.error


def test_invalid_utf8_is_replaced_and_counted(opinions, tmp_path):
    data = write(tmp_path / "data.csv", opinions.read_bytes() + b"positive,caf\xe9\n")
    result = semblance("train", "sentiment", "--train", data, "--run", tmp_path / "r", *QUICK)
    assert "1 text(s) with ill-formed UTF-8" in result.err


WRONG_OPTIONS = [
    (["--epochs", "1x"], "--epochs"),
    (["--epochs", "0"], "--epochs"),
    (["--dim", "-5"], "--dim"),
    (["--lr", "nan"], "--lr"),
    (["--lr", "1e400"], "--lr"),
    (["--lr", ""], "--lr"),
    (["--batch-size", "99999999999999999999"], "--batch-size"),
    (["--hidden", "10,x"], "--hidden"),
    (["--model", "lstm"], "--model"),
    (["--split", "0.5,0.1,0.1"], "--split"),
    (["--checkpoint-every", "5"], "--checkpoint-every"),
    (["--metric", "f1"], "--metric"),
    (["--loss", "nll-loss"], "--loss"),
    (["--class-weights", "1,2,3"], "--class-weights"),
    (["--patience", "2", "--split", "1,0,0"], "--patience"),
    (["--char-ngrams", "3", "--min-char-ngrams", "4"], "--min-char-ngrams"),
    (["--char-ngrams", "3", "--pooling", "padded-mean"], "--char-ngrams"),
    (["--device", "gpu"], "--device"),
    (["--no-such-option"], "no-such-option"),
    (["--model", "flat"], "--max-length"),
]


@pytest.mark.parametrize("options,named", WRONG_OPTIONS, ids=[" ".join(o) for o, _ in WRONG_OPTIONS])
def test_a_wrong_option_is_named(options, named, opinions, run):
    before = fingerprint(run)
    result = semblance("train", "sentiment", "--train", opinions, "--run", run, "--overwrite", *options, check=False)
    assert result.code == USAGE
    assert named in result.error
    assert fingerprint(run) == before


def test_an_explicit_loss_that_does_not_fit(tmp_path):
    data = write(tmp_path / "d.csv", "label,text\n" + "a,x y\nb,y z\nc,z x\n" * 20)
    result = semblance("train", "sentiment", "--train", data, "--run", tmp_path / "r", "--loss", "bce", check=False)
    assert result.code == USAGE and "--loss: expected cross-entropy or nll for 3 classes" in result.error


def test_a_missing_cuda_device(opinions, tmp_path):
    if "cuda:7" in semblance("version").out:
        pytest.skip("this machine has eight CUDA devices")
    result = semblance("train", "sentiment", "--train", opinions, "--run", tmp_path / "r", "--device", "cuda:7", check=False)
    assert result.code == DEVICE and "--device" in result.error
    assert not (tmp_path / "r").exists()


def test_an_occupied_run_folder_is_refused(opinions, run):
    before = fingerprint(run)
    result = semblance("train", "sentiment", "--train", opinions, "--run", run, check=False)
    assert result.code == USAGE and "--overwrite" in result.error
    assert fingerprint(run) == before


def test_training_that_diverges(opinions, tmp_path):
    wild = ["--lr", "1e6", "--optimizer", "sgd", "--embedding-std", "100", "--activation", "leaky-relu", "--hidden", "10,10,10", "--dropout", "0"]
    result = semblance("train", "sentiment", "--train", opinions, "--run", tmp_path / "r", "--epochs", "5", *wild, check=False)
    assert result.code == DIVERGED and "not finite" in result.error


@pytest.mark.parametrize("verb", [["resume"], ["predict"], ["inspect"], ["evaluate"]])
@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "garbage"])
def test_a_damaged_checkpoint(verb, damage, run, opinions):
    for checkpoint in run.glob("step-*"):
        model = checkpoint / "model.safetensors"
        content = bytearray(model.read_bytes())
        if damage == "truncate":
            model.write_bytes(content[:-100])
        elif damage == "flip":
            content[-10] ^= 1
            model.write_bytes(content)
        elif damage == "garbage":
            (checkpoint / "manifest.json").write_text("[")
        else:
            model.unlink()
    result = semblance(*verb, run, *([opinions] if verb == ["evaluate"] else []), input="a text\n", check=False)
    assert result.code == MODEL and result.out == ""
    assert "step-" in result.error


def test_resume_falls_back_to_the_checkpoint_before(trained, run):
    newest = sorted(run.glob("step-*"))[-1]
    (newest / "model.safetensors").write_bytes(b"")
    result = semblance("resume", run)
    assert "trying the one before" in result.err
    whole = sorted(trained.glob("step-*"))[-1] / "model.safetensors"
    assert (newest / "model.safetensors").read_bytes() == whole.read_bytes()


def test_a_checkpoint_of_another_model(run):
    """Tensors of another shape under a manifest that agrees with them."""
    other = run.parent / "other"
    semblance("train", "sentiment", "--config", run / "job.toml", "--dim", "4", "--run", other)
    here, there = sorted(run.glob("step-*"))[-1], sorted(other.glob("step-*"))[-1]
    shutil.copy(there / "model.safetensors", here / "model.safetensors")
    result = semblance("predict", run, "--checkpoint", "last", input="x\n", check=False)
    assert result.code == MODEL


def test_data_that_changed_since_the_checkpoint(run, opinions, tmp_path):
    changed = write(tmp_path / "opinions.csv", opinions.read_text() + "positive,one more\n")
    job = (run / "job.toml").read_text()
    newest = sorted(run.glob("step-*"))[-1]
    fresh = tmp_path / "fresh"
    semblance("train", "sentiment", "--train", changed, "--run", fresh, *QUICK)
    write(changed, opinions.read_text())
    result = semblance("resume", fresh, "--epochs", "9", check=False)
    assert result.code == DATA and "training data" in result.error


def test_a_disk_that_is_full(opinions, run):
    """A file-size limit makes the write fail in the middle, as a full disk does."""
    before = fingerprint(run)
    result = semblance("train", "sentiment", "--train", opinions, "--run", run.parent / "new", "--dim", "200", *QUICK, limit="-f 8", check=False)
    assert result.code == MODEL and "cannot be written" in result.error
    assert not list((run.parent / "new").glob("step-*")), "nothing half-written stays"
    assert fingerprint(run) == before


def test_a_folder_that_cannot_be_written(opinions, tmp_path):
    result = semblance("train", "sentiment", "--train", opinions, "--run", "/proc/semblance", *QUICK, check=False)
    assert result.code == MODEL and "/proc/semblance" in result.error


def test_usage_errors_of_every_verb(tmp_path):
    for arguments in ([], ["fly"], ["train"], ["train", "poetry"], ["resume"], ["evaluate", "x"], ["predict"], ["inspect"], ["version", "x"]):
        result = semblance(*arguments, check=False)
        assert result.code == USAGE, arguments
        assert result.error and result.out == ""
    assert semblance("predict", tmp_path / "none", check=False).code == MODEL
