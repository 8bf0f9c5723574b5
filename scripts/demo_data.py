"""Makes train.tsv, valid.tsv and test.tsv of rated texts: demo_data.py SOURCE FOLDER

SOURCE is vaderSentiment's source package (.tar.gz), or a CSV file with the columns label and text. Copies of one
text fall into one part. The same source gives the same files.
"""

import csv
import io
import random
import re
import sys
import tarfile
from pathlib import Path

SEED = 1
SHARES = {"train": 0.8, "valid": 0.1, "test": 0.1}
RATED = ["movieReviewSnippets", "amazonReviewSnippets", "tweets"]
INNER = "additional_resources/hutto_ICWSM_2014.tar.gz"


def member(archive: tarfile.TarFile, ending: str) -> bytes:
    for entry in archive.getmembers():
        if entry.isfile() and entry.name.endswith(ending) and not Path(entry.name).name.startswith("._"):
            return archive.extractfile(entry).read()
    sys.exit(f"demo_data: error: {archive.name}: expected a file {ending}, found none")


def read_vader(path: Path):
    with tarfile.open(path) as package:
        inner = member(package, INNER)
    with tarfile.open(fileobj=io.BytesIO(inner)) as archive:
        for name in RATED:
            lines = member(archive, f"/{name}_GroundTruth.txt").decode("utf-8", errors="replace")
            for line in lines.split("\n"):
                if not line.strip():
                    continue
                _, rating, text = line.rstrip("\r").split("\t", 2)
                yield ("positive" if float(rating) > 0 else "negative"), text


def read_csv(path: Path):
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["label"], row["text"]


def one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def main() -> None:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    rows = [(label, one_line(text)) for label, text in (read_csv if source.suffix == ".csv" else read_vader)(source)]

    copies: dict[str, list[tuple[str, str]]] = {}
    for label, text in rows:
        copies.setdefault(text.casefold(), []).append((label, text))
    texts = sorted(copies)
    random.Random(SEED).shuffle(texts)

    folder.mkdir(parents=True, exist_ok=True)
    begin = 0
    share = 0.0
    for part, size in SHARES.items():
        share += size
        end = round(share * len(texts))
        chosen = [row for text in texts[begin:end] for row in copies[text]]
        begin = end
        with open(folder / f"{part}.tsv", "w", encoding="utf-8", newline="\n") as file:
            file.write("label\ttext\n")
            file.writelines(f"{label}\t{text}\n" for label, text in chosen)
        positive = sum(label == "positive" for label, _ in chosen)
        print(f"{folder / part}.tsv: {len(chosen)} texts, {positive / max(1, len(chosen)):.0%} positive")


if __name__ == "__main__":
    main()
