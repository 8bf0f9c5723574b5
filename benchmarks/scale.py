"""What several processes make of a training: predicted from the parts of a step, and measured. docs/scale.md has the result.

python3 benchmarks/scale.py ROWS.tsv [--batches 256,4096] [--ranks 2] [--network-gbytes 1 --latency-us 150]

ROWS.tsv: rows of duplicates. One thread a process.
"""

import argparse
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile

BIN = pathlib.Path(__file__).resolve().parent.parent / "build" / "release" / "bin"
# As models/nt_xent.cpp and models/blocks.h reckon, in nanoseconds.
PRODUCT, ROW = 0.02, 0.6


def parts_of_a_step(rows, dim, batch, steps):
    """Milliseconds of each part, by one thread."""
    out = subprocess.run([BIN / "dssm_step", rows, "1", str(dim), str(batch), str(steps)], check=True, capture_output=True, text=True).stdout
    parts = {name.strip(): float(ms) for name, ms in re.findall(r"^(\D+?)  +([\d.]+) ", out, re.M)}
    rate = float(re.search(r"([\d.]+) GFLOP/s", out)[1]) * 1e9
    return parts, rate


def predict(parts, rate, dim, batch, ranks, network, latency):
    """Milliseconds of a step, and of its communication, with so many ranks: what is shared and what all of them do."""
    others = 1 - 1 / ranks
    product = 2 * dim * batch * batch / rate * 1e3
    time, sent = parts["step"], 0.0
    results = [(PRODUCT * dim * batch + ROW * batch, batch * batch * 4), (PRODUCT * dim * batch, batch * dim * 4), (PRODUCT * dim * batch, batch * dim * 4)]
    for cost, size in results:
        if cost * batch * others > latency * 1e3 + size * others / network:
            time -= product * others
            sent += latency / 1e3 + size * others / network / 1e6
    return time + sent, sent


def measure(rows, dim, batch, ranks, environment):
    """Pairs a second and seconds of communication, told by rank 0."""
    with socket.socket() as found, tempfile.TemporaryDirectory() as folder:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
        found.close()
        command = [BIN / "semblance", "train", "dssm", "--train", rows, "--dim", str(dim), "--batch-size", str(batch), "--epochs", "1"]
        command += ["--split", "1,0,0", "--threads", "1", "--run", f"{folder}/run", "--json"]
        place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(ranks), "LOCAL_WORLD_SIZE": str(ranks)}
        processes = [
            subprocess.Popen(list(map(str, command)), env={**os.environ, **environment, **(place if ranks > 1 else {}), "RANK": str(r)}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            for r in range(ranks)
        ]
        report = json.loads([process.communicate()[0] for process in processes][0])
        return report["examples_per_second"], report.get("communication_seconds", 0.0), report["step"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rows")
    parser.add_argument("--dim", type=int, default=300)
    parser.add_argument("--batches", default="256,4096")
    parser.add_argument("--ranks", type=int, default=2)
    parser.add_argument("--network-gbytes", type=float, default=1)
    parser.add_argument("--latency-us", type=float, default=150)
    given = parser.parse_args()
    network = given.network_gbytes  # bytes a nanosecond
    for batch in map(int, given.batches.split(",")):
        parts, rate = parts_of_a_step(given.rows, given.dim, batch, max(20, 200_000 // batch))
        print(f"batch {batch}, {rate / 1e9:.0f} GFLOP/s; ms of one thread: " + ", ".join(f"{name} {ms:.2f}" for name, ms in parts.items()))
        for ranks in [1, given.ranks]:
            step, sent = predict(parts, rate, given.dim, batch, ranks, network, given.latency_us)
            pairs, seconds, steps = measure(given.rows, given.dim, batch, ranks, {})
            print(f"  {ranks} process(es): predicted {batch / step * 1e3:,.0f} pairs/s ({sent:.2f} ms of {step:.2f} sent), measured {pairs:,.0f} ({seconds / steps * 1e3:.2f} ms)")
        pairs, seconds, steps = measure(given.rows, given.dim, batch, given.ranks, {"SEMBLANCE_SHARE": "all"})
        print(f"  {given.ranks} process(es) that share whatever they can: measured {pairs:,.0f} ({seconds / steps * 1e3:.2f} ms)")
        for ranks in (8, 64):
            for name, speed, wait in (("10 Gbit/s", 1.1, 200), ("100 Gbit/s", 11, 60)):
                step, sent = predict(parts, rate, given.dim, batch, ranks, speed, wait)
                print(f"  {ranks} machines, {name}: predicted {batch / step * 1e3:,.0f} pairs/s ({sent:.2f} ms of {step:.2f} sent)")


if __name__ == "__main__":
    main()
