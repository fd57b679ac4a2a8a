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
from limits import measure  # noqa: E402
from peer_runs import Comparison, finish, read_sequences  # noqa: E402

FACTORS, SWEEPS, STEPS = 64, 15, 3


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


def flops_of(events, rows):
    """Of all sweeps: a row starts from its residual and goes three steps, each a pass over its events and a product with the Gram
    matrix of the other side, which is made anew for each sweep."""
    return SWEEPS * (2 * events * 4 * FACTORS * (1 + STEPS) + rows * 2 * FACTORS**2 * (1 + STEPS) + rows * 2 * FACTORS**2)


def main():
    comparison = Comparison(__file__, peer)
    arguments = comparison.arguments()
    if not arguments:
        return
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # implicit asks for it: its threads are its own
    comparison.rounds(arguments, "implicit", lambda text: float(re.search(r"fit ([\d.]+) s", text)[1]),
                      "als", lambda sweeps: [f"factors={FACTORS}", f"iterations={sweeps}"], SWEEPS)
    users, names = read_sequences(arguments.data)
    events = sum(map(len, users))
    gflop = flops_of(events, len(users) + len(names)) / 1e9
    limit = measure(arguments.threads)["gflops"]
    lines = [f"{events} events, {FACTORS} factors, {SWEEPS} sweeps, {arguments.threads} threads, {arguments.rounds} rounds. They need {gflop:.0f} GFLOP; "
             f"products of 1,024 x 1,024 matrices reach {limit:.0f} GFLOP/s here. {describe_machine()}", "",
             "| | seconds | GFLOP/s | peak memory, MiB |", "|---|---|---|---|"]
    lines += [f"| {name} | {seconds:.2f} | {gflop / seconds:.0f} | {memory:.0f} |" for name, (seconds, memory) in comparison.rows.items()]
    finish(lines, arguments.out)


if __name__ == "__main__":
    main()
