#!/usr/bin/env python3
"""Texts a second of `honeyguide encode` beside sentence-transformers, same texts, same threads.

    python bench/peers/encode_speed.py [--threads 1 2] [--plots 500] [--dtype fp32]

Each number is the best of `--repeats`, without loading the model. Needs deps/peers.txt, ../shared and the model
folder; prints a table for docs.
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
    """Runs in a process of its own, so that its thread count is its own."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(arguments.peer)
    texts = [json.loads(line) for line in arguments.file.read_text().splitlines()]
    model = SentenceTransformer(str(MODEL), device="cpu")
    model.encode(texts[:32])
    best = 1e9
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        model.encode(texts, batch_size=32)
        best = min(best, time.perf_counter() - start)
    print(len(texts) / best)


def ours(arguments, file, threads, n):
    """The time the program itself reports includes loading the weights; one text costs just that."""
    def seconds(lines):
        with tempfile.TemporaryDirectory() as folder:
            part = pathlib.Path(folder) / "texts.jsonl"
            part.write_text(lines)
            out = subprocess.run(
                [arguments.binary, "-q", "encode", "--model", MODEL, "--texts", part, "--out",
                 pathlib.Path(folder) / "v.safetensors", "--dtype", arguments.dtype],
                check=True, stdout=subprocess.PIPE,
                env={**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)},
            ).stdout.decode()
        return float(re.search(r"([\d.]+) s$", out.strip())[1])

    lines = file.read_text()
    first = lines.splitlines(True)[0]
    load = min(seconds(first) for _ in range(arguments.repeats))
    return n / (min(seconds(lines) for _ in range(arguments.repeats)) - load)


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
    print("| texts | threads | honeyguide, texts/s | sentence-transformers, texts/s | ratio |")
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name, texts in sets.items():
            file = pathlib.Path(folder) / "texts.jsonl"
            file.write_text("".join(json.dumps(text) + "\n" for text in texts))
            for threads in arguments.threads:
                mine = ours(arguments, file, threads, len(texts))
                other = float(
                    subprocess.run(
                        [sys.executable, __file__, "--peer", str(threads), "--file", file, "--repeats",
                         str(arguments.repeats)],
                        check=True, stdout=subprocess.PIPE,
                        env={**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)},
                    ).stdout
                )
                print(f"| {name} ({len(texts)}) | {threads} | {mine:.0f} | {other:.0f} | {mine / other:.2f} |",
                      flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
