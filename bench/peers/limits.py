#!/usr/bin/env python3
"""What this machine reaches in the two things that figures run into: products of matrices and copies of memory.

    python bench/peers/limits.py [--threads 2]

Float32 products of 1,024 x 1,024 matrices by PyTorch in GFLOP/s; copies of 256 MiB in GB/s, read and written counted. Best of many.
"""
import argparse
import json
import os
import subprocess
import sys
import time


def measure(threads):
    """{"gflops", "gbytes"} with so many threads, in a process of its own."""
    text = subprocess.run([sys.executable, __file__, "--threads", str(threads), "--json"], check=True, capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}).stdout
    return json.loads(text)


def best_seconds(work, rounds):
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return min(took)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    import torch

    torch.set_num_threads(arguments.threads)
    n = 1024
    a, b, c = (torch.randn(n, n) for _ in range(3))
    source = torch.ones(2**26)
    target = torch.empty_like(source)
    limits = {
        "gflops": 2 * n**3 / best_seconds(lambda: torch.mm(a, b, out=c), 50) / 1e9,
        "gbytes": 2 * source.nbytes / best_seconds(lambda: target.copy_(source), 20) / 1e9,
    }
    print(json.dumps(limits) if arguments.json else
          f"{arguments.threads} threads: products {limits['gflops']:.0f} GFLOP/s, copies {limits['gbytes']:.0f} GB/s")


if __name__ == "__main__":
    main()
