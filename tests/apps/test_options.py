"""Options of reading, cleaning and training, by what they do to a small job."""

from xml.etree import ElementTree

import pytest
from conftest import QUICK, semblance

EVERYTHING = ["--split", "1,0,0", "--epochs", "1"]


def train(data, run, *options, **more):
    return semblance("train", "sentiment", "--train", data, "--run", run, *options, **more)


def vocabulary(run):
    """The words of a run's last checkpoint, in their order."""
    lines = (run / (run / "LAST").read_text().strip() / "vocabulary.txt").read_text(encoding="utf-8").splitlines()
    return [line.split("\t")[0] for line in lines[1:]]  # the first is the pad


# Reading


def test_a_layout_that_is_told_and_not_recognised(tmp_path):
    (tmp_path / "d.txt").write_text('label|text\ngood|fine "film\nbad|"dull" film\ngood|a|b\n')
    layout = ["--input-format", "csv", "--delimiter", "|", "--quoting", "none", "--bad-rows", "skip"]
    result = train(tmp_path / "d.txt", tmp_path / "r", *layout, *EVERYTHING)
    assert "csv with header, text in column 2 (text), label in column 1 (label), 2 texts" in result.err
    assert "left out 1 bad row(s)" in result.err
    result = train(tmp_path / "d.txt", tmp_path / "h", *layout, "--header", "no", "--label-column", "1", "--text-column", "2", *EVERYTHING)
    assert "csv without header, text in column 2, label in column 1, 3 texts" in result.err
    assert "text" in vocabulary(tmp_path / "h") and "text" not in vocabulary(tmp_path / "r")


def test_quotes_are_read_or_kept(tmp_path):
    (tmp_path / "d.tsv").write_text('label\ttext\ngood\t"one\tcell"\nbad\tdull film\n')
    assert "2 texts" in train(tmp_path / "d.tsv", tmp_path / "r", "--quoting", "rfc4180", *EVERYTHING).err
    result = train(tmp_path / "d.tsv", tmp_path / "none", "--quoting", "none", *EVERYTHING, check=False)
    assert result.code == 3 and ":2: expected 2 columns, found 3" in result.error


@pytest.mark.parametrize("option, value", [("--delimiter", "||"), ("--header", "maybe"), ("--quoting", "single"), ("--truncation", "both"), ("--min-count", "0"), ("--max-words", "-1"), ("--min-word-length", "0"), ("--momentum", "2"), ("--decay-epochs", "0"), ("--activation-slope", "x")])
def test_a_value_that_an_option_cannot_have_is_refused(option, value, opinions, tmp_path):
    result = train(opinions, tmp_path / "r", option, value, check=False)
    assert result.code == 2 and option in result.error


# Words


@pytest.fixture
def films(tmp_path):
    path = tmp_path / "films.csv"
    path.write_text("label,text\n" + "good,a fine film-noir\nbad,a dull film_noir of no wit\n" * 3 + "good,fine wit\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("options, words", [
    ([], "a film noir fine wit dull no of"),
    (["--min-word-length", "4"], "film noir fine dull"),
    (["--min-count", "4"], "a film noir fine wit"),
    (["--max-words", "2"], "a film"),
    (["--strip-characters", "-", "--tokenizer", "whitespace"], "a fine wit dull film film_noir no noir of"),
    (["--no-strip-punctuation", "--tokenizer", "whitespace"], "a fine wit dull film-noir film_noir no of"),
])
def test_which_words_a_model_knows(options, words, films, tmp_path):
    train(films, tmp_path / "r", "--tokenizer", "words", "--strip-punctuation", *options, *EVERYTHING)
    assert vocabulary(tmp_path / "r") == words.split(), "the commonest first, then by their bytes"


def test_stop_words_from_a_file_stay_with_the_model(films, tmp_path):
    stop_words = tmp_path / "stop words.txt"
    stop_words.write_text("\ufefffilm\r\n\r\n  noir \nне\n", encoding="utf-8")
    train(films, tmp_path / "r", "--stopwords", stop_words, *EVERYTHING)
    assert not {"film", "noir"} & set(vocabulary(tmp_path / "r"))
    stop_words.unlink()
    assert "1 of 2 text(s) have no word that the model knows" in semblance("predict", tmp_path / "r", input="film noir\nfine film\n").err

    result = train(films, tmp_path / "none", "--stopwords", stop_words, *EVERYTHING, check=False)
    assert result.code == 3 and "stop words.txt: cannot be opened" in result.error
    stop_words.write_bytes(b"film\n\xff\n")
    result = train(films, tmp_path / "none", "--stopwords", stop_words, *EVERYTHING, check=False)
    assert result.code == 3 and "stop words.txt:2: expected a stop word in UTF-8" in result.error


def test_a_long_text_is_cut_on_either_side(tmp_path):
    """Where only the last word tells, what is cut behind the first cannot be learnt."""
    (tmp_path / "d.csv").write_text("label,text\n" + "good,it was fine\nbad,it was dull\n" * 20)
    accuracy = {}
    for side in "pre", "post":
        report = train(tmp_path / "d.csv", tmp_path / side, "--truncation", side, "--max-length", "1", "--test", tmp_path / "d.csv", "--split", "1,0,0", "--epochs", "20", "--batch-size", "8", "--lr", "0.05", "--checkpoint-every", "100epochs", "--json").json
        accuracy[side] = report["test"]["accuracy"]
    assert accuracy == {"pre": 1, "post": 0.5}


# Training


def test_the_learning_rate_drops_every_so_many_epochs(opinions, tmp_path):
    report = train(opinions, tmp_path / "r", *QUICK, "--schedule", "step", "--decay-epochs", "2", "--decay", "0.5", "--checkpoint-every", "100epochs", "--json").json
    assert [record["lr"] for record in report["history"]] == pytest.approx([0.02, 0.02, 0.01, 0.01, 0.005, 0.005])


def test_momentum_and_slope_change_what_is_learnt(opinions, tmp_path):
    job = [*QUICK, "--epochs", "2", "--lr", "0.1", "--optimizer", "sgd", "--model", "mlp", "--activation", "leaky-relu", "--dropout", "0", "--json"]
    losses = {}
    for options in ((), ("--momentum", "0.9"), ("--activation-slope", "0.5")):
        report = train(opinions, tmp_path / "r", "--overwrite", *job, *options).json
        losses[options] = report["history"][-1]["train_loss"]
    assert len(set(losses.values())) == 3, losses


def test_tensorboard_can_be_left_out(opinions, tmp_path):
    train(opinions, tmp_path / "r", "--no-tensorboard", *EVERYTHING)
    names = {path.name for path in (tmp_path / "r").iterdir()}
    assert "metrics.tsv" in names and not any("tfevents" in name for name in names)


def test_curves_have_a_point_for_each_epoch(trained):
    svg = ElementTree.parse(trained / "curves.svg").getroot()
    lines = [line.get("points").split() for line in svg.iter("{http://www.w3.org/2000/svg}polyline")]
    assert [len(points) for points in lines] == [6, 6, 6], "training and validation loss, accuracy"
    assert all(0 <= float(x) <= float(svg.get("width")) and 0 <= float(y) <= float(svg.get("height")) for points in lines for x, y in (point.split(",") for point in points))


# Word sets


def test_words_count_whatever_their_case_unless_told_otherwise(tmp_path):
    (tmp_path / "v").write_text("4 2\nKing 1 0\nqueen 1 1\nrook 0 1\npawn 1 0.5\n")
    (tmp_path / "set").write_text("king QUEEN 9\nqueen rook 1\nrook pawn 5\n")
    examples = {switch: semblance("vectors", "evaluate", tmp_path / "v", tmp_path / "set", switch, "--json").json["examples"] for switch in ("--case-insensitive", "--no-case-insensitive")}
    assert examples == {"--case-insensitive": 3, "--no-case-insensitive": 2}
