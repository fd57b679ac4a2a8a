"""Agents in RecSim's interest evolution (10 candidates, slate 2), over seeds, beside fixed policies.

    .venv/bin/python bench/interest_evolution.py --binary build/release/honeyguide --out OUT.md [--seeds 10]
        [--worlds fixed,anew] [--agents dqn,ppo]

Every agent learns with its own seed, keeps the version that did best on 128 held-out users, and is
then played for 500 episodes with users nobody has seen. Intervals are over seeds. An agent gets at
most STEPS steps and CAP seconds of learning, whichever comes first.
"""
import argparse
import json
import math
import pathlib
import statistics
import subprocess
import tempfile

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
     ["world.qualities=per_episode", "world.observe=feedback"],
     [("ppo with products", ["learning_rate=0.003", "products=true", "discount=0.995"])]),
]
ONLY = [name for name in arguments.agents.split(",") if name]


def wanted(rows):
    return [row for row in rows if not ONLY or row[0] in ONLY]


def call(*words):
    done = subprocess.run([arguments.binary, *words, "--json"], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{words}: {done.stderr}")
    return json.loads(done.stdout)


def sets(assignments):
    return [word for a in assignments for word in ("--set", a)]


def half_width(values):
    # Student's t at 95 % for the few seeds there are.
    t = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}
    n = len(values)
    return t.get(n, 2.0) * statistics.stdev(values) / math.sqrt(n) if n > 1 else math.nan


def play(policy, world, seed):
    return call("simulate", "run", "--world", "interest_evolution", "--policy", policy, "--episodes", "500",
                "--seeds", "1", "--seed", str(10_000 + seed), *sets(world))


def row(name, played, learned):
    values = [p["return"]["mean"] for p in played]
    cells = [name, f"{statistics.mean(values):.1f} +- {half_width(values):.1f}", f"{min(values):.1f}"]
    for metric in ("length", "coverage", "diversity"):
        cells.append(f"{statistics.mean(p[metric]['mean'] for p in played):.2f}")
    if learned:
        cells.append(f"{statistics.mean(l['steps'] for l in learned):,.0f}")
        cells.append(f"{statistics.mean(l['seconds'] for l in learned):.0f}")
    else:
        cells += ["-", "-"]
    return "| " + " | ".join(cells) + " |"


lines = []
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
                learned.append(call("learn", "--agent", name.split()[0], "--world", "interest_evolution", "--out", str(run),
                                    "--seed", str(seed), *sets([*options, *world, f"learn.steps={STEPS}",
                                                                f"learn.wall_seconds={CAP}"])))
                played.append(play(str(run), world, seed))
                if seed == 0:
                    curve = json.loads((run / "manifest.json").read_text())["fit"]["curve"]
                    curves.append(f"Curve of {name}, seed 0, {title}: " +
                                  " ".join(f"{p['step'] // 1000}k:{p['return']:.0f}" for p in curve))
            lines.append(row(name, played, learned))
            write()
        lines.append("")
