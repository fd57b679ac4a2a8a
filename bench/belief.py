"""Renders what bench_belief measured as a page: bench/belief.py --json FILE --out PAGE."""
import argparse
import json
import pathlib

from machine import describe_machine

parser = argparse.ArgumentParser()
parser.add_argument("--json", type=pathlib.Path, required=True)
parser.add_argument("--out", type=pathlib.Path, required=True)
args = parser.parse_args()

runs = {run["name"]: run for run in json.loads(args.json.read_text())["benchmarks"]}
MICROSECONDS = {"ns": 1e-3, "us": 1, "ms": 1e3}


def microseconds(name):
    run = runs[name]
    return run["real_time"] * MICROSECONDS[run["time_unit"]]


lines = []
for dim in (16, 32, 48, 64):
    name = f"observe/{dim}"
    lines.append(f"| one event, d = {dim} | {microseconds(name):.2f} | {runs[name]['flop/s'] / 1e9:.1f} GFLOP/s | arithmetic: 4 d^2 operations in L1 |")
for dim in (48, 64):
    each = runs[f"observe_percentiles/{dim}/iterations:200000"]
    lines.append(f"| each event alone, 1,000 users in turn, d = {dim} | p50 {each['p50_us']:.2f}, p99 {each['p99_us']:.2f}, p99.9 {each['p999_us']:.2f} | {each['bytes']:,.0f} bytes a belief | memory: the covariance of another user each time |")
for dim in (48, 64):
    lines.append(f"| uncertainty of 512 candidates, d = {dim} | {microseconds(f'uncertainty_of_512/{dim}'):.0f} | {microseconds(f'uncertainty_of_512/{dim}') / 512:.2f} us an item | arithmetic: 2 d^2 operations in L1 |")
lines.append(f"| replay of 50 events, d = 48 | {microseconds('replay_50_events'):.1f} | {microseconds('replay_50_events') / 50:.2f} us an event | the same |")
for items in (3706, 100_000, 1_000_000):
    name, limit = f"score_all_items/{items}", f"read_bandwidth/{items}"
    reached, possible = runs[name]["bytes_per_second"] / 1e9, runs[limit]["bytes_per_second"] / 1e9
    lines.append(f"| score {items:,} items, d = 48 | {microseconds(name):.0f} | {reached:.1f} GB/s | reading the vectors: {possible:.1f} GB/s, {100 * reached / possible:.0f} % reached |")

args.out.write_text(f"""# Belief

`bench/run.sh belief`, one thread. {describe_machine()}

| what | microseconds | rate | the limit it runs into |
|---|---|---|---|
""" + "\n".join(lines) + "\n")
print(args.out.read_text())
