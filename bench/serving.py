"""Measures the server on this machine and prints a table: saturation, latency at half of it, durable events.

    python3 bench/serving.py --binary build/release/honeyguide --load build/release/bench_load --run RUN --data DATA --policy META --sequence SASREC
        --out bench/results/serving.md

The server and the load generator share the machine's cores, so figures are lower bounds of what the server alone could do;
"per core" divides by the processor time the server itself used (/proc), not by the cores of the machine.
"""
import argparse
import json
import os
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "support"))
import served_load  # noqa: E402
from machine import describe_machine  # noqa: E402
from served_load import resident_bytes  # noqa: E402
from server_under_test import Server  # noqa: E402

parser = argparse.ArgumentParser()
for name in ("binary", "load", "run", "data"):
    parser.add_argument(f"--{name}", required=True)
parser.add_argument("--policy", required=True, help="a run of learn --agent meta_policy --set head=knobs in served:RUN")
parser.add_argument("--sequence", required=True, help="a run of a sequence model on DATA: its states are kept and advanced by one event")
parser.add_argument("--out", type=pathlib.Path)
parser.add_argument("--seconds", type=float, default=10)
parser.add_argument("--items", type=int, default=3000, help="ids 1..N are clicked")
args = parser.parse_args()


def load(server, **options):
    return served_load.load(args.load, server, seconds=args.seconds, items=args.items, **options)


def sync_ms(folder):
    """What one append and fdatasync costs here: the floor of a durable write."""
    import time
    path = pathlib.Path(folder) / "sync"
    with open(path, "wb") as out:
        times = []
        for _ in range(100):
            started = time.perf_counter()
            out.write(b"x" * 4096)
            out.flush()
            os.fdatasync(out.fileno())
            times.append(time.perf_counter() - started)
    return 1000 * sorted(times)[50]


KNOBS = ["--exploration", "0.5", "--novelty", "0.1", "--diversity", "0.2"]
FEW = 500  # slates a second: a rate this machine is far from saturated by
MANY_USERS = 4000
rows = []
with tempfile.TemporaryDirectory(prefix="hg-bench-", dir=".") as folder:
    floor = sync_ms(folder)
    server = Server(args.binary, args.run, args.data, os.path.join(folder, "events.db")).wait_until_ready()
    status = server.call("GET", "/v1/status")[1]
    cached = load(server, mode="recommend", rate=0, after_event=0, prefix="a")
    mixed = load(server, mode="recommend", rate=0, after_event=0.1, prefix="b")
    half = load(server, mode="recommend", rate=mixed["per_second"] / 2, after_event=0.1, prefix="c")
    single = load(server, mode="events", rate=0, prefix="d")
    one = load(server, mode="events", rate=0, connections=1, prefix="e")
    batch = load(server, mode="events", rate=0, batch=100, connections=8, prefix="f")
    code, _ = server.stop()
    server = Server(args.binary, args.run, args.data, os.path.join(folder, "knobs.db"), *KNOBS).wait_until_ready()
    policy = server.call("POST", "/v1/recommend", {"history": [], "k": 10})[1]["policy"]
    knobs_mixed = load(server, mode="recommend", rate=0, after_event=0.1, prefix="g")
    knobs_half = load(server, mode="recommend", rate=knobs_mixed["per_second"] / 2, after_event=0.1, prefix="h")
    knobs_few = load(server, mode="recommend", rate=FEW, after_event=0.1, prefix="i")
    knobs_all_new = load(server, mode="recommend", rate=FEW, after_event=1, prefix="j")
    before = resident_bytes(server.process.pid)
    load(server, mode="recommend", rate=FEW, after_event=0, prefix="k", users=MANY_USERS)
    per_user = (resident_bytes(server.process.pid) - before) / MANY_USERS
    server.stop()
    learned = Server(args.binary, args.run, args.data, os.path.join(folder, "learned.db"), "--policy", args.policy,
                     "--policy-without-gate").wait_until_ready()
    learned_policy = learned.call("POST", "/v1/recommend", {"history": [], "k": 10})[1]["policy"]
    learned_mixed = load(learned, mode="recommend", rate=0, after_event=0.1, prefix="l")
    learned_half = load(learned, mode="recommend", rate=learned_mixed["per_second"] / 2, after_event=0.1, prefix="m")
    learned_all_new = load(learned, mode="recommend", rate=FEW, after_event=1, prefix="n")
    learned.stop()
    sequence = Server(args.binary, args.sequence, args.data, os.path.join(folder, "sequence.db")).wait_until_ready()
    sequence_kind = sequence.call("GET", "/v1/status")[1]["model_kind"]
    sequence_mixed = load(sequence, mode="recommend", rate=0, after_event=0.1, prefix="o")
    sequence_half = load(sequence, mode="recommend", rate=sequence_mixed["per_second"] / 2, after_event=0.1, prefix="p")
    sequence.stop()


def per_core(result):
    return result["requests"] / max(1e-9, result["server_cpu_s"])


def row(name, result, figure, limit):
    rows.append(f"| {name} | {figure} | {result['p50_ms']:.2f} | {result['p99_ms']:.2f} | {result['p999_ms']:.2f} | {limit} |")


def changed_list_row(name, result):
    """From when an event was due to the list that knows of it: the sync of the event, the model's pass, the slate."""
    rows.append(f"| {name} | - | {result['changed_list_p50_ms']:.2f} | {result['changed_list_p99_ms']:.2f} | - | one sync ({floor:.1f} ms), then the model |")


row("slates, all users cached, closed loop", cached, f"{cached['per_second']}/s, {per_core(cached):.0f}/s per server core", "processor")
row("slates, 10 % just after an event, closed loop", mixed, f"{mixed['per_second']}/s, {per_core(mixed):.0f}/s per server core", "processor, and the sync of the events")
row(f"slates, the same, open loop at {mixed['per_second'] / 2:.0f}/s", half, f"{half['per_second']}/s", "none: half of saturation")
changed_list_row("from an event to the list it changes, in that open loop", half)
row("slates with knobs, 10 % just after an event, closed loop", knobs_mixed, f"{knobs_mixed['per_second']}/s, {per_core(knobs_mixed):.0f}/s per server core", "processor")
row(f"slates with knobs, the same, open loop at {knobs_mixed['per_second'] / 2:.0f}/s", knobs_half, f"{knobs_half['per_second']}/s", "none: half of saturation")
row(f"slates with knobs, the same, open loop at {FEW}/s", knobs_few, f"{knobs_few['per_second']}/s", "none")
row(f"slates with knobs, every one just after an event, open loop at {FEW}/s", knobs_all_new, f"{knobs_all_new['per_second']}/s", "none: the model and the uncertainty of 512 candidates each time")
row("slates with the meta-policy, 10 % just after an event, closed loop", learned_mixed, f"{learned_mixed['per_second']}/s, {per_core(learned_mixed):.0f}/s per server core", "processor")
row(f"slates with the meta-policy, the same, open loop at {learned_mixed['per_second'] / 2:.0f}/s", learned_half, f"{learned_half['per_second']}/s", "none: half of saturation")
row(f"slates with the meta-policy, every one just after an event, open loop at {FEW}/s", learned_all_new, f"{learned_all_new['per_second']}/s", "none")
changed_list_row("from an event to the list it changes, the same", learned_all_new)
row(f"slates of {sequence_kind}, 10 % just after an event, closed loop", sequence_mixed, f"{sequence_mixed['per_second']}/s, {per_core(sequence_mixed):.0f}/s per server core", "processor")
row(f"slates of {sequence_kind}, the same, open loop at {sequence_mixed['per_second'] / 2:.0f}/s", sequence_half, f"{sequence_half['per_second']}/s", "none: half of saturation")
changed_list_row("from an event to the list it changes, in that open loop", sequence_half)
row("events one by one, 1 connection", one, f"{one['per_second']} events/s", f"one sync each ({floor:.1f} ms)")
row("events one by one, 32 connections", single, f"{single['per_second']} events/s", "group commit: one sync for all that wait")
row("events in batches of 100, 8 connections", batch, f"{100 * batch['per_second']} events/s", "SQLite's writer thread")
text = f"""# Serving

Measured by `bench/serving.py` ({args.seconds:.0f} s each, 32 connections unless said). {describe_machine()} Append + fdatasync of 4 KB takes
{floor:.2f} ms (median of 100). Model `{status['model_kind']}` on `{status['dataset']['name']}` ({status['dataset']['items']} items); the load generator shares the cores. Latency is counted from when a request was due (coordinated omission corrected in the open loop).

| what | figure | p50 ms | p99 ms | p999 ms | the limit it runs into |
|---|---|---|---|---|---|
""" + "\n".join(rows) + f"""

With knobs: `serve {' '.join(KNOBS)}`, so `{policy}`. With the meta-policy: its actor sets the knobs of every user after
every event, `{learned_policy}`; learned for a few seconds on the run's own users: this is about speed. A user in the cache takes {per_user / 1000:.0f} KB (resident memory after {MANY_USERS} users
more, three events each: belief, events, 512 candidates with their signals); `--sessions` bounds how many there are.
"""
print(text)
print(json.dumps({"cached": cached, "mixed": mixed, "half": half, "one": one, "single": single, "batch": batch, "knobs_mixed": knobs_mixed,
                  "knobs_half": knobs_half, "knobs_few": knobs_few, "knobs_all_new": knobs_all_new, "learned_mixed": learned_mixed,
                  "learned_half": learned_half, "learned_all_new": learned_all_new,
                  "sequence_mixed": sequence_mixed, "sequence_half": sequence_half, "exit": code}))
if args.out:
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(text)
