"""What growth costs: synthetic logs of 10^5 to 10^7 events on 10^4 to 10^6 items; seconds and peak memory of each step.

    python3 bench/growth.py --binary build/release/honeyguide --folder runs/bench/growth --out bench/results/growth.md

One process at a time, one thread. A step that takes longer than --limit seconds is stopped and says so; one that the
program refuses shows what it answered. Cells that are there already (--folder/cells.json) are not measured again.
"""
import argparse
import http.client
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "support"))
from machine import describe_machine  # noqa: E402
from server_under_test import Server  # noqa: E402

SIZES = [(10**5, 10**4), (10**6, 10**4), (10**6, 10**5), (10**7, 10**5), (10**7, 10**6)]  # events, items
MODELS = {"sequential_rules": [], "item_knn": ["--set", "neighbours=200"], "als": [], "gaussian": [], "ease": [], "sasrec": ["--set", "epochs=1"],
          "blend": []}
SERVED = ("als", "item_knn")
PER_USER = 50

parser = argparse.ArgumentParser()
parser.add_argument("--binary", required=True)
parser.add_argument("--folder", type=pathlib.Path, required=True)
parser.add_argument("--out", type=pathlib.Path, required=True)
parser.add_argument("--limit", type=float, default=1200, help="seconds a step may take")
parser.add_argument("--sizes", type=int, default=len(SIZES), help="only the first so many")
args = parser.parse_args()
args.folder.mkdir(parents=True, exist_ok=True)
store = args.folder / "cells.json"
cells = json.loads(store.read_text()) if store.exists() else {}
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def peak_mb(pid):
    """VmHWM of a process, None when it is gone."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), None)


def measure(*words):
    """{seconds, mb}, with over: true when it was stopped, refusal: what it said when it would not."""
    started = time.perf_counter()
    process = subprocess.Popen([args.binary, "-q", *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    timer = threading.Timer(args.limit, process.kill)
    timer.start()
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    is_over = not timer.is_alive()
    timer.cancel()
    cell = {"seconds": time.perf_counter() - started, "mb": usage.ru_maxrss / 1024}
    if is_over:
        cell["over"] = True
    elif process.returncode != 0:
        cell["refusal"] = " ".join(said.split())
    return cell


def ask(server, n_users, seconds=5):
    """Milliseconds of slates for random users, one connection, each user new to the cache."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    rng = random.Random(7)
    took = []
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends and len(took) < 500:
        body = json.dumps({"user_id": f"u{rng.randrange(n_users)}", "k": 10})
        started = time.perf_counter()
        connection.request("POST", "/v1/recommend", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200, answer.status
        took.append(1000 * (time.perf_counter() - started))
    return sorted(took)


def serve(run, data, n_users):
    database = args.folder / "events.db"
    for path in args.folder.glob("events.db*"):
        path.unlink()
    started = time.perf_counter()
    server = Server(args.binary, run, data, database, env=ENVIRONMENT).wait_until_ready(int(args.limit))
    start = time.perf_counter() - started
    took = ask(server, n_users)
    cell = {"seconds": start, "mb": peak_mb(server.process.pid), "p50": statistics.median(took), "p99": took[int(0.99 * (len(took) - 1))]}
    server.stop()
    return cell


def remember(size, step, make):
    key = f"{size[0]}/{size[1]}/{step}"
    if key not in cells:
        cells[key] = make()
        store.write_text(json.dumps(cells, indent=1))
        print(key, json.dumps(cells[key]), flush=True)
    return cells[key]


def is_done(cell):
    return not cell.get("over") and "refusal" not in cell


def measure_size(size):
    events, items = size
    n_users = events // PER_USER
    folder = args.folder / f"{events}-{items}"
    steps = ["ingest", *MODELS, *(f"serve {model}" for model in SERVED)]
    if all(f"{events}/{items}/{step}" in cells for step in steps):
        return
    raw, data = folder / "raw", folder / "data"
    subprocess.run([args.binary, "-q", "ingest", "--synthetic", f"users={n_users},items={items},events={events},seed=7", "--out", raw],
                   check=True, stdout=subprocess.DEVNULL)
    cells.pop(f"{events}/{items}/ingest", None)
    remember(size, "ingest", lambda: measure("ingest", raw, "--out", data))
    shutil.rmtree(raw)
    for model, settings in MODELS.items():
        run = folder / model
        if model in SERVED:
            cells.pop(f"{events}/{items}/{model}", None)
        cell = remember(size, model, lambda: measure("train", "--model", model, "--data", data, "--content", "none", "--out", run, "--seed", 7, *settings))
        if model in SERVED and is_done(cell):
            remember(size, f"serve {model}", lambda: serve(run, data, n_users))
        elif model in SERVED:
            remember(size, f"serve {model}", lambda: {"refusal": "", "seconds": 0, "mb": 0})
        shutil.rmtree(run, ignore_errors=True)
    shutil.rmtree(folder)


def memory(mb):
    return f"{mb / 1024:.1f} GiB" if mb >= 1024 else f"{mb:.0f} MiB"


def cell_text(cell):
    if cell.get("over"):
        return f"over {args.limit:.0f} s ({memory(cell['mb'])} by then)"
    if "refusal" in cell:
        return "refused" if cell["refusal"] else "-"
    text = f"{cell['seconds']:.1f} s, {memory(cell['mb'])}"
    return text + (f"; slate p50 {cell['p50']:.1f}, p99 {cell['p99']:.1f} ms" if "p50" in cell else "")


def table(sizes):
    steps = {"ingest": "ingest (CSV to dataset)", **{model: f"train {model} {' '.join(options[1:])}".strip() for model, options in MODELS.items()},
             **{f"serve {model}": f"serve {model}: start" for model in SERVED}}
    head = "| step | " + " | ".join(f"{e:.0e} events, {i:.0e} items".replace("+0", "") for e, i in sizes) + " |"
    rows = [head, "|---" * (len(sizes) + 1) + "|"]
    for step, name in steps.items():
        rows.append(f"| {name} | " + " | ".join(cell_text(cells[f"{e}/{i}/{step}"]) for e, i in sizes) + " |")
    return "\n".join(rows)


def refusals(sizes):
    said = [(i, cells[f"{e}/{i}/{step}"].get("refusal")) for e, i in sizes for step in MODELS]
    return "\n".join(f"- {items:,} items: `{text}`" for items, text in dict.fromkeys(said) if text) or "Nothing."


chosen = SIZES[:args.sizes]
for size in chosen:
    measure_size(size)
args.out.write_text(f"""# The cost of growth

`bench/run.sh growth`: synthetic logs ({PER_USER} events a user on average), seconds and peak memory, one thread, one process
at a time; a step is stopped after {args.limit:.0f} s. SASRec: one epoch with its defaults. Slates: one client, one request at a time, users drawn
at random, so most of them are scored anew. {describe_machine()}

{table(chosen)}

What was refused, before anything of that size was allocated:

{refusals(chosen)}
""")
print(args.out.read_text())
