"""Files of labelled texts as people have them: what a training settles on, and what evaluate and predict make of it."""

import gzip
import json

import pytest
from conftest import semblance

DATA = 3
ADJECTIVES = [("loved the {}", "hated the {}"), ("great {} indeed", "awful {} indeed"), ("superb {} wow", "dreadful {} ugh")]
ROWS = [(label, text.format(noun)) for noun in ["film", "phone", "hotel", "book", "game", "pizza"] for pair in ADJECTIVES for label, text in zip(["positive", "negative"], pair)]
QUICK = ["--epochs", "1", "--threads", "1"]


def table(rows=ROWS, header="label,text", delimiter=","):
    return "".join(line + "\n" for line in [header, *(delimiter.join(row) for row in rows)] if line)


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def train(tmp_path, data, *options, check=True):
    return semblance("train", "sentiment", "--train", data, "--run", tmp_path / "run", *QUICK, *options, check=check)


# T5
def test_predict_answers_for_the_text_column_of_a_file_in_the_training_layout(tmp_path):
    data = write(tmp_path / "t.csv", table())
    train(tmp_path, data)
    labelled = semblance("predict", tmp_path / "run", data)
    plain = semblance("predict", tmp_path / "run", write(tmp_path / "t.txt", table([[text] for _, text in ROWS], "")))
    assert labelled.out == plain.out and len(labelled.out.splitlines()) == len(ROWS)
    assert "read as csv with header" in labelled.err and "an answer for each row" in labelled.err
    assert "read as lines: an answer for each line" in plain.err
    breaks = write(tmp_path / "ids.csv", 'id,text\n0,"loved the film\nsecond"\n1,"hated it"\n')
    assert len(semblance("predict", tmp_path / "run", breaks).out.splitlines()) == 2


# T5
def test_a_short_file_has_the_columns_of_the_training(tmp_path):
    rows = [("very " + label, text + " and a few words more") for label, text in ROWS]
    train(tmp_path, write(tmp_path / "t.tsv", table(rows, "", "\t")))
    short = write(tmp_path / "short.tsv", "very positive\twow\nvery negative\tugh\n")
    assert semblance("evaluate", tmp_path / "run", short, "--json").json["examples"] == 2
    assert len(semblance("predict", tmp_path / "run", short).out.splitlines()) == 2


# T5
def test_the_encoding_of_the_training_is_that_of_other_files_that_are_no_utf8(tmp_path):
    rows = [(label, text + " отличный" * (label == "positive") + " ужасный" * (label == "negative")) for label, text in ROWS]
    data = write(tmp_path / "t.csv", table(rows).encode("cp1251"))
    assert "--encoding" in train(tmp_path, data, check=False).error
    train(tmp_path, data, "--encoding", "cp1251")
    texts = "отличный фильм\nужасный\n"
    answers = semblance("predict", tmp_path / "run", write(tmp_path / "utf8.txt", texts))
    assert semblance("predict", tmp_path / "run", write(tmp_path / "cp1251.txt", texts.encode("cp1251"))).out == answers.out
    assert "no word" not in answers.err


# T3
def test_utf16_by_its_mark_gives_an_answer_a_line(trained, tmp_path):
    lines = write(tmp_path / "t.txt", "loved the film\r\nhated the film\r\n".encode("utf-16"))
    assert len(semblance("predict", trained, lines).out.splitlines()) == 2


# T3
def test_zeros_behind_a_gzip_member_are_padding(tmp_path):
    train(tmp_path, write(tmp_path / "t.csv.gz", gzip.compress(table().encode()) + bytes(512)))


# T4
def test_json_lines_are_trained_on_and_predicted(tmp_path):
    lines = [json.dumps(dict([("label", label), ("text", text)][:: 1 if i % 2 else -1])) for i, (label, text) in enumerate(ROWS)]
    data = write(tmp_path / "t.jsonl", "\n".join(lines))
    assert "read as jsonl, text in text, label in label" in train(tmp_path, data).err
    assert len(semblance("predict", tmp_path / "run", data).out.splitlines()) == len(ROWS)


# T8
@pytest.mark.parametrize(
    "text, message, tokenizer",
    [
        ("", "texts are all empty", "wordpunct"),
        ("\U0001f600 \u2764\ufe0f", "the same words", "wordpunct"),
        ("\U0001f600 \u2764\ufe0f", "no word in any", "words"),
        ("same text", "the same words", "wordpunct"),
    ],
)
def test_a_training_that_can_mean_nothing_is_refused(text, message, tokenizer, tmp_path):
    data = write(tmp_path / "t.csv", table([(label, text) for label, _ in ROWS]))
    result = train(tmp_path, data, "--tokenizer", tokenizer, check=False)
    assert result.code == DATA and message in result.error


# T8
def test_some_texts_without_words_are_counted(tmp_path):
    rows = [(label, text if i % 3 else "") for i, (label, text) in enumerate(ROWS)]
    assert "12 of 36 texts have no word (12 are empty)" in train(tmp_path, write(tmp_path / "t.csv", table(rows))).err


# T8
def test_a_class_that_a_part_lacks_is_told_and_stratify_gives_it_one(tmp_path):
    rows = ROWS * 5 + [("rare", f"needle {i}") for i in range(3)]
    rows = [(label, f"{text} {i}") for i, (label, text) in enumerate(rows)]
    data = write(tmp_path / "t.csv", table(rows))
    shares = ["--split", "0.4,0.3,0.3"]
    seeds = [train(tmp_path, data, *shares, "--seed", seed, "--overwrite").err for seed in "1234"]
    assert any("have no text in the" in err and "such as 'rare'" in err for err in seeds)
    for seed in "1234":
        assert "have no text" not in train(tmp_path, data, *shares, "--seed", seed, "--overwrite", "--stratify").err


# T9
def test_numbers_come_before_words_in_the_order_of_classes(tmp_path):
    rows = [(label, f"{text} {i}") for i, label in enumerate(["10", "nan", "9", "-1", "inf", "1e3"] * 10) for _, text in ROWS[:1]]
    assert "classes -1, 9, 10, 1e3, inf, nan" in train(tmp_path, write(tmp_path / "t.csv", table(rows))).err


# T9
@pytest.mark.parametrize("first, second", [("1", "1.0"), ("Good", "good"), ("ХОРОШО", "хорошо"), ("0", "-0")])
def test_classes_that_are_hardly_two_are_told(first, second, tmp_path):
    rows = [(label, f"{text} {i}") for i in range(20) for label, text in ((first, "fine"), (second, "fine"), ("2.5", "poor"))]
    said = train(tmp_path, write(tmp_path / "t.csv", table(rows))).err
    assert said.count("1 class(es) are another one written differently") == 1
    assert f"'{first}'" in said and f"'{second}'" in said


# T10
def test_letters_and_their_marks_are_one_letter_however_typed(tmp_path):
    rows = [(label, text.replace("film", "caf\u00e9")) for label, text in ROWS]
    train(tmp_path, write(tmp_path / "t.csv", table(rows)))
    forms = write(tmp_path / "forms.txt", "caf\u00e9\ncafe\u0301\n")
    one, other = semblance("predict", tmp_path / "run", forms).out.splitlines()
    assert one == other
    train(tmp_path, tmp_path / "t.csv", "--no-nfc", "--char-ngrams", "0", "--overwrite")
    assert "1 of 2 text(s) have no word" in semblance("predict", tmp_path / "run", forms).err


# T10
def test_scripts_without_blanks_are_learnt_by_their_characters(tmp_path):
    rows = [(str(i % 2), ("这家酒店太差了" if i % 2 else "这部电影非常好看") + str(i)) for i in range(40)]
    data = write(tmp_path / "t.csv", table(rows))
    assert "character n-grams 1-3" in train(tmp_path, data).err
    assert "--char-ngrams" in train(tmp_path, data, "--overwrite", "--char-ngrams", "0").err, "words alone are told of"
    assert "without blanks" not in train(tmp_path, data, "--overwrite", "--char-ngrams", "3", "--min-char-ngrams", "1").err


# T12
def test_what_is_kept_of_an_epoch_does_not_grow_with_the_classes(tmp_path):
    rows = [(f"c{i % 60}", f"word{i % 60} other{i}") for i in range(600)]
    report = train(tmp_path, write(tmp_path / "t.csv", table(rows)), "--json").json
    epoch = report["history"][0]
    assert "confusion" not in epoch["valid"] and "per_class" not in epoch["valid"] and "class_mix" not in epoch
    assert len(report["test"]["per_class"]) == 60
    few = train(tmp_path, write(tmp_path / "few.csv", table()), "--json", "--overwrite", "--split", "0.5,0.5,0").json
    assert "confusion" in few["history"][0]["valid"]


def test_many_classes_and_odd_labels_stand_beside_the_manifest(tmp_path):
    odd = ['say "no"', "a\tb", "line\nbreak", "back\\slash", "наклейка", "😀", "{}", "'", "null"]
    names = odd + [f"label number {i:05} of a long name" for i in range(1991)]
    rows = [json.dumps({"label": name, "text": f"{word}{i % 2000} other{i}"}) for i, name in enumerate(names * 2) for word in ["word"]]
    write(tmp_path / "t.jsonl", "\n".join(rows))
    report = train(tmp_path, tmp_path / "t.jsonl", "--split", "0.5,0.5,0", "--split-duplicates", "--class-weights", "balanced", "--json", "--dim", "4").json
    checkpoint = tmp_path / "run" / report["checkpoint"]
    for file in [checkpoint / "manifest.json", tmp_path / "run/metrics.tsv", tmp_path / "run/job.toml"]:
        assert file.stat().st_size < 100_000
    kept = [json.loads(line) for line in (checkpoint / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(kept) == 2000 and {one["label"] for one in kept} == set(names) and all(one["weight"] > 0 for one in kept)
    labels = semblance("inspect", tmp_path / "run", "--json").json["labels"]
    assert labels == [one["label"] for one in kept]
    answers = semblance("predict", tmp_path / "run", "--top-k", "2000", input="word1\n").json["labels"]
    assert sorted(answers) == sorted(labels)


def test_a_folder_for_each_class_is_read(tmp_path):
    for i, (label, text) in enumerate(ROWS):
        (tmp_path / "train" / label).mkdir(parents=True, exist_ok=True)
        write(tmp_path / "train" / label / f"{i}.txt", text)
    assert f"a folder for each class, a file for each text, {len(ROWS)} texts" in train(tmp_path, tmp_path / "train").err
    assert semblance("evaluate", tmp_path / "run", tmp_path / "train", "--json").json["examples"] == len(ROWS)
