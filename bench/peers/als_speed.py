#!/usr/bin/env python3
"""Seconds of ALS: honeyguide beside PyPI `implicit`, same events, factors, sweeps and threads.

    python bench/peers/als_speed.py --binary build/release/honeyguide --data DIR [--threads 2] [--rounds 3] [--out OUT.md]

64 factors, 15 sweeps. Both take three conjugate gradient steps a row. Ours is the time of 16 sweeps less that of one, so that
starting up and reading the log do not count; the peer's is that of fit() on a matrix made before. Rounds of both alternate, the
fastest of each is told. DIR: a raw folder with interactions.csv[.gz]. The peer needs deps/peers.txt.
"""
import argparse
import os
import pathlib
import re
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from machine import describe_machine  # noqa: E402
from peer_runs import read_sequences, run  # noqa: E402

FACTORS, SWEEPS = 64, 15


def peer(arguments):
    """Runs in a process of its own. Prints the seconds of the fit."""
    import implicit
    import numpy
    import scipy.sparse

    users, names = read_sequences(arguments.data)
    rows = numpy.concatenate([numpy.full(len(items), u) for u, items in enumerate(users)])
    columns = numpy.concatenate(users) - 1
    matrix = scipy.sparse.csr_matrix((numpy.ones(len(rows), dtype=numpy.float32), (rows, columns)), shape=(len(users), len(names)))
    model = implicit.als.AlternatingLeastSquares(factors=FACTORS, iterations=SWEEPS, num_threads=arguments.threads, random_state=7)
    start = time.perf_counter()
    model.fit(matrix, show_progress=False)
    print(f"fit {time.perf_counter() - start:.3f} s")


def ours(arguments, sweeps, folder):
    sets = [part for setting in (f"factors={FACTORS}", f"iterations={sweeps}") for part in ("--set", setting)]
    return run([arguments.binary, "-q", "train", "--model", "als", "--data", arguments.data, "--out", folder, *sets], arguments.threads)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary")
    parser.add_argument("--data", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out")
    parser.add_argument("--peer", action="store_true")
    arguments = parser.parse_args()
    if arguments.peer:
        peer(arguments)
        return
    best = {"implicit": [1e9, 0.0], "honeyguide": [1e9, 0.0]}
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # implicit asks for it: its threads are its own
    for number in range(arguments.rounds):
        peer_memory, text = run([sys.executable, __file__, "--peer", "--data", arguments.data, "--threads", arguments.threads],
                                arguments.threads)[2:]
        seconds = float(re.search(r"fit ([\d.]+) s", text)[1])
        with tempfile.TemporaryDirectory() as name:
            one = ours(arguments, 1, pathlib.Path(name) / "one")
            many = ours(arguments, 1 + SWEEPS, pathlib.Path(name) / "many")
        own = many[0] - one[0]
        print(f"round {number + 1}: implicit {seconds:.2f} s, honeyguide {own:.2f} s", flush=True)
        for row, took, memory in ((best["implicit"], seconds, peer_memory), (best["honeyguide"], own, many[2])):
            row[0], row[1] = min(row[0], took), max(row[1], memory)
    events = sum(map(len, read_sequences(arguments.data)[0]))
    lines = [f"{events} events, {FACTORS} factors, {SWEEPS} sweeps, {arguments.threads} threads, {arguments.rounds} rounds. "
             f"{describe_machine()}", "", "| | seconds | peak memory, MiB |", "|---|---|---|"]
    lines += [f"| {name} | {row[0]:.2f} | {row[1]:.0f} |" for name, row in best.items()]
    print("\n".join(lines))
    if arguments.out:
        pathlib.Path(arguments.out).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
