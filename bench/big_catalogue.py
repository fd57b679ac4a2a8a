"""Measures the server on big synthetic catalogues: every item scored, from floats and from int8, and by the index.

    python3 bench/big_catalogue.py --binary build/release/honeyguide --load build/release/bench_load --folder runs/bench/big --out bench/results/big_catalogue.md

Makes what is missing in --folder: synthetic logs of 100,000 and a million items and a run of als on each. Ninety of a hundred slates
are of users in the cache, ten are asked for right after an event of the same user; the open loop runs at half of the saturation
that the closed loop of the same row found. Server and load generator share the cores.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "support"))
from machine import describe_machine  # noqa: E402
from server_under_test import Server  # noqa: E402
from served_load import load, resident_bytes  # noqa: E402

CATALOGUES = {
    "100,000": ("users=50000,items=100000,events=1000000,seed=7,genres=40,dim=16", ["iterations=8"]),
    "1,000,000": ("users=100000,items=1000000,events=5000000,seed=7,genres=40,dim=16", ["iterations=4"]),
}
FORMS = {
    "exact": ["--index", "exact"],
    "exact, int8": ["--index", "exact", "--item-table", "int8"],
    "hnsw": ["--index", "hnsw"],
}
USERS_MORE = 2000  # with candidates
USERS_KNOWN = 8000  # with their events only

parser = argparse.ArgumentParser()
for name in ("binary", "load"):
    parser.add_argument(f"--{name}", required=True)
parser.add_argument("--folder", type=pathlib.Path, required=True)
parser.add_argument("--out", type=pathlib.Path)
parser.add_argument("--seconds", type=float, default=10)
args = parser.parse_args()


def call(*words):
    subprocess.run([args.binary, "-q", *words], check=True)


def prepare(items, synthetic, settings):
    raw, data, run = (args.folder / f"{kind}-{items.replace(',', '')}" for kind in ("raw", "data", "als"))
    if not data.exists():
        call("ingest", "--synthetic", synthetic, "--out", str(raw))
        call("ingest", str(raw), "--out", str(data))
    if not (run / "manifest.json").exists():
        words = [word for setting in ["factors=64", *settings] for word in ("--set", setting)]
        call("train", "--model", "als", "--content", "none", *words, "--data", str(data), "--out", str(run), "--seed", "7")
    return data, run


def start(run, data, db, *options):
    started = time.monotonic()
    server = Server(args.binary, str(run), str(data), db, *options).wait_until_ready()
    return server, time.monotonic() - started


def measure(items, data, run, form, options):
    n = int(items.replace(",", ""))
    result = {"items": items, "form": form}
    with tempfile.TemporaryDirectory(prefix="hg-bench-", dir=args.folder) as folder:
        index = run.parent / (run.name + ".hnsw.safetensors")
        if form == "hnsw" and not index.exists():
            server, result["first_start_s"] = start(run, data, os.path.join(folder, "first.db"), *options)
            server.stop()
        server, result["start_s"] = start(run, data, os.path.join(folder, "events.db"), *options)
        result["retrieval"] = server.call("GET", "/v1/status")[1]["retrieval"]
        result["resident"] = resident_bytes(server.process.pid)
        ask = {"mode": "recommend", "items": n - 1, "item_prefix": "i", "after_event": 0.1, "seconds": args.seconds}
        result["full"] = load(args.load, server, **ask, rate=0, prefix="a")
        result["half"] = load(args.load, server, **ask, rate=result["full"]["per_second"] / 2, prefix="b")
        before = resident_bytes(server.process.pid)
        load(args.load, server, **{**ask, "after_event": 0, "seconds": 1}, rate=100, prefix="c", users=USERS_MORE)
        result["bytes_per_user"] = (resident_bytes(server.process.pid) - before) / USERS_MORE
        server.stop()
    result["load_average"] = os.getloadavg()[0]
    print(json.dumps(result), file=sys.stderr)
    return result


def bytes_per_known_user(data, run):
    """Of a user in memory whose candidates were dropped for those of others."""
    with tempfile.TemporaryDirectory(prefix="hg-bench-", dir=args.folder) as folder:
        few = ["--index", "exact", "--item-table", "int8", "--sessions", "1000000", "--scored-sessions", "500"]
        server, _ = start(run, data, os.path.join(folder, "events.db"), *few)
        ask = {"mode": "recommend", "rate": 100, "seconds": 1, "after_event": 0, "items": 99_999, "item_prefix": "i"}
        load(args.load, server, **ask, users=2000, prefix="a")
        before = resident_bytes(server.process.pid)
        load(args.load, server, **ask, users=USERS_KNOWN, prefix="b")
        used = resident_bytes(server.process.pid) - before
        server.stop()
    return used / USERS_KNOWN


def row(r):
    half, full = r["half"], r["full"]
    recall = r["retrieval"].get("recall_at_100")
    starts = f"{r['start_s']:.1f}" + (f" (first {r['first_start_s']:.0f})" if "first_start_s" in r else "")
    return (f"| {r['items']} | {r['form']} | {'1' if recall is None else f'{recall:.4f}'} | {full['per_second']:.0f} | "
            f"{full['requests'] / max(1e-9, full['server_cpu_s']):.0f} | {half['p50_ms']:.2f} | {half['p99_ms']:.2f} | {half['p999_ms']:.2f} | "
            f"{half['changed_list_p50_ms']:.2f} | {half['changed_list_p99_ms']:.2f} | {starts} | {r['resident'] / 1e6:.0f} | "
            f"{r['bytes_per_user'] / 1000:.1f} | {r['load_average']:.1f} |")


args.folder.mkdir(parents=True, exist_ok=True)
results = []
known = None
for items, (synthetic, settings) in CATALOGUES.items():
    data, run = prepare(items, synthetic, settings)
    for form, options in FORMS.items():
        results.append(measure(items, data, run, form, options))
    known = known or bytes_per_known_user(data, run)
half = len(FORMS)
per_item = ", ".join(f"{(big['resident'] - small['resident']) / 900_000:.0f} bytes ({small['form']})" for small, big in zip(results[:half], results[half:]))
per_user = f"{results[0]['bytes_per_user'] / 1000:.1f} KB"
per_million = known * 1e6 / 2**30
text = f"""# Big catalogues

Measured by `bench/big_catalogue.py` ({args.seconds:.0f} s each, 32 connections, 500 users, 90 % of the slates from the cache and 10 % right after an event).
{describe_machine()} Model `als` with 64 factors on synthetic logs; server and load generator share the cores. The open loop runs at half of
the saturation of its own row; latency is counted from when a request was due (coordinated omission corrected).

| items | search | recall@100 | slates/s at saturation | per server core | p50 ms | p99 ms | p999 ms | event to changed list p50 ms | p99 ms | start s | resident MB at the start | KB a scored user | load average |
|---|---|---|---|---|---|---|---|---|---|---|---|---|---|
""" + "\n".join(row(r) for r in results) + f"""

Recall of hnsw is as measured at load on users it was not chosen on; the exact passes miss nothing by construction. p50 to p999 and the two columns
after them are of the open loop; the way from an event to the changed list holds the event's commit (append + fdatasync) too. An item more takes
{per_item} of resident memory (ids, titles, fields, content, vectors, and its share of the dataset's log). A user in memory with three events takes {per_user}
with the 512 candidates (`--scored-sessions`, 20,000 by default) and {known:.0f} bytes without ({per_million:.2f} GiB a million, `--sessions`); users who are in neither cost
nothing but their rows in the database.
"""
print(text)
if args.out:
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text)
