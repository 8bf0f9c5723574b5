"""A classifier's answers from its checkpoint, without semblance: python3 predict.py CHECKPOINT < TOKENS

TOKENS is what `semblance tokens RUN < TEXTS` prints, a line for each text; a line of JSON comes back for each. For runs of
`train sentiment --model mean`. checkpoints/README.md describes the files and the hashes. Needs numpy, safetensors and xxhash.
"""

import json
import pathlib
import sys

import numpy
import xxhash
from safetensors.numpy import load_file

WORD = 2**64 - 1


def mix(key, value):
    """The next number of a hash of numbers (SplitMix64)."""
    z = (key + 0x9E3779B97F4A7C15 * (value + 1)) & WORD
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


def char_ngrams(word, shortest, longest):
    marked = f"<{word}>"
    for first in range(len(marked)):
        for length in range(shortest, min(longest, len(marked) - first) + 1):
            if length > 1 or 0 < first < len(marked) - 1:
                yield marked[first : first + length]


class Classifier:
    def __init__(self, folder):
        folder = pathlib.Path(folder)
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.model, self.ngrams = manifest["model"], manifest["config"]["ngrams"]
        words = [line.split("\t")[0] for line in (folder / "vocabulary.txt").read_text(encoding="utf-8").split("\n")[:-1]]
        self.words = {word: i for i, word in enumerate(words) if i > 0}  # the first is the pad
        self.labels = [json.loads(line)["label"] for line in (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()]
        self.tensors = load_file(folder / "model.safetensors")
        # A bit for each bucket that has a row, the lowest of the first byte first; rows follow the words'.
        self.rows = None
        if (folder / "ngram_rows.bin").exists():
            bits = numpy.unpackbits(numpy.fromfile(folder / "ngram_rows.bin", numpy.uint8), bitorder="little")
            self.rows = numpy.where(bits, numpy.cumsum(bits, dtype=numpy.int64) - 1, -1)

    def bucket_id(self, bucket):
        row = bucket if self.rows is None else int(self.rows[bucket])
        return [] if row < 0 else [len(self.words) + 1 + row]

    def ids(self, tokens):
        options = self.ngrams
        known = [self.words[token] for token in tokens if token in self.words]
        ids = list(known)
        for i in range(len(known)):
            key = known[i]
            for word in known[i + 1 : i + options["ngrams"]]:
                key = mix(key, word)
                ids += self.bucket_id(key % options["buckets"])
        first = options["buckets"] if options["ngrams"] > 1 else 0
        for token in tokens if options["char-ngrams"] else []:
            for ngram in char_ngrams(token, options["min-char-ngrams"], options["char-ngrams"]):
                ids += self.bucket_id(first + xxhash.xxh3_64_intdigest(ngram.encode()) % options["char-buckets"])
        return ids

    def probabilities(self, tokens):
        table, weight, bias = (self.tensors[name] for name in ("embedding.weight", "layers.0.weight", "layers.0.bias"))
        ids = self.ids(tokens)
        mean = table[ids].mean(axis=0) if ids else numpy.zeros(table.shape[1], numpy.float32)
        logits = weight @ mean + bias
        if self.model["loss"] in ("bce", "bce-logits"):
            p = 1 / (1 + numpy.exp(-logits))
            return [1 - p[0], p[0]] if len(p) == 1 else list(p)
        exponentials = numpy.exp(logits - logits.max())
        return list(exponentials / exponentials.sum())


def main():
    classifier = Classifier(sys.argv[1])
    for line in sys.stdin.buffer.read().decode().split("\n")[:-1]:
        p = classifier.probabilities(line.split(" ") if line else [])
        print(json.dumps(dict(zip(classifier.labels, map(float, p))), ensure_ascii=False))


if __name__ == "__main__":
    main()
