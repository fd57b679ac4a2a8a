"""The in-context policy, by what it learned from: acting, a log, a teacher; beside the belief that shares none of its weights.

    .venv/bin/python bench/in_context.py --binary build/release/honeyguide --data DATASET --out OUT.md [--seeds 5] [--worlds TEXT]

In every world and seed: a belief is learned (40,000 steps) and its bonus tuned on validation users; chance plays some thousand visits of users to
learn from, which is the log; a transformer of one size learns by PPO from first weights (RL2), from the log alone, from the log with
numbers of its own for every item, from the log and then by PPO, and by imitating the tuned belief. All are then played with users nobody has seen, the
same for every row; differences are paired by seed. "Another user's session": the policy of the log, shown what somebody else answered. DATASET: what
`ingest` made of MovieLens 100k.
"""
import argparse
import pathlib
import tempfile

from machine import describe_machine
from program import Program, changed, difference, parted, sets, with_interval

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--binary", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--out", type=pathlib.Path, required=True)
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--worlds", default="", help="only the worlds whose title has this text")
arguments = parser.parse_args()
program = Program(arguments.binary)

WORLDS = [  # title, world, its options, those of the users who judge, visits in the log, steps of learning
    ("linear, d = 4, 10 items, 12 types, 20 steps", "typed_bandit", ["arms=10", "dim=4", "types=12", "step_limit=20"], [], 5_000, 128_000),
    ("users of MovieLens 100k, 100 films, 20 steps", f"labels:{arguments.data}", ["items=100", "step_limit=20"], ["users=judge"], 2_000, 128_000),
]
ALPHAS = [0, 0.25, 0.5, 1, 1.5, 2]
NETWORK = ["session_length=20", "hidden=32", "taught_batch=128", "taught_updates=2", "rollout=20", "learning_rate=0.002"]


def play(policy, world, options, seed):
    return program.play(policy, world, options, seed, 2_000, "--users", "100")["return"]["mean"]


def played(folder, world, options, judged, visits, steps, seed):
    options = parted(world, options, seed)
    budget = ["learn.users=64", f"learn.steps={steps}", f"learn.evaluate_every={steps // 10}", "learn.evaluation_episodes=512"]

    def learn(name, agent, *settings, budget=budget):
        program.learn(folder / f"{name}-{seed}", agent, world, options, [*budget, *settings], seed)
        return folder / f"{name}-{seed}"

    belief = learn("belief", "belief", "session_length=20", "rollout=1", "learning_rate=0.03",
                   budget=["learn.users=64", "learn.steps=40000", "learn.evaluate_every=40000"])
    alpha = max(ALPHAS, key=lambda a: play(f"{belief}:alpha={a}", world, options, 500_000 + seed))
    log = folder / f"log-{seed}.jsonl"
    program.run("simulate", "run", "--world", world, *sets(options, "world."), "--policy", "random", "--seeds", 1, "--seed", 300_000 + seed,
                "--episodes", visits, "--log", log)
    from_log = learn("log", "in_context", *NETWORK, f"log={log}")
    rows = {
        "random": "random",
        "greed on a belief": belief,
        "the same with the tuned bonus": f"{belief}:alpha={alpha}",
        "in_context: PPO from first weights (RL2)": learn("acted", "in_context", *NETWORK),
        "in_context: from the log": from_log,
        "in_context: from the log, another user's session": f"{from_log}:context=shuffled",
        "in_context: from the log, numbers learned of every item": learn("items", "in_context", *NETWORK, f"log={log}", "item_embedding=8"),
        "in_context: from the log, then PPO": learn("both", "in_context", *NETWORK, f"log={log}", "taught_share=0.5"),
        "in_context: from the tuned belief": learn("taught", "in_context", *NETWORK, f"teacher={belief}:alpha={alpha}"),
    }
    log.unlink()
    here = changed(options, judged)
    return {name: play(policy, world, here, 900_000 + seed) for name, policy in rows.items()}


lines = [f"{describe_machine()} {arguments.seeds} seeds.", ""]
for title, world, options, judged, visits, steps in WORLDS:
    if arguments.worlds not in title:
        continue
    with tempfile.TemporaryDirectory(prefix="hg-bench-") as folder:
        results = [played(pathlib.Path(folder), world, options, judged, visits, steps, seed) for seed in range(arguments.seeds)]
    lines += [f"## {title}", "", f"The log: {visits:,} visits.", "", "| policy | reward of a visit | against greed on a belief | against RL2 |", "|---|---|---|---|"]
    for name in results[0]:
        values = [r[name] for r in results]
        against = [difference([r[name] - r[other] for r in results]) if name != other else ""
                   for other in ("greed on a belief", "in_context: PPO from first weights (RL2)")]
        lines.append(f"| {name} | {with_interval(values, 2)} | {against[0]} | {against[1]} |")
    lines.append("")
    arguments.out.write_text("\n".join(lines))
