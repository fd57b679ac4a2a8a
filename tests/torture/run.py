"""All recipes at full size, one after the other; a table at the end and the figures as JSON. `make torture` runs it (about 15 minutes).

    python3 tests/torture/run.py --build build/release [--only NAME ...] [--short] [--out build/torture.json] [--page bench/results/torture.md]

A recipe is a script of this folder, a test binary with its number of repetitions in the environment, or a script that exists elsewhere.
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
sys.path.insert(0, str(SOURCE / "bench"))
from machine import describe_machine  # noqa: E402

SKIPPED = 77

parser = argparse.ArgumentParser()
parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build/release")
parser.add_argument("--only", nargs="+", default=[])
parser.add_argument("--short", action="store_true")
parser.add_argument("--out", type=pathlib.Path)
parser.add_argument("--page", type=pathlib.Path, help="also a page to keep")
args = parser.parse_args()
args.build = args.build.resolve()
PROGRAM = args.build / "honeyguide"
SHARED = SOURCE.parent / "shared"
MEMORY = pathlib.Path("/dev/shm")  # for what tests content, not durability


def script(path, *more):
    size = ["--short"] if args.short else []
    return [sys.executable, path, "--source", SOURCE, "--binary", PROGRAM, "--shared", SHARED, *more, *size]


def tests(binary, pattern):
    return [args.build / binary, f"--gtest_filter={pattern}", "--gtest_brief=1"]


def full(**counts):
    """Environment of the full size; the short one is what the tests do by themselves."""
    return {} if args.short else {name: str(count) for name, count in counts.items()}


ROUNDS = 5 if args.short else 100
RECIPES = {  # name: (what, command, environment)
    "crash": ("1 kill -9 under writes", script(HERE.parent / "outside/durability.py", "--rounds", str(ROUNDS)), {}),
    "power_events": ("2 power cuts, database", tests("test_data", "PowerLoss.*"), full(HG_POWER_CUTS=1000)),
    "power_files": ("2 power cuts, files and folders", tests("test_data", "FilePowerLoss.*"), full(HG_POWER_CUTS=1000)),
    "random_store": ("4 random operations, store", tests("test_data", "EventStore.behaves_like_a_map*"), full(HG_RANDOM_OPERATIONS=200_000)),
    "random_engine": ("4 random operations, engine", tests("test_serve", "EngineModel.*"), full(HG_ENGINE_OPERATIONS=200_000)),
    "damaged_store": ("5 flips and cuts, database and its log", tests("test_data", "DamagedStore.*:DamagedWriteAheadLog.*"), full(HG_BIT_FLIPS=10_000, HG_TORN_EVERY=1)),
    "damaged_dataset": ("5 flips and cuts, dataset", tests("test_data", "Ingest.*flipped*:Ingest.*damaged*"), full(HG_BIT_FLIPS=10_000)),
    "damaged_run": ("5 flips and cuts, run", tests("test_train", "DamagedRun.*"), full(HG_BIT_FLIPS=10_000)),
    "damaged_encoder": ("5 flips and cuts, vectors and vocabulary", tests("test_encode", "Damaged*"), full(HG_BIT_FLIPS=10_000)),
    "damaged_log": ("5 flips and cuts, impression log", tests("test_data", "DamagedImpressionLog.*"), full(HG_BIT_FLIPS=10_000)),
    "disk_full": ("6 disk full", script(HERE / "disk_full.py"), {}),
    "memory_cap": ("7 memory cap", script(HERE / "memory_cap.py"), {}),
    "clock": ("8 clock steps", tests("test_serve", "ClockSteps.*"), {}),
    "reload": ("13 and 5 swaps and broken runs under load", script(HERE / "reload.py"), {}),
    "shutdown": ("14 SIGTERM under load", script(HERE / "shutdown.py"), {}),
    "mutations": ("what is protected, taken out", script(HERE / "mutations.py"), {}),
}


def figures_of(output):
    """The JSON lines of a script; of a test binary the lines it printed itself."""
    found = {}
    for line in output.splitlines():
        if line.startswith("{"):
            found.update(json.loads(line))
        elif line.startswith("[figures] "):
            found.setdefault("seen", []).append(line.removeprefix("[figures] "))
    return found


def run(name):
    what, command, environment = RECIPES[name]
    with tempfile.TemporaryDirectory(prefix="hg-torture-", dir=MEMORY if MEMORY.is_dir() and environment else None) as folder:
        started = time.monotonic()
        done = subprocess.run([str(word) for word in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              env={**os.environ, "OMP_NUM_THREADS": "1", **environment, **({"TMPDIR": folder} if environment else {})})
    verdict = {0: "passed", SKIPPED: "SKIPPED"}.get(done.returncode, "FAILED")
    figures = {**{key.removeprefix("HG_").lower(): int(value) for key, value in environment.items()}, **figures_of(done.stdout)}
    if verdict != "passed":
        print(f"--- {name}\n{done.stdout[-3000:]}\n{done.stderr[-2000:]}", flush=True)
    return {"name": name, "what": what, "verdict": verdict, "seconds": round(time.monotonic() - started, 1), "figures": figures}


def line(result):
    told = ", ".join(f"{key} {json.dumps(value)}" for key, value in result["figures"].items())
    return f"| {result['what']} | {result['verdict']} | {result['seconds']} | {told} |"


unknown = [name for name in args.only if name not in RECIPES]
if unknown:
    sys.exit(f"no recipe {unknown[0]}; there are: {', '.join(RECIPES)}")
results = []
for recipe in args.only or RECIPES:
    print(f"[torture] {RECIPES[recipe][0]}", flush=True)
    results.append(run(recipe))
table = "| recipe | result | s | seen |\n|---|---|---|---|\n" + "\n".join(map(line, results))
print("\n" + table)
if args.page:
    args.page.write_text(f"""# Crashes, power cuts, damage

`make torture`, one after the other. {describe_machine()} What each recipe proves: [tests/torture](../../tests/torture/README.md).

{table}
""")
out = args.out or args.build.parent / "torture.json"
out.write_text(json.dumps({"machine": platform.platform(), "short": args.short, "recipes": results}, indent=1) + "\n")
print(f"-> {out}")
failed = [r["name"] for r in results if r["verdict"] == "FAILED"]
sys.exit(f"FAILED: {', '.join(failed)}" if failed else 0)
