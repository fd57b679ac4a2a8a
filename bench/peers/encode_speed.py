#!/usr/bin/env python3
"""Texts a second of `honeyguide encode` beside sentence-transformers, same texts, same threads.

    python bench/peers/encode_speed.py [--threads 1 2] [--plots 500] [--dtype fp32 bf16] [--out bench/results/encode.md]

Best of `--repeats`, loading the model not counted. Wall time is what a user waits; CPU time per text is what
can be compared on a machine that others use too. bf16 is left out where the processor has no such products, unless it is asked for.
Needs deps/peers.txt, ../shared and the model folder.
"""
import argparse
import csv
import gzip
import io
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from machine import describe_machine  # noqa: E402
from limits import measure  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / ".cache/models/all-MiniLM-L6-v2"
PAGE = """# encode beside sentence-transformers

`bench/run.sh encode`: all-MiniLM-L6-v2, the same texts and threads; loading not counted. {machine}

| texts | threads | precision | honeyguide texts/s | peer texts/s | honeyguide CPU ms/text | peer CPU ms/text | honeyguide GFLOP/s | products of 1,024 x 1,024 in fp32, GFLOP/s |
|---|---|---|---|---|---|---|---|---|
{rows}

The limit it runs into is the last column: a token needs {mflop:.0f} MFLOP in products with weights, which are all that is counted (not attention,
and a title is too short to fill them). `--dtype bf16` is a choice, fp32 the default: on a processor with bf16 products (AMD EPYC with AVX-512, program
of commit b978c47) bf16 was 2.4 to 2.8 times fp32 (178 plots/s beside 66 on two threads; sentence-transformers 149 and 55), on another of that kind 1.7 to 1.9 times (100 beside
53; 84 and 43), on one without them
it is 6 times slower than fp32. Vectors differ by up to .0042 (cosine >= .9998).

On one NVIDIA H200 (`--device cuda`, libtorch 2.11 with CUDA 13.0, program of commit 9a2e667): 3,000 plots in 2.5 s with either
precision, 1.1 s of which is the start; 46 and 22 s on two threads of the processor beside it (fp32, bf16). Vectors differ by 2.5e-7 from the processor's in fp32,
by .0027 in bf16. Before, bf16 took 19 to 25 s there: cuDNN planned its attention anew for every length of a batch.

`python bench/peers/encode_check.py`: 1,000 real titles and plots and 512 hostile texts (1 MB, emoji, CJK,
marks, controls, empty): 0 texts with other tokens; largest difference of a vector's number 2.24e-07 (real) and
2.16e-07 (hostile); smallest cosine .9999998.
"""


def rows(path):
    with gzip.open(path) as file:
        return list(csv.DictReader(io.TextIOWrapper(file, "utf8")))


def peer(arguments):
    """Runs in a process of its own, so that its thread count is its own. Prints wall and CPU seconds."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(arguments.peer)
    texts = [json.loads(line) for line in arguments.file.read_text().splitlines()]
    model = SentenceTransformer(str(MODEL), device="cpu")
    if arguments.dtype[0] == "bf16":
        model = model.bfloat16()
    model.encode(texts[:32])
    best = [1e9, 1e9]
    for _ in range(arguments.repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        model.encode(texts, batch_size=32)
        best = [min(best[0], time.perf_counter() - wall), min(best[1], time.process_time() - cpu)]
    tokens = sum(map(len, model.tokenizer(texts, truncation=True, max_length=model.max_seq_length)["input_ids"]))
    print(*best, tokens)


def mflop_of_a_token():
    """Multiplications and additions of the products with weights: query, key, value, out, and a hidden layer. Attention is left out."""
    config = json.loads((MODEL / "config.json").read_text())
    wide, hidden = config["hidden_size"], config["intermediate_size"]
    return 2 * config["num_hidden_layers"] * (4 * wide**2 + 2 * wide * hidden) / 1e6


def has_short_products():
    return any(flag in pathlib.Path("/proc/cpuinfo").read_text() for flag in ("avx512_bf16", "amx_bf16"))


def environment(threads):
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}


def run_once(arguments, lines, threads, dtype):
    """Wall seconds as the program reports them (without loading its libraries) and CPU seconds of all of it."""
    with tempfile.TemporaryDirectory() as folder:
        part = pathlib.Path(folder) / "texts.jsonl"
        part.write_text(lines)
        process = subprocess.Popen(
            [arguments.binary, "-q", "encode", "--model", MODEL, "--texts", part, "--out",
             pathlib.Path(folder) / "v.safetensors", "--dtype", dtype],
            stdout=subprocess.PIPE, env=environment(threads),
        )
        out = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"honeyguide encode failed: {status}")
    return float(re.search(r"([\d.]+) s$", out.strip())[1]), usage.ru_utime + usage.ru_stime


def ours(arguments, file, threads, dtype):
    """One text costs just the loading, which is taken off."""
    lines = file.read_text()
    best = []
    for part in (lines.splitlines(True)[0], lines):
        runs = [run_once(arguments, part, threads, dtype) for _ in range(arguments.repeats)]
        best.append((min(wall for wall, _ in runs), min(cpu for _, cpu in runs)))
    return best[1][0] - best[0][0], best[1][1] - best[0][1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/honeyguide")
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--plots", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--dtype", nargs="+", default=["fp32", "bf16"] if has_short_products() else ["fp32"])
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--peer", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        return peer(arguments)
    small = arguments.shared / "data/ml-100k/items.csv.gz"
    large = arguments.shared / "data/ml-1m/items.csv.gz"
    if not small.exists() or not large.exists() or not (MODEL / "model.safetensors").exists():
        print("SKIPPED: needs ../shared and the model folder")
        return 77
    plots = [row["description"] for row in rows(large) if row["description"]]
    sets = {
        "ml-100k titles": [row["title"] for row in rows(small)],
        "ml-1m plots": plots[:: max(1, len(plots) // arguments.plots)][: arguments.plots],
    }
    limits = {threads: measure(threads)["gflops"] for threads in arguments.threads}
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for dtype, (name, texts), threads in itertools.product(arguments.dtype, sets.items(), arguments.threads):
            file = pathlib.Path(folder) / "texts.jsonl"
            file.write_text("".join(json.dumps(text) + "\n" for text in texts))
            n = len(texts)
            wall, cpu = ours(arguments, file, threads, dtype)
            other = subprocess.run(
                [sys.executable, __file__, "--peer", str(threads), "--file", file, "--repeats", str(arguments.repeats), "--dtype", dtype],
                check=True, stdout=subprocess.PIPE, env=environment(threads),
            ).stdout
            peer_wall, peer_cpu, tokens = map(float, other.split())
            gflops = tokens * mflop_of_a_token() / 1000 / wall
            lines.append(f"| {name} ({n}) | {threads} | {dtype} | {n / wall:.0f} | {n / peer_wall:.0f} | {1000 * cpu / n:.2f} "
                         f"| {1000 * peer_cpu / n:.2f} | {gflops:.0f} | {limits[threads]:.0f} |")
            print(lines[-1], flush=True)
    page = PAGE.format(machine=describe_machine(), rows="\n".join(lines), mflop=mflop_of_a_token())
    if arguments.out:
        arguments.out.write_text(page)
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
