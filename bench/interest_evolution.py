"""Agents in RecSim's interest evolution (10 candidates, slate 2), over seeds, beside fixed policies.

    .venv/bin/python bench/interest_evolution.py --binary build/release/honeyguide --out OUT.md [--seeds 10]
        [--worlds fixed,anew] [--agents dqn,ppo]

Every agent learns with its own seed, keeps the version that did best on 128 held-out users, and is
then played for 500 episodes with users nobody has seen. Intervals are over seeds. An agent gets at
most STEPS steps and CAP seconds of learning, whichever comes first, unless its row below says otherwise.
"""
import argparse
import json
import pathlib
import statistics
import tempfile

from machine import describe_machine
from program import Program, with_interval

parser = argparse.ArgumentParser()
parser.add_argument("--binary", required=True)
parser.add_argument("--out", required=True)
parser.add_argument("--seeds", type=int, default=10)
parser.add_argument("--worlds", default="fixed,anew")
parser.add_argument("--agents", default="", help="only these rows, in both worlds")
arguments = parser.parse_args()

FIXED = [("random", []), ("affinity", []), ("fixed_rule", [])]
STEPS, CAP = 400_000, 120
LEARNED = [
    ("ppo", ["learning_rate=0.001"]),
    ("a2c", ["learning_rate=0.003", "gae_lambda=1", "rollout=32"]),
    ("reinforce", ["learning_rate=0.003"]),
    ("slate_q", ["n_step=20", "discount=0.995", "learning_rate=0.002", "updates_per_step=0.5"]),
    ("dqn", ["n_step=20", "discount=0.995", "learning_rate=0.002", "updates_per_step=2"]),
    ("lin_ucb", []),
]
# name, title, settings of the world, rows beside the others
WORLDS = [
    ("fixed", "qualities by topic fixed, topics and interests seen", [], []),
    ("anew", "qualities dealt anew per user, what clicks revealed is seen",
     ["qualities=per_episode", "observe=feedback"],
     [("ppo with products", ["learning_rate=0.003", "products=true", "discount=0.995"]),
      ("belief of ratings", ["answer=rating", "prior=flat", "alpha=1", "session_length=200",
                                             "learn.steps=1000"]),
      ("evolution of the knobs", ["lessons=0", "products=true", "session_length=60", "episodes=64", "deviation=0.5",
                                   "learn.steps=2000000", "learn.wall_seconds=200"])]),
]
ONLY = [name for name in arguments.agents.split(",") if name]


def wanted(rows):
    return [row for row in rows if not ONLY or row[0] in ONLY]


program = Program(arguments.binary)


def play(policy, world, seed):
    return program.play(policy, "interest_evolution", world, 10_000 + seed, 500)


def row(name, played, learned):
    values = [p["return"]["mean"] for p in played]
    cells = [name, with_interval(values), f"{min(values):.1f}"]
    for metric in ("length", "coverage", "diversity"):
        cells.append(f"{statistics.mean(p[metric]['mean'] for p in played):.2f}")
    if learned:
        cells.append(f"{statistics.mean(l['steps'] for l in learned):,.0f}")
        cells.append(f"{statistics.mean(l['seconds'] for l in learned):.0f}")
    else:
        cells += ["-", "-"]
    return "| " + " | ".join(cells) + " |"


lines = [describe_machine() + f" {arguments.seeds} seeds.", ""]
curves = []


def write():
    pathlib.Path(arguments.out).write_text("\n".join(lines + [""] + curves) + "\n")


with tempfile.TemporaryDirectory() as folder:
    for short, title, world, more in WORLDS:
        if short not in arguments.worlds.split(","):
            continue
        lines += [f"## {title}", "",
                  "| policy | return, mean and 95 % interval over seeds | worst seed | length | coverage | diversity | steps | seconds |",
                  "|---|---|---|---|---|---|---|---|"]
        for name, options in wanted(FIXED):
            lines.append(row(name, [play(name, world, s) for s in range(arguments.seeds)], []))
            write()
        for name, options in wanted(LEARNED + more):
            played, learned = [], []
            for seed in range(arguments.seeds):
                run = pathlib.Path(folder) / f"run-{len(lines)}-{seed}"
                budget = [f"learn.steps={STEPS}", f"learn.wall_seconds={CAP}"]
                learned.append(program.learn(run, name.split()[0], "interest_evolution", world, [*budget, *options], seed))
                played.append(play(str(run), world, seed))
                if seed == 0:
                    curve = json.loads((run / "manifest.json").read_text())["fit"]["curve"]
                    curves.append(f"Curve of {name}, seed 0, {title}: " +
                                  " ".join(f"{p['step'] // 1000}k:{p['return']:.0f}" for p in curve))
            lines.append(row(name, played, learned))
            write()
        lines.append("")
