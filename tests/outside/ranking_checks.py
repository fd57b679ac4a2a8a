"""The outside check of ranking quality (../shared/checks/loo.py) for popularity, ease and als on ml-100k.

Bounds are generous around the published values (popularity .045, EASE .0737, ALS .0708 NDCG@10): the check is
that the program, driven only by its command line, ranks as it should, not that it wins.
"""
import argparse
import json
import pathlib
import subprocess
import sys

BOUNDS = {  # model: (lowest, highest NDCG@10, options)
    "popularity": (0.040, 0.050, []),
    "ease": (0.070, 0.085, ["--set", "lambda=500"]),
    "als": (0.070, 0.085, []),
}

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path)
parser.add_argument("--binary", type=pathlib.Path, required=True)
parser.add_argument("--shared", type=pathlib.Path, required=True)
arguments = parser.parse_args()

check = arguments.shared / "checks" / "loo.py"
data = arguments.shared / "data" / "ml-100k"
if not check.exists() or not data.exists():
    print(f"SKIPPED: {check} or {data} is absent: ranking quality was NOT checked from outside")
    sys.exit(77)

failed = False
for model, (low, high, options) in BOUNDS.items():
    done = subprocess.run(
        [sys.executable, str(check), str(arguments.binary), str(data), model, *options],
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode != 0:
        print(f"{model}: the check stopped with exit {done.returncode}")
        failed = True
        continue
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    good = low <= answer["ndcg@10"] <= high and answer["seen_items_returned"] == 0
    good = good and answer["answers"] == answer["users"] == 943
    print("ok  " if good else "FAIL", json.dumps(answer), f"expected {low} .. {high}")
    failed = failed or not good
sys.exit(failed)
