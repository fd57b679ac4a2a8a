"""A learned policy against the best constant knobs, in the world of a served run, among users nobody has seen.

    .venv/bin/python bench/served_policy.py --binary build/release/honeyguide --source FOLDER --out OUT.md [--model gaussian] [--skips silent]
        [--other FOLDER] [--preset small] [--turns 20] [--slate 1] [--diversity 0] [--leave 0]

The users of FOLDER (interactions.csv.gz, items.csv.gz) are parted by a fixed draw: 60 % train the run, 20 % are those the policy learns from
and the constants are tuned on (exploration, novelty, content and, of slates, diversity: 40 random draws, then coordinate search from the best
three), 20 % are played. `learn` keeps the version that is best among a part of the second group. Every row plays the same users in the same
order, so differences are paired by play. Beside them what else must be beaten: random and popular films, the run without an inner step, with
another user's clicks, with a flat prior, Thompson sampling, and UCB, an exploration that falls as 1 / (1 + clicks) and SquareCB, each tuned on
the second group; and Q-learning over a menu of the knobs (knob_dqn). --learners adds those that learn the same actor otherwise, A2C, REINFORCE and evolution
search. --diversity: what the mean cosine distance of a slate's films is worth, in
hits; --leave: slates without a hit after which people leave. --other: the policies learned with FOLDER are played, instead, in a run of another
dataset, of whose users, items and belief they have seen nothing; the constants are tuned on that one.
"""
import argparse
import json
import pathlib
import random
import statistics
import tempfile

from machine import describe_machine
from program import Program, difference, sets
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
parser.add_argument("--diversity", type=float, default=0, help="worth of a slate's mean cosine distance, in hits")
parser.add_argument("--leave", type=int, default=0, help="slates without a hit after which people leave; 0 = never")
parser.add_argument("--train-set", action="append", default=[], help="options of the run's model: dim=64")
parser.add_argument("--learners", default="meta_policy,knob_dqn", help="also a2c, reinforce (of the same actor) and evolution")
parser.add_argument("--bare", action="store_true", help="beside greed and the tuned constants no other rows that learn nothing")
parser.add_argument("--seeds", type=int, default=5, help="policies learned")
parser.add_argument("--plays", type=int, default=10)
parser.add_argument("--episodes", type=int, default=600)
arguments = parser.parse_args()
program = Program(arguments.binary)

DQN = ["learn.steps=100000", "learn.users=64", "learn.evaluate_every=20000", "learn.evaluation_episodes=512"]
EVOLUTION = ["population=16", "episodes=64", "learn.steps=600000", "learn.users=64", "learn.evaluate_every=100000", "learn.evaluation_episodes=512"]
LEARNERS = {  # the agent and its settings
    "meta_policy": ("meta_policy", []),
    "a2c": ("meta_policy", ["outer=a2c"]),
    "reinforce": ("meta_policy", ["outer=reinforce"]),
    "knob_dqn": ("knob_dqn", ["head=knobs", *DQN]),
    "evolution": ("evolution", ["head=knobs", "knobs=state", *EVOLUTION]),
}
if unknown := set(arguments.learners.split(",")) - set(LEARNERS):
    parser.error(f"--learners: {', '.join(sorted(unknown))}: take of {', '.join(LEARNERS)}")
PRESET = f"meta_policy/{arguments.preset}"
VISIT = [f"skips={arguments.skips}", f"slate_size={arguments.slate}", f"step_limit={arguments.turns}"]
if arguments.diversity:
    VISIT.append(f"diversity={arguments.diversity}")
if arguments.leave:
    VISIT.append(f"leave.temper={arguments.leave}")
KNOBS = ("exploration", "novelty", "content", "diversity")[:3 if arguments.slate == 1 else 4]
ALPHAS = (-1, -0.5, -0.25, -0.1, 0.1, 0.25, 0.5, 1, 2)
GAMMAS = (30, 100, 300, 1000, 10_000)
POPULAR = "fixed_rule:feature=2,descending=false"  # the second signal is novelty


def world(folder, part, users, run="run", *changes):
    words = ["--world", f"served:{folder / run}"]
    for setting in (f"data={folder / part}", f"users={users}", *VISIT, *(["judged_share=0.99"] if part == "play" else []), *changes):
        words += ["--set", f"world.{setting}"]
    return words


def play(folder, policy, part, users, seed, run="run", *changes):
    return program.call("simulate", "run", *world(folder, part, users, run, *changes), "--policy", policy, "--episodes", arguments.episodes,
                        "--seeds", 1, "--seed", seed)["return"]["mean"]


def constants(knobs):
    return "constant_knobs:" + ",".join(f"{name}={value:g}" for name, value in zip(KNOBS, knobs))


def worth(folder, policy):
    """Among the users who are learned from."""
    return statistics.mean(play(folder, policy, "learn", "learn", seed) for seed in (7, 8, 9))


def allowed(knobs):
    return knobs[:3] + tuple(max(0, k) for k in knobs[3:])  # diversity is not below 0


def climb(folder, best, value):
    for step in (0.3, 0.15, 0.08):
        for knob in range(len(KNOBS)):
            for sign in (-1, 1):
                tried = allowed(tuple(round(k + sign * step * (i == knob), 3) for i, k in enumerate(best)))
                found = worth(folder, constants(tried))
                if found > value:
                    best, value = tried, found
    return best, value


def tune(folder):
    """The best constant of the learning users: as much looking as the learned policies get, and more than anybody does by hand."""
    draw = random.Random(7)
    drawn = [(0.0,) * len(KNOBS)] + [allowed(tuple(round(draw.uniform(-1, 1), 2) for _ in KNOBS)) for _ in range(40)]
    values = {knobs: worth(folder, constants(knobs)) for knobs in drawn}
    starts = sorted(drawn, key=values.get, reverse=True)[:3]
    return max((climb(folder, start, values[start]) for start in starts), key=lambda found: found[1])[0]


def tuned(folder, candidates):
    return max(candidates, key=lambda policy: worth(folder, policy))


def learn(folder, name, seed):
    """As long visits as are played, but for the presets that say how long themselves: the run, and the seconds it took."""
    agent, settings = LEARNERS[name]
    out = folder / f"{name}{seed}"
    visit = VISIT if arguments.preset == "small" else [v for v in VISIT if not v.startswith("step_limit")]
    how = ["--config", PRESET] if agent == "meta_policy" else []
    program.run("learn", "--agent", agent, *how, *sets(settings), "--world", f"served:{folder / 'run'}",
                *sets([f"data={folder / 'learn'}", *visit], "world."), "--seed", seed, "--out", out)
    return out, json.loads((out / "manifest.json").read_text())["seconds"]


def train_run(source, folder):
    """Runs of the first part of the users: the one that serves and, of a gaussian, one with a flat prior."""
    part_users(source, folder)
    for name, options in {"run": [], **({"flat": ["prior=flat"]} if arguments.model == "gaussian" else {})}.items():
        program.run("train", "--model", arguments.model, "--data", folder / "train", "--out", folder / name, "--seed", 7,
                    *sets([*arguments.train_set, *options]))


def other_rows(folder):
    """What is to be beaten beside greed and the tuned constants: how each is played."""
    greed = constants((0,) * len(KNOBS))
    rows = {
        "random": ("random",),
        "popular films": (POPULAR,),
        "greed, no inner step": (greed, "run", "context=none"),
        "greed, another user's clicks": (greed, "run", "context=shuffled"),
        "Thompson sampling": (greed, "run", "ranking=draw"),
        "tuned UCB": (tuned(folder, [f"constant_knobs:exploration={a}" for a in ALPHAS]),),
        "tuned exploration / (1 + clicks)": (tuned(folder, [f"constant_knobs:exploration={a},schedule=inverse" for a in ALPHAS]),),
        "tuned SquareCB": (tuned(folder, [f"constant_knobs:gamma={g}" for g in GAMMAS]),),
    }
    return rows | ({"greed, flat prior": (greed, "flat")} if arguments.model == "gaussian" else {})


def table(folder, best, learned):
    """Every policy played with the third part; of meta_policy every seed is told, of the others their mean."""
    rows = {"knobs at 0 (greed)": (constants((0,) * len(KNOBS)),), f"tuned {constants(best)}": (constants(best),)}
    seeds = {name: [f"{name}, seed {i + 1}" for i in range(len(runs))] for name, runs in learned.items()}
    rows |= {row: (run,) for name, runs in learned.items() for row, (run, _) in zip(seeds[name], runs)}
    if not arguments.bare:
        rows |= {f"{name}: {how[0]}" if name.startswith("tuned") else name: how for name, how in other_rows(folder).items()}
    plays = {name: [play(folder, policy, "play", "judge", 100 + p, *how) for p in range(arguments.plays)]
             for name, (policy, *how) in rows.items()}
    greedy, constant = (plays[name] for name in list(rows)[:2])
    for name, each in seeds.items():
        plays[f"{name}, mean of seeds"] = [statistics.mean(values) for values in zip(*(plays[row] for row in each))]
        if name != "meta_policy":
            plays = {row: values for row, values in plays.items() if row not in each}
    unit = "reward" if arguments.diversity else f"hits of {arguments.turns * arguments.slate}"
    lines = [f"| policy | {unit} | against greed | against tuned constants |", "|---|---|---|---|"]
    for name, values in plays.items():
        against = [difference([a - b for a, b in zip(values, other)], 3) if values != other else "" for other in (greedy, constant)]
        lines.append(f"| {name} | {statistics.mean(values):.3f} | {against[0]} | {against[1]} |")
    return lines


def title(learned):
    source = arguments.source.name + (f" -> {arguments.other.name}" if arguments.other else "")
    said = [source, " ".join([arguments.model, *arguments.train_set]), f"preset {arguments.preset}", f"skips={arguments.skips}",
            f"{arguments.turns} turns of {arguments.slate}"]
    if arguments.diversity:
        said.append(f"a slate's diversity is worth {arguments.diversity:g} hits")
    if arguments.leave:
        said.append(f"people leave after {arguments.leave} slates without a hit")
    took = ", ".join(f"{name} {statistics.mean(seconds for _, seconds in runs):.0f} s" for name, runs in learned.items())
    return f"{', '.join(said)}; learned in: {took}."


def main():
    with tempfile.TemporaryDirectory(prefix="hg-bench-") as temporary:
        folder = pathlib.Path(temporary) / arguments.source.name
        train_run(arguments.source, folder)
        seeds = range(1, arguments.seeds + 1)
        learned = {name: [learn(folder, name, seed) for seed in seeds] for name in arguments.learners.split(",")}
        played = folder
        if arguments.other:
            played = pathlib.Path(temporary) / f"other-{arguments.other.name}"
            train_run(arguments.other, played)
        lines = [title(learned), "", *table(played, tune(played), learned), "", describe_machine(), ""]
        pathlib.Path(arguments.out).write_text("\n".join(lines))


if __name__ == "__main__":
    main()
