"""What to ask newcomers for: hits by turn 5 after a first screen of ten items, by how the ten were chosen.

    .venv/bin/python bench/onboarding.py --binary build/release/honeyguide --data INTERACTIONS.csv.gz --out OUT.md

Five folds over users. A model (gaussian) is trained on the others; a held-out user sees ten items and taps
those they have in the data: no tap is "I don't know it", not a dislike. Then five turns of one recommendation each; a hit
is an item they have, and the model is told of it. Nobody is shown what is on any of the screens, so that every row has the
same items left to find.
"""
import argparse
import csv
import gzip
import json
import pathlib
import random
import statistics
import subprocess
import tempfile

from machine import describe_machine
from program import Program

parser = argparse.ArgumentParser()
parser.add_argument("--binary", required=True)
parser.add_argument("--data", required=True, help="a CSV of user_id,item_id,...")
parser.add_argument("--out", required=True)
parser.add_argument("--folds", type=int, default=5)
parser.add_argument("--asked", type=int, default=10)
arguments = parser.parse_args()
program = Program(arguments.binary)
TURNS = 5
STRATEGIES = ["popularity", "entropy", "evidence", "information"]


def read_users():
    users = {}
    with gzip.open(arguments.data, "rt", newline="") as file:
        for row in csv.DictReader(file):
            users.setdefault(row["user_id"], dict())[row["item_id"]] = None
    return {user: list(items) for user, items in users.items() if len(items) >= 20}


def write_training(folder, users, held_out):
    (folder / "data").mkdir()
    (folder / "data/dataset.toml").write_text('time = "none"\n')
    with open(folder / "data/interactions.csv", "w") as file:
        file.write("user_id,item_id\n")
        file.writelines(f"{user},{item}\n" for user, items in users.items() if user not in held_out for item in items)


def recommend(folder, queries):
    (folder / "queries.jsonl").write_text("".join(json.dumps(q) + "\n" for q in queries))
    subprocess.run([arguments.binary, "recommend", "--run", str(folder / "run"), "--input", str(folder / "queries.jsonl"),
                    "--k", "1", "--output", str(folder / "answers.jsonl")], check=True, capture_output=True)
    return [json.loads(line)["items"][0]["item_id"] for line in open(folder / "answers.jsonl")]


def hits_of(folder, users, held_out, asked, hidden):
    """Hits by turn 5 of every held-out user who is asked for `asked`, and the taps."""
    known = {u: [i for i in asked if i in users[u]] for u in held_out}
    taps = {u: len(items) for u, items in known.items()}
    shown = {u: list(hidden) for u in held_out}
    hits = dict.fromkeys(held_out, 0)
    for _ in range(TURNS):
        queries = [{"user_id": f"new-{u}", "history": known[u], "exclude": shown[u]} for u in held_out]
        for user, item in zip(held_out, recommend(folder, queries)):
            shown[user].append(item)
            if item in users[user]:
                hits[user] += 1
                known[user].append(item)
    return hits, taps


users = read_users()
order = sorted(users)
random.Random(7).shuffle(order)
hits, taps = {}, {}
for fold in range(arguments.folds):
    held_out = order[fold::arguments.folds]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_training(folder, users, set(held_out))
        program.call("ingest", str(folder / "data"), "--out", str(folder / "set"))
        subprocess.run([arguments.binary, "train", "--model", "gaussian", "--data", str(folder / "set"), "--out",
                        str(folder / "run")], check=True, capture_output=True)
        screens = {by: [i["item_id"] for i in program.call(
            "inspect", "onboarding", "--run", str(folder / "run"), "--data", str(folder / "set"), "--by", by, "--k",
            str(arguments.asked))["items"]] for by in STRATEGIES}
        popular = [i["item_id"] for i in program.call(
            "inspect", "onboarding", "--run", str(folder / "run"), "--data", str(folder / "set"), "--by", "popularity",
            "--k", "200")["items"]]
        screens["random of the 200 most popular"] = random.Random(fold).sample(popular, arguments.asked)
        hidden = sorted({item for screen in screens.values() for item in screen})
        screens["nothing asked"] = []
        for by, asked in screens.items():
            found, tapped = hits_of(folder, users, held_out, asked, hidden)
            hits.setdefault(by, {}).update(found)
            taps.setdefault(by, {}).update(tapped)


def interval(values):
    mean = statistics.mean(values)
    half = 1.96 * statistics.stdev(values) / len(values) ** 0.5
    return mean, half


lines = [f"{describe_machine()} {len(order)} users in {arguments.folds} folds, {arguments.asked} items asked for.", "",
         "| first screen | taps | hits by turn 5 | against popularity, paired |", "|---|---|---|---|"]
for by, found in sorted(hits.items(), key=lambda row: -statistics.mean(row[1].values())):
    mean, half = interval(list(found.values()))
    gain, width = interval([found[u] - hits["popularity"][u] for u in order])
    against = "" if by == "popularity" else f"{gain:+.3f} [{gain - width:+.3f}, {gain + width:+.3f}]"
    lines.append(f"| {by} | {statistics.mean(taps[by].values()):.2f} | {mean:.3f} +- {half:.3f} | {against} |")
pathlib.Path(arguments.out).write_text("\n".join(lines) + "\n")
print("\n".join(lines))
