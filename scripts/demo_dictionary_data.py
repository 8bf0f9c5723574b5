"""Makes a reverse dictionary's rows of WordNet: demo_dictionary_data.py WORDNET FOLDER

WORDNET is the folder of data.noun, data.verb, … (Debian: wordnet-base, /usr/share/wordnet). Writes to FOLDER
train.tsv: a definition and the words that it defines, a row for each meaning;
valid.tsv, test.tsv: meanings held out: a definition, the first of its words, and 999 words of other meanings;
words.txt: all words. A meaning is held out only if no other has its definition, and its word another meaning that is
trained on. The same files give the same rows.
A word that is to be found stands as =word, =two =words: another token than the same word within a definition, which
would else be the nearest to it. Tokens stand between blanks.
"""

import random
import re
import sys
from collections import Counter
from pathlib import Path

SEED = 1
HELD_OUT = 1500  # meanings for each of valid.tsv and test.tsv
NEGATIVES = 999


def tokens(text: str) -> list[str]:
    return [token for word in re.sub(r"[^\w'\s]", " ", text).split() if (token := word.strip("'"))]


def read_meanings(folder: Path):
    """(definition, words) of each meaning, in the files' order."""
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="utf-8").splitlines():
            if line.startswith("  "):
                continue
            data, _, gloss = line.partition(" | ")
            fields = data.split(" ")
            count = int(fields[3], 16)
            words = [re.sub(r"\((a|p|ip)\)$", "", word).replace("_", " ") for word in fields[4 : 4 + 2 * count : 2]]
            marked = [" ".join("=" + token for token in tokens(word)) for word in words]
            definition = " ".join(tokens(re.sub(r'"[^"]*"?', "", gloss)))  # between quotes stand examples
            if definition:
                yield definition, [word for word in dict.fromkeys(marked) if word]


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    wordnet, folder = Path(sys.argv[1]), Path(sys.argv[2])
    if not (wordnet / "data.noun").is_file():
        sys.exit(f"demo_dictionary_data: error: {wordnet}: expected WordNet's data.noun, found none")
    meanings = list(read_meanings(wordnet))
    words = sorted({word for _, own in meanings for word in own})

    draw = random.Random(SEED)
    order = list(range(len(meanings)))
    draw.shuffle(order)
    left = Counter(word for _, own in meanings for word in own)  # meanings that are still to be trained on
    copies = Counter(definition.casefold() for definition, _ in meanings)
    held_out, sought = [], set()
    for i in order:
        definition, own = meanings[i]
        needed = [own[0], *(word for word in own if word in sought)]
        if len(held_out) < 2 * HELD_OUT and copies[definition.casefold()] == 1 and all(left[word] > 1 for word in needed):
            held_out.append(i)
            sought.add(own[0])
            for word in own:
                left[word] -= 1
    parts = {"valid": held_out[:HELD_OUT], "test": held_out[HELD_OUT:]}

    folder.mkdir(parents=True, exist_ok=True)
    training = sorted(set(range(len(meanings))) - set(held_out))
    rows = {"train": ["\t".join([meanings[i][0], *meanings[i][1]]) for i in training]}
    for part, chosen in parts.items():
        rows[part] = []
        for i in chosen:
            definition, own = meanings[i]
            spellings = {word.casefold() for word in own}
            drawn = draw.sample(words, NEGATIVES + 100)
            negatives = [word for word in drawn if word.casefold() not in spellings][:NEGATIVES]
            rows[part].append("\t".join([definition, own[0], *negatives]))
    for part, lines in rows.items():
        (folder / f"{part}.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"{folder / part}.tsv: {len(lines)} meanings")
    (folder / "words.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    print(f"{folder}/words.txt: {len(words)} words")


if __name__ == "__main__":
    main()
