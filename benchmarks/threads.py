"""What threads are worth: whole trainings with one thread and with the default number, on the machine as it is and
beside as many busy loops as there are CPUs.

  python3 benchmarks/threads.py [PROGRAM …] [--runs 5] [--jobs questions,imdb,trigram,banking77,duplicates]

Several programs (build/release/bin/semblance unless given) run in turn, so that drift meets them alike. The real sets
are looked for in $SEMBLANCE_SHARED, or ../shared; jobs whose data is not there are left out. Times are medians of
seconds; `others` is how many CPUs other programs took meanwhile, the busy loops among them.
"""

import argparse
import contextlib
import hashlib
import os
import pathlib
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHARED = pathlib.Path(os.environ.get("SEMBLANCE_SHARED", ROOT.parent / "shared"))
CPUS = len(os.sched_getaffinity(0))


def make_questions(folder):
    """5,452 short questions in six classes: the TREC set's shape."""
    generator = random.Random(1)
    words = [f"w{i}" for i in range(8700)]
    weights = [1 / (i + 2) for i in range(len(words))]
    with open(folder / "questions.tsv", "w") as out:
        for i in range(5452):
            label = generator.randrange(6)
            common = generator.choices(words, weights, k=generator.randint(5, 12))
            own = [f"c{label}x{int(generator.paretovariate(1))}" for _ in range(generator.randint(1, 3))]
            out.write(f"class{label}\t{' '.join(generator.sample(common + own, len(common + own)))} ?\n")
    return ["sentiment", "--train", folder / "questions.tsv"]


def make_duplicates(folder):
    maker = SHARED / "peers/make_duplicates.py"
    if maker.exists():
        subprocess.run([sys.executable, maker, folder, "--rows", "100000", "--queries", "10"], check=True)
    return ["dssm", "--train", folder / "train.tsv", "--dim", "300", "--epochs", "2", "--split", "1,0,0"]


JOBS = {
    "questions": make_questions,
    "imdb": lambda _: ["sentiment", "--train", SHARED / "data/sentiment/imdb/train.tsv.gz", "--label-column", "1", "--text-column", "4", "--config", ROOT / "apps/jobs/reviews.toml"],
    "trigram": lambda _: ["trigram", "--vectors", SHARED / "data/vectors/imdb_sg_100d.vec.gz", "--limit", "50000", "--epochs", "3"],
    "banking77": lambda _: ["dssm", "--train", SHARED / "data/duplicates/banking77/pairs_train.tsv", "--split", "1,0,0", "--char-ngrams", "5", "--char-buckets", "50000", "--dim", "300", "--alpha", "0.2", "--epochs", "5"],
    "duplicates": make_duplicates,
}


def busy_seconds():
    """CPU time that the machine has spent, idling left out."""
    times = [int(t) for t in open("/proc/stat").readline().split()[1:]]
    return (sum(times[:3]) + sum(times[5:8])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def busy_loops(count):
    loops = [subprocess.Popen(["yes"], stdout=subprocess.DEVNULL) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def measure(program, arguments, threads, run):
    """Wall seconds, CPU seconds, what else took of the CPUs, and the fingerprint of what was learnt."""
    command = [str(program), "train", *map(str, arguments), "--run", str(run), "--overwrite"] + (["--threads", str(threads)] if threads else [])
    busy, used, start = busy_seconds(), resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wall = time.perf_counter() - start
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    last = run / (run / "LAST").read_text().strip()
    learnt = hashlib.sha256(b"".join((last / f"{name}.safetensors").read_bytes() for name in ("model", "optimizer"))).hexdigest()
    return wall, cpu, max(0, busy_seconds() - busy - cpu) / wall, learnt


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", type=pathlib.Path, default=[ROOT / "build/release/bin/semblance"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jobs", default=",".join(JOBS))
    parser.add_argument("--loads", default="idle,busy")
    options = parser.parse_args()
    variants = [(program, threads) for program in options.programs for threads in (1, 0)]
    print(f"{CPUS} CPUs, medians of {options.runs} runs; busy: beside {CPUS} busy loops")
    print(f"{'job':<11}{'load':<6}{'threads':<8}{'wall':>8}{'cpu':>8}{'least':>8}{'most':>8}{'others':>8}{'ratio':>8}   program")
    with tempfile.TemporaryDirectory() as temporary:
        for name in options.jobs.split(","):
            arguments = JOBS[name](pathlib.Path(temporary))
            if not pathlib.Path(arguments[2]).exists():
                print(f"{name:<11}no data at {arguments[2]}")
                continue
            learnt = set()
            for load in options.loads.split(","):
                found = {variant: [] for variant in variants}
                with busy_loops(CPUS if load == "busy" else 0):
                    for _ in range(options.runs):
                        for variant in variants:
                            found[variant].append(measure(variant[0], arguments, variant[1], pathlib.Path(temporary) / "run"))
                            learnt.add(found[variant][-1][3])
                for (program, threads), results in found.items():
                    wall, cpu, others = (statistics.median(r[i] for r in results) for i in range(3))
                    one = statistics.median(r[0] for r in found[program, 1])
                    walls = [r[0] for r in results]
                    print(f"{name:<11}{load:<6}{threads or 'default':<8}{wall:8.2f}{cpu:8.2f}{min(walls):8.2f}{max(walls):8.2f}{others:8.2f}{wall / one:8.2f}   {program}", flush=True)
            if len(learnt) > 1:
                raise SystemExit(f"{name}: {len(learnt)} different results")


if __name__ == "__main__":
    main()
