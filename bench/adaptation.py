"""How fast policies find out what a world is like: interest evolution with qualities and tastes drawn per task.

    .venv/bin/python bench/adaptation.py --binary build/release/honeyguide --out OUT.md [--seeds 5]

A task is a user whose topics have other qualities. After 1, 2, 5, 10 and 20 steps in it: the mean quality of what is clicked
(its rating, -3 to 3) in the three steps that follow, beside agents that need not find out (learned in that very world; by
symmetry any one world stands for all, as topics are exchangeable) and agents that do not (learned in another world; in the
average of all, without a memory).
"""
import argparse
import pathlib
import statistics
import tempfile

from machine import describe_machine
from program import Program, with_interval

parser = argparse.ArgumentParser()
parser.add_argument("--binary", required=True)
parser.add_argument("--out", required=True)
parser.add_argument("--seeds", type=int, default=5)
arguments = parser.parse_args()
program = Program(arguments.binary)

WORLD = "interest_evolution"
ANEW = ["qualities=per_episode", "observe=feedback"]
KNOWN = [0, 1, 2, 5, 10, 20]
AFTER = 3  # steps averaged
REINFORCE = ["learning_rate=0.003", "learn.steps=400000", "learn.wall_seconds=120"]
PPO = ["learning_rate=0.001", "learn.steps=400000", "learn.wall_seconds=120"]
EVOLUTION = ["lessons=0", "products=true", "session_length=60", "episodes=64", "deviation=0.5", "learn.steps=2000000",
             "learn.wall_seconds=200"]
BELIEF = ["answer=rating", "prior=flat", "alpha=1", "session_length=200", "learn.steps=1000"]
ACTOR = ["session_length=100", "discount=0.99", "rollout=25", "learn.steps=60000", "learn.evaluate_every=10000", "learn.wall_seconds=200"]
MENU = ["session_length=60", "learn.steps=300000", "learn.evaluate_every=60000", "learn.wall_seconds=200"]
SHORT = [s.replace("session_length=60", "session_length=20") for s in EVOLUTION]  # of the in-context policies' teacher
IN_CONTEXT = ["session_length=20", "products=true", "hidden=32", "transformer.layers=1", "transformer.heads=1",
              "learn.steps=100000", "learn.users=32", "learn.evaluate_every=25000", "learn.evaluation_episodes=64",
              "learn.wall_seconds=200"]
TAUGHT = ["taught_updates=0.5", "taught_batch=256"]


def learned(folder, seed):
    """name -> (policy, world it is played in)"""

    def learn(name, agent, world, settings, *more):
        program.learn(folder / name, agent, WORLD, world, settings, seed, *more)
        return str(folder / name)

    own = learn("own", "reinforce", [], REINFORCE)
    # Another world has other numbers to see: the same agent in the world dealt anew, without feedback.
    belief = learn("belief", "belief", ANEW, BELIEF)
    teacher = learn("teacher", "evolution", ANEW, SHORT)
    return {
        "random": ("random", ANEW),
        "greedy affinity": ("affinity", ANEW),
        "learned in another world, no memory": (own, ["qualities=per_episode"]),
        "learned in the average world, no memory": (learn("average", "ppo", ["qualities=per_episode"], PPO),
                                                    ["qualities=per_episode"]),
        "in_context: PPO over a transformer": (learn("context", "in_context", ANEW, IN_CONTEXT), ANEW),
        "in_context: distilled from evolution": (
            learn("distilled", "in_context", ANEW, [*IN_CONTEXT, *TAUGHT, f"teacher={teacher}"]), ANEW),
        "belief of ratings, constant knob": (belief, ANEW),
        "meta_policy: PPO over that belief, begun with the constant": (
            learn("actor", "meta_policy", ANEW, ACTOR, "--from", f"{belief}:alpha=1"), ANEW),
        "knob_dqn: Q-learning over a menu of constants, a belief of clicks": (learn("menu", "knob_dqn", ANEW, MENU), ANEW),
        "evolution of knobs over the belief": (learn("evolution", "evolution", ANEW, EVOLUTION), ANEW),
        "learned in that very world": (own, []),
    }


rows = {}
with tempfile.TemporaryDirectory() as name:
    for seed in range(arguments.seeds):
        folder = pathlib.Path(name) / str(seed)
        folder.mkdir()
        for row, (policy, world) in learned(folder, seed).items():
            played = program.play(policy, WORLD, world, 10_000 + seed, 500, "--turns", str(KNOWN[-1] + AFTER))
            quality = [statistics.mean(played[f"rating_of_turn_{k + 1 + i:03}"]["mean"] for i in range(AFTER)) for k in KNOWN]
            rows.setdefault(row, []).append([*quality, played["return"]["mean"]])
        lines = [f"{describe_machine()} {seed + 1} seeds.", "",
                 "| policy | " + " | ".join(f"after {k}" for k in KNOWN) + " | return |", "|---|" + "---|" * (len(KNOWN) + 1)]
        for row, values in rows.items():
            columns = list(zip(*values))
            lines.append(f"| {row} | " + " | ".join([with_interval(c, 2) for c in columns[:-1]] + [with_interval(columns[-1])]) +
                         " |")
        pathlib.Path(arguments.out).write_text("\n".join(lines) + "\n")
        print("\n".join(lines), flush=True)
