"""The best simple row of each column, chosen on other users than those it is judged by, and what is left to the challenger.

    honeyguide evaluate --protocol few-shot ... --curves curves.json
    .venv/bin/python bench/best_row.py --curves curves.json --challenger blend --rows popularity,item_knn,ease,dae [--parts 5]

Nobody in the file was learned from by the row that served them. The users are parted at random; for each part and number of clicks the row
is taken that is best among the users of the other parts. Differences are paired over users, 95 % by bootstrap, p corrected after Holm.
"""
import argparse
import json

import numpy

parser = argparse.ArgumentParser()
parser.add_argument("--curves", required=True)
parser.add_argument("--challenger", required=True)
parser.add_argument("--rows", required=True, help="names of simple rows, by commas")
parser.add_argument("--parts", type=int, default=5)
parser.add_argument("--seed", type=int, default=7)
arguments = parser.parse_args()
DRAWS = 2_000


def chosen_and_values(rows, part_of):
    """rows: name -> [users] of those asked. Which row each part takes, and every user's value by the row of their part."""
    names, values = list(rows), numpy.array(list(rows.values()))
    taken, judged = [], numpy.empty(values.shape[1])
    for part in range(arguments.parts):
        own = part_of == part
        best = int(values[:, ~own].mean(axis=1).argmax())
        taken.append(names[best])
        judged[own] = values[best, own]
    return taken, judged


def bootstrap(difference, rng):
    means = numpy.array([difference[rng.integers(0, len(difference), len(difference))].mean() for _ in range(DRAWS)])
    p = 2 * min((means <= 0).mean(), (means >= 0).mean())
    return numpy.quantile(means, [0.025, 0.975]), min(1.0, max(p, 1 / DRAWS))


def holm(p_values):
    """Step-down: the smallest times their number, the next times one less, never falling."""
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, p_values[at] * (len(p_values) - rank)))
        adjusted[at] = highest
    return adjusted


def main():
    with open(arguments.curves, encoding="utf8") as file:
        curves = json.load(file)
    values = {row["name"]: numpy.array(row["values"], dtype=float) for row in curves["rows"]}
    wanted = [arguments.challenger, *arguments.rows.split(",")]
    if missing := [name for name in wanted if name not in values]:
        parser.error(f"{arguments.curves} has no row {', '.join(missing)}; it has {', '.join(values)}")
    rng = numpy.random.default_rng(arguments.seed)
    part_of_all = rng.permutation(len(curves["users"])) % arguments.parts
    lines, p_values = [], []
    for at, k in enumerate(curves["contexts"]):
        asked = ~numpy.isnan(values[arguments.challenger][at])
        rows = {name: values[name][at][asked] for name in arguments.rows.split(",")}
        taken, judged = chosen_and_values(rows, part_of_all[asked])
        mine = values[arguments.challenger][at][asked]
        (low, high), p = bootstrap(mine - judged, rng)
        p_values.append(p)
        counts = ", ".join(f"{name}{'' if taken.count(name) == arguments.parts else f' {taken.count(name)} of {arguments.parts}'}"
                           for name in dict.fromkeys(taken))
        lines.append([k, len(mine), counts, f"{judged.mean():.4f}", f"{mine.mean():.4f}", f"{(mine - judged).mean():+.4f} [{low:+.4f}, {high:+.4f}]"])
    print(f"| {'clicks known'} | users | row taken | it reaches | {arguments.challenger} | difference [95 %] | p (Holm) |")
    print("|---|---|---|---|---|---|---|")
    for line, p in zip(lines, holm(p_values)):
        print("| " + " | ".join(map(str, [*line, f"{p:.4f}"])) + " |")


if __name__ == "__main__":
    main()
