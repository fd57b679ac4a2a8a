"""The rating task as a table: `honeyguide evaluate --protocol ratings --json` on datasets, or its saved outputs.

    bench/ratings.py --binary build/release/honeyguide --data ../shared/data/ml-100k ../shared/data/ml-1m --out ratings.md
"""
import argparse
import json
import pathlib
import subprocess

from machine import describe_machine

parser = argparse.ArgumentParser()
parser.add_argument("--binary", type=pathlib.Path, required=True)
parser.add_argument("--data", type=pathlib.Path, nargs="*", default=[])
parser.add_argument("--json", type=pathlib.Path, nargs="*", default=[], help="saved outputs instead of running")
parser.add_argument("--out", type=pathlib.Path, required=True)
arguments = parser.parse_args()


def evaluate(data):
    command = [arguments.binary, "evaluate", "--data", data, "--protocol", "ratings", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def mark(cell):
    """Bold: better than the baseline with 95 % confidence; (-): worse."""
    low, high = cell["mae_difference"]["bootstrap_95"]
    text = f"{cell['mae']:.4f} / {cell['rmse']:.4f}"
    return f"**{text}**" if high < 0 else f"{text} (-)" if low > 0 else text


def difference(cell, folds):
    low, high = cell["mae_difference"]["bootstrap_95"]
    return f"{cell['mae_difference']['mean']:+.4f} [{low:+.4f}, {high:+.4f}] {cell['folds_better']}/{folds}"


def table(result, items, show, leave_out=None):
    contexts = result["contexts"]
    lines = ["| learner | " + " | ".join(f"k = {k}" for k in contexts) + " |", "|---" * (len(contexts) + 1) + "|"]
    for row in result["rows"]:
        if row["learner"] == leave_out:
            continue
        cells = [c for c in row["cells"] if c["items"] == items]
        lines.append(f"| {row['learner']} | " + " | ".join(show(c) for c in cells) + " |")
    return "\n".join(lines)


def section(result):
    name = result["dataset"]["name"]
    text = [f"## {name}: {result['protocol_label']}; seed {result['seed']}\n"]
    for items in ("old", "new"):
        users, queries = result["users"][f"{items}_items"], result["queries"][f"{items}_items"]
        text.append(f"{items.capitalize()} items, MAE / RMSE ({users} users, {queries:,} ratings at every k):\n")
        text.append(table(result, items, mark) + "\n")
        text.append(f"{items.capitalize()} items, MAE less that of {result['baseline']}, 95 % interval, trials better:\n")
        text.append(table(result, items, lambda c: difference(c, result["folds"]), result["baseline"]) + "\n")
    seconds = ", ".join(f"{r['learner']} {r['fit_seconds'] / result['folds']:.0f}" for r in result["rows"])
    return "\n".join(text) + f"\nSeconds to fit, mean of the trials (one thread, shared cores): {seconds}.\n"


results = [json.loads(path.read_text()) for path in arguments.json] + [evaluate(data) for data in arguments.data]
arguments.out.write_text("\n".join(section(result) for result in results) + "\n" + describe_machine() + "\n")
