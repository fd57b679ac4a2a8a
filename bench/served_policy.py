"""A learned policy against the best constant knobs, in the world of a served run, among users nobody has seen.

    .venv/bin/python bench/served_policy.py --binary build/release/honeyguide --source FOLDER --out OUT.md [--model gaussian] [--skips silent]
        [--other FOLDER] [--preset small] [--turns 20] [--slate 1]

The users of FOLDER (interactions.csv.gz, items.csv.gz) are parted by a fixed draw: 60 % train the run, 20 % are those the policy learns from
and the constants are tuned on (exploration, novelty, content: 40 random draws, then coordinate search from the best three), 20 % are
played. `learn` keeps the version that is best among a part of the second group. Every row plays the same users in the same order, so
differences are paired by play. --other: the policies learned with FOLDER are played, instead, in a run of another dataset, of whose users, items
and belief they have seen nothing; the constants are tuned on that one.
"""
import argparse
import json
import pathlib
import random
import statistics
import tempfile

from machine import describe_machine
from program import Program, difference
from user_parts import part_users

parser = argparse.ArgumentParser()
parser.add_argument("--binary", required=True)
parser.add_argument("--source", type=pathlib.Path, required=True)
parser.add_argument("--other", type=pathlib.Path)
parser.add_argument("--out", required=True)
parser.add_argument("--model", default="gaussian")
parser.add_argument("--preset", default="small", choices=["small", "base", "large"], help="of configs/meta_policy")
parser.add_argument("--skips", default="silent", choices=["silent", "events"])
parser.add_argument("--turns", type=int, default=20)
parser.add_argument("--slate", type=int, default=1, help="films shown in a turn")
parser.add_argument("--seeds", type=int, default=5, help="policies learned")
parser.add_argument("--plays", type=int, default=10)
parser.add_argument("--episodes", type=int, default=600)
arguments = parser.parse_args()
program = Program(arguments.binary)

PRESET = f"meta_policy/{arguments.preset}"
VISIT = [f"skips={arguments.skips}", f"slate_size={arguments.slate}", f"step_limit={arguments.turns}"]


def world(folder, part, users):
    words = ["--world", f"served:{folder / 'run'}"]
    for setting in (f"data={folder / part}", f"users={users}", *VISIT, *(["judged_share=0.99"] if part == "play" else [])):
        words += ["--set", f"world.{setting}"]
    return words


def play(folder, policy, part, users, seed):
    return program.call("simulate", "run", *world(folder, part, users), "--policy", policy, "--episodes", arguments.episodes,
                        "--seeds", 1, "--seed", seed)["return"]["mean"]


def constants(knobs):
    return "constant_knobs:" + ",".join(f"{name}={value:g}" for name, value in zip(("exploration", "novelty", "content"), knobs))


def worth(folder, knobs):
    return statistics.mean(play(folder, constants(knobs), "learn", "learn", seed) for seed in (7, 8, 9))


def climb(folder, best, value):
    for step in (0.3, 0.15, 0.08):
        for knob in range(3):
            for sign in (-1, 1):
                tried = tuple(round(k + sign * step * (i == knob), 3) for i, k in enumerate(best))
                found = worth(folder, tried)
                if found > value:
                    best, value = tried, found
    return best, value


def tune(folder):
    """The best constant of the learning users: as much looking as the learned policies get, and more than anybody does by hand."""
    draw = random.Random(7)
    drawn = [(0.0, 0.0, 0.0)] + [tuple(round(draw.uniform(-1, 1), 2) for _ in range(3)) for _ in range(40)]
    values = {knobs: worth(folder, knobs) for knobs in drawn}
    starts = sorted(drawn, key=values.get, reverse=True)[:3]
    return max((climb(folder, start, values[start]) for start in starts), key=lambda found: found[1])[0]


def learn(folder, seed):
    """As long visits as are played, but for the presets that say how long themselves."""
    out = folder / f"meta{seed}"
    visit = [word for setting in (f"data={folder / 'learn'}", *(VISIT if arguments.preset == "small" else VISIT[:2])) for word in ("--set", f"world.{setting}")]
    program.run("learn", "--agent", "meta_policy", "--config", PRESET, "--world", f"served:{folder / 'run'}", *visit, "--seed", seed, "--out", out)
    return out, json.loads((out / "manifest.json").read_text())["seconds"]


def train_run(source, folder):
    """A run of the first part of the users."""
    part_users(source, folder)
    program.run("train", "--model", arguments.model, "--data", folder / "train", "--out", folder / "run", "--seed", 7)


def table(folder, best, learned):
    """Every policy played with the third part."""
    rows = {"knobs at 0 (greed)": constants((0, 0, 0)), f"tuned {constants(best)}": constants(best)}
    rows |= {f"meta_policy, seed {i + 1}": run for i, (run, _) in enumerate(learned)}
    plays = {name: [play(folder, policy, "play", "judge", 100 + p) for p in range(arguments.plays)] for name, policy in rows.items()}
    greedy, tuned = (plays[name] for name in list(rows)[:2])
    plays["meta_policy, mean of seeds"] = [statistics.mean(values) for values in zip(*(plays[name] for name in list(rows)[2:]))]
    lines = [f"| policy | hits of {arguments.turns * arguments.slate} | against greed | against tuned constants |", "|---|---|---|---|"]
    for name, values in plays.items():
        against = [difference([a - b for a, b in zip(values, other)], 3) if values != other else "" for other in (greedy, tuned)]
        lines.append(f"| {name} | {statistics.mean(values):.3f} | {against[0]} | {against[1]} |")
    return lines


def main():
    with tempfile.TemporaryDirectory(prefix="hg-bench-") as temporary:
        folder = pathlib.Path(temporary) / arguments.source.name
        train_run(arguments.source, folder)
        learned = [learn(folder, seed) for seed in range(1, arguments.seeds + 1)]
        played = folder
        if arguments.other:
            played = pathlib.Path(temporary) / f"other-{arguments.other.name}"
            train_run(arguments.other, played)
        lines = [f"{arguments.source.name}{f' -> {arguments.other.name}' if arguments.other else ''}, {arguments.model}, preset {arguments.preset}, skips={arguments.skips}, {arguments.turns} turns of {arguments.slate}; "
                 f"learned in {statistics.mean(seconds for _, seconds in learned):.0f} s each.", "", *table(played, tune(played), learned)]
        pathlib.Path(arguments.out).write_text("\n".join([*lines, "", describe_machine(), ""]))


if __name__ == "__main__":
    main()
