#!/usr/bin/env python3
"""Seconds of ALS: honeyguide beside PyPI `implicit`, same events, factors, sweeps and threads.

    python bench/peers/als_speed.py --binary build/release/honeyguide --data DIR [--threads 2] [--rounds 3] [--out OUT.md]

64 factors, 15 sweeps. Both take three conjugate gradient steps a row. Ours is the time of 16 sweeps less that of one, so that
starting up and reading the log do not count; the peer's is that of fit() on a matrix made before. Rounds of both alternate, the
fastest of each is told. DIR: a raw folder with interactions.csv[.gz]. The peer needs deps/peers.txt.
"""
import os
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from machine import describe_machine  # noqa: E402
from peer_runs import Comparison, finish, read_sequences  # noqa: E402

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


def main():
    comparison = Comparison(__file__, peer)
    arguments = comparison.arguments()
    if not arguments:
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # implicit asks for it: its threads are its own
    comparison.rounds(arguments, "implicit", lambda text: float(re.search(r"fit ([\d.]+) s", text)[1]),
                      "als", lambda sweeps: [f"factors={FACTORS}", f"iterations={sweeps}"], SWEEPS)
    events = sum(map(len, read_sequences(arguments.data)[0]))
    lines = [f"{events} events, {FACTORS} factors, {SWEEPS} sweeps, {arguments.threads} threads, {arguments.rounds} rounds. "
             f"{describe_machine()}", "", "| | seconds | peak memory, MiB |", "|---|---|---|"]
    lines += [f"| {name} | {seconds:.2f} | {memory:.0f} |" for name, (seconds, memory) in comparison.rows.items()]
    finish(lines, arguments.out)


if __name__ == "__main__":
    main()
