"""How many hits a visit brings where every model simply shows its best item, again and again, to users nobody has learned from.

    .venv/bin/python bench/simple_rows.py --binary build/release/honeyguide --source FOLDER --out OUT.md [--turns 5 20 50] [--slate 1]
        [--models ...]

The users of FOLDER (interactions.csv.gz, items.csv.gz) are parted as in served_policy.py: 60 % train every run, the last 20 % are
played, each once, beginning without a history. In a turn the run recommends its best items that were not shown yet (`honeyguide recommend`, all users in one
file); one that the user did rate is a hit and joins their history, one that was passed by is no event. Nothing is drawn, so users are all the
chance there is: intervals are of the mean over users, differences paired by user.
"""
import argparse
import csv
import gzip
import json
import pathlib
import statistics
import tempfile

from machine import describe_machine
from program import Program, difference
from user_parts import part_users

BLENDS = {"dae_ease": ["blend.rankers=[\"dae\",\"ease\"]"]}
MODELS = ["random", "popularity", "content_knn", "vector_db", "item_knn", "naive_bayes_lift", "sequential_rules", "wide_rules", "ease", "als", "dae",
          "dae_ease", "sasrec", "gaussian", "blend"]

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--binary", required=True)
parser.add_argument("--source", type=pathlib.Path, required=True)
parser.add_argument("--out", type=pathlib.Path, required=True)
parser.add_argument("--turns", type=int, nargs="+", default=[5, 20, 50])
parser.add_argument("--slate", type=int, default=1)
parser.add_argument("--models", nargs="+", default=MODELS)
arguments = parser.parse_args()
program = Program(arguments.binary)


def rated_of(folder):
    """{user: what they rated}"""
    rated = {}
    with gzip.open(folder / "interactions.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            rated.setdefault(row["user_id"], set()).add(row["item_id"])
    return rated


def train(folder, name):
    run = folder / name
    model, settings = ("blend", BLENDS[name]) if name in BLENDS else (name, [])
    program.run("train", "--model", model, "--data", folder / "dataset", "--out", run, "--seed", 7,
                *(word for setting in settings for word in ("--set", setting.removeprefix("blend."))))
    return run


def visits(folder, run, rated):
    """Hits of every user after every turn, [users][turns]; the items shown."""
    histories = {user: [] for user in rated}
    shown = {user: [] for user in rated}
    hits = {user: [] for user in rated}
    for _ in range(max(arguments.turns)):
        lines = (json.dumps({"user_id": user, "history": histories[user], "exclude": shown[user]}) for user in rated)
        (folder / "queries.jsonl").write_text("\n".join(lines) + "\n")
        program.run("recommend", "--run", run, "--input", folder / "queries.jsonl", "--output", folder / "answers.jsonl", "--k", arguments.slate)
        for line in (folder / "answers.jsonl").read_text().splitlines():
            answer = json.loads(line)
            user = answer["user_id"]
            items = [item["item_id"] for item in answer["items"]]
            found = [item for item in items if item in rated[user]]
            shown[user] += items
            histories[user] += found
            hits[user].append(len(found) + (hits[user][-1] if hits[user] else 0))
    return hits, shown


def main():
    turns = sorted(arguments.turns)
    with tempfile.TemporaryDirectory(prefix="hg-bench-") as temporary:
        folder = pathlib.Path(temporary) / arguments.source.name
        part_users(arguments.source, folder)
        program.run("ingest", folder / "train", "--out", folder / "dataset")
        program.run("encode", "--data", folder / "dataset", "--encoder", "fused")
        rated = rated_of(folder / "play")
        n_items = len(set().union(*rated_of(arguments.source).values()))
        played = {name: visits(folder, train(folder, name), rated) for name in arguments.models}
    base = played["popularity"][0]
    lines = [f"| row | first turn | {' | '.join(f'hits of {t}' for t in turns)} | {' | '.join(f'{t} turns, against popularity' for t in turns)} | shown |",
             "|---" * (3 + 2 * len(turns)) + "|"]
    for name, (hits, shown) in played.items():
        means = [statistics.mean(h[t - 1] for h in hits.values()) for t in turns]
        against = ["" if name == "popularity" else difference([hits[u][t - 1] - base[u][t - 1] for u in hits]) for t in turns]
        share = len(set().union(*map(set, shown.values()))) / n_items
        first = statistics.mean(h[0] for h in hits.values())
        lines.append(f"| {name} | {first:.3f} | {' | '.join(f'{m:.2f}' for m in means)} | {' | '.join(against)} | {100 * share:.0f} % |")
    arguments.out.write_text("\n".join([f"{arguments.source.name}, {len(rated)} users played, {n_items} items, slates of {arguments.slate}.", "", *lines, "",
                                        describe_machine(), ""]))


if __name__ == "__main__":
    main()
