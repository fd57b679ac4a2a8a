#!/usr/bin/env python3
"""Texts a second of `honeyguide encode` beside sentence-transformers, same texts, same threads.

    python bench/peers/encode_speed.py [--threads 1 2] [--plots 500] [--dtype fp32]

Best of `--repeats`, loading the model not counted. Wall time is what a user waits; CPU time per text is what
can be compared on a machine that others use too. Needs deps/peers.txt, ../shared and the model folder.
"""
import argparse
import csv
import gzip
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / ".cache/models/all-MiniLM-L6-v2"


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
    if arguments.dtype == "bf16":
        model = model.bfloat16()
    model.encode(texts[:32])
    best = [1e9, 1e9]
    for _ in range(arguments.repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        model.encode(texts, batch_size=32)
        best = [min(best[0], time.perf_counter() - wall), min(best[1], time.process_time() - cpu)]
    print(*best)


def environment(threads):
    return {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}


def run_once(arguments, lines, threads):
    """Wall seconds as the program reports them (without loading its libraries) and CPU seconds of all of it."""
    with tempfile.TemporaryDirectory() as folder:
        part = pathlib.Path(folder) / "texts.jsonl"
        part.write_text(lines)
        process = subprocess.Popen(
            [arguments.binary, "-q", "encode", "--model", MODEL, "--texts", part, "--out",
             pathlib.Path(folder) / "v.safetensors", "--dtype", arguments.dtype],
            stdout=subprocess.PIPE, env=environment(threads),
        )
        out = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"honeyguide encode failed: {status}")
    return float(re.search(r"([\d.]+) s$", out.strip())[1]), usage.ru_utime + usage.ru_stime


def ours(arguments, file, threads):
    """One text costs just the loading, which is taken off."""
    lines = file.read_text()
    best = []
    for part in (lines.splitlines(True)[0], lines):
        runs = [run_once(arguments, part, threads) for _ in range(arguments.repeats)]
        best.append((min(wall for wall, _ in runs), min(cpu for _, cpu in runs)))
    return best[1][0] - best[0][0], best[1][1] - best[0][1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/honeyguide")
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--plots", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--dtype", default="fp32")
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
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {arguments.dtype}")
    print("| texts | threads | honeyguide texts/s | peer texts/s | honeyguide CPU ms/text | peer CPU ms/text |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, texts in sets.items():
            file = pathlib.Path(folder) / "texts.jsonl"
            file.write_text("".join(json.dumps(text) + "\n" for text in texts))
            for threads in arguments.threads:
                n = len(texts)
                wall, cpu = ours(arguments, file, threads)
                other = subprocess.run(
                    [sys.executable, __file__, "--peer", str(threads), "--file", file, "--repeats",
                     str(arguments.repeats), "--dtype", arguments.dtype],
                    check=True, stdout=subprocess.PIPE, env=environment(threads),
                ).stdout
                peer_wall, peer_cpu = map(float, other.split())
                print(f"| {name} ({n}) | {threads} | {n / wall:.0f} | {n / peer_wall:.0f} "
                      f"| {1000 * cpu / n:.2f} | {1000 * peer_cpu / n:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
