"""The outside checks of ../shared/checks as they are: ranking after leave one out, few-shot ranking, durability.

Bounds are written below: the check is that the program, driven only by its command
line, ranks as it should. Deterministic rows must agree with the reference; learned ones must reach it.
"""
import argparse
import json
import pathlib
import subprocess
import sys

LEAVE_ONE_OUT = {  # model on ml-100k: (lowest, highest NDCG@10, options)
    "popularity": (0.043, 0.047, []),
    "ease": (0.0727, 0.0747, ["--set", "lambda=500"]),
    "als": (0.070, 0.100, []),
    "sasrec": (0.085, 0.150, []),
}
CONTEXTS = ("k=0", "k=1", "k=2", "k=5", "k=10")
TOLERANCE = 0.004
FEW_SHOT = {  # model on ml-1m-fewshot: (NDCG@10 after 0, 1, 2, 5, 10 items, may it be better?, options)
    "popularity": ((0.0585, 0.0585, 0.0590, 0.0601, 0.0631), False, []),
    "item_knn": ((None, 0.0543, 0.0728, 0.0854, 0.1022), False, []),
    "ease": ((None, 0.0486, 0.0610, 0.0818, 0.1077), False, ["--set", "lambda=500"]),
    "gaussian uncalibrated": ((0.0582, 0.0731, 0.0744, 0.0799, 0.0823), False, ["--set", "calibrate=false"]),
    "gaussian flat": ((None, 0.0629, 0.0763, 0.0955, 0.1102), False, ["--set", "prior=flat", "--set", "calibrate=false"]),
    "gaussian": ((0.0582, 0.0701, 0.0800, 0.0900, 0.1080), True, []),
    "dae": ((0.0578, 0.0703, 0.0767, 0.0939, 0.1149), True, []),
    "blend": ((0.0578, 0.0703, 0.0767, 0.0939, 0.1149), True, []),
}

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path)
parser.add_argument("--binary", type=pathlib.Path, required=True)
parser.add_argument("--shared", type=pathlib.Path, required=True)
parser.add_argument("--only", choices=("leave-one-out", "few-shot", "durability"))
parser.add_argument("--rounds", type=int, default=20, help="of durability")
arguments = parser.parse_args()
checks, data = arguments.shared / "checks", arguments.shared / "data"
if not checks.exists() or not data.exists():
    print(f"SKIPPED: {arguments.shared} is absent: nothing was checked from outside against its data")
    sys.exit(77)
failures = 0


def run(script, *rest):
    """The JSON line a check prints, None when it stopped."""
    command = [sys.executable, checks / script, arguments.binary, *rest]
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print(f"{script} stopped with exit {done.returncode}: {done.stdout}{done.stderr[-2000:]}")
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def judge(good, answer, expected):
    global failures
    print("ok  " if good else "FAIL", json.dumps(answer), "expected", expected, flush=True)
    failures += not good


def is_close(found, wanted, may_be_better):
    return wanted is None or found >= wanted - TOLERANCE and (may_be_better or found <= wanted + TOLERANCE)


if arguments.only in (None, "leave-one-out"):
    for model, (low, high, options) in LEAVE_ONE_OUT.items():
        answer = run("loo.py", data / "ml-100k", model, *options)
        good = answer and low <= answer["ndcg@10"] <= high and answer["seen_items_returned"] == 0
        good = good and answer["answers"] == answer["users"] == 943
        judge(good, answer, (low, high))

if arguments.only in (None, "few-shot"):
    folder = data / "ml-1m-fewshot"
    for name, (wanted, may_be_better, options) in FEW_SHOT.items():
        answer = run("fewshot.py", folder, folder / "dev.queries.jsonl.gz", name.split()[0], *options)
        found = answer and [answer["ndcg@10"][k] for k in CONTEXTS]
        good = answer and all(is_close(f, w, may_be_better) for f, w in zip(found, wanted))
        judge(good, answer, wanted)

if arguments.only in (None, "durability"):
    run_folder = arguments.binary.parent / "Testing" / "shared-checks-run"
    if not (run_folder / "manifest.json").exists():
        subprocess.run([arguments.binary, "-q", "train", "--model", "popularity", "--data", data / "ml-100k",
                        "--out", run_folder], check=True)
    answer = run("durability.py", run_folder, data / "ml-100k", arguments.rounds)
    judge(answer and answer["lost"] == answer["twice"] == 0, answer, "0 lost, 0 twice")

sys.exit(failures > 0)
