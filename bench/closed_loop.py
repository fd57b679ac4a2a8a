"""The closed loop over seeds: log of world A -> learned world -> agent -> gate -> deployed in A.

    .venv/bin/python bench/closed_loop.py --binary build/release/honeyguide --out OUT.md [--seeds 20]

World A is RecSim's interest exploration with 5 candidates and one slot. The incumbent acts with a
share of uniform slates; from that log alone a world is fitted (3 feature and 2 sequence members), PPO
learns in it, and the gate judges PPO against the incumbent on the same log. Only then both are played
in A with users nobody has seen. Odd seeds have a random incumbent, even ones a rule that is nearly
optimal (the best-made document), so that the gate has something to hold.
The exploitation gap is the return an agent that learned in the feature family earns there, minus what
it earns in the sequence family of the same fit.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("--binary", required=True)
parser.add_argument("--out", required=True)
parser.add_argument("--seeds", type=int, default=20)
arguments = parser.parse_args()

A = ["--world", "interest_exploration", "--set", "world.n_candidates=5", "--set", "world.slate_size=1"]
LEARN = ["--agent", "ppo", "--set", "learn.steps=60000", "--set", "learn.evaluate_every=20000"]


def call(*words, allowed=(0,)):
    done = subprocess.run([arguments.binary, *words, "--json"], capture_output=True, text=True)
    if done.returncode not in allowed:
        raise SystemExit(f"{words}: {done.stderr}")
    return json.loads(done.stdout)


def play(policy, seed, *world):
    return call("simulate", "run", *(world or A), "--policy", policy, "--episodes", "1000", "--seeds", "1", "--seed",
                str(90_000 + seed))


def one(seed, folder):
    incumbent = "random" if seed % 2 else "fixed_rule:feature=2"
    log, world = str(folder / "log.jsonl"), str(folder / "world")
    call("simulate", "run", *A, "--policy", incumbent, "--episodes", "200", "--users", "200", "--seeds", "1", "--seed",
         str(seed), "--epsilon", "0.3", "--log", log)
    call("simulate", "fit", "--log", log, "--out", world, "--seed", str(seed))
    agent = str(folder / "agent")
    learned = call("learn", *LEARN, "--world", world, "--out", agent, "--seed", str(seed))
    decision = call("gate", "--candidate", agent, "--incumbent", incumbent, "--log", log, "--out",
                    str(folder / "decisions"), allowed=(0, 3))
    deployed, before = play(agent, seed), play(incumbent, seed)
    in_world = play(incumbent, seed, "--world", world)
    one_family = str(folder / "one_family")
    at_home = call("learn", *LEARN, "--world", world, "--out", one_family, "--seed", str(seed), "--set",
                   "world.family=feature")
    away = play(one_family, seed, "--world", world, "--set", "world.family=sequence")
    home = play(one_family, seed, "--world", world, "--set", "world.family=feature")
    true_lift = deployed["return"]["mean"] - before["return"]["mean"]
    return {
        "seed": seed, "incumbent": incumbent, "before": before["return"]["mean"], "deployed": deployed["return"]["mean"],
        "predicted_lift": learned["best_return"] - in_world["return"]["mean"], "true_lift": true_lift,
        "decision": decision["decision"], "reason": decision["reason"],
        "right": (decision["decision"] == "promote") == (true_lift >= -0.02 * before["return"]["mean"]),
        "false_promotion": decision["decision"] == "promote" and true_lift < -0.02 * before["return"]["mean"],
        "gap": home["return"]["mean"] - away["return"]["mean"], "home": home["return"]["mean"],
        "coverage": (before["coverage"]["mean"], deployed["coverage"]["mean"]),
        "novelty": (before["novelty"]["mean"], deployed["novelty"]["mean"]),
        "first_return": at_home["first_return"],
    }


rows = []
for seed in range(arguments.seeds):
    with tempfile.TemporaryDirectory() as folder:
        rows.append(one(seed, pathlib.Path(folder)))
    lines = ["| seed | incumbent | its return in A | deployed agent in A | predicted lift | true lift | gate | gate was | "
             "coverage before, after | topic entropy before, after | exploitation gap |", "|---|---|---|---|---|---|---|---|---|---|---|"]
    for r in rows:
        lines.append(
            f"| {r['seed']} | {r['incumbent']} | {r['before']:.2f} | {r['deployed']:.2f} | {r['predicted_lift']:+.2f} | "
            f"{r['true_lift']:+.2f} | {r['decision']} ({r['reason']}) | {'right' if r['right'] else 'wrong'} | "
            f"{r['coverage'][0]:.2f}, {r['coverage'][1]:.2f} | {r['novelty'][0]:.2f}, {r['novelty'][1]:.2f} | "
            f"{r['gap']:+.2f} of {r['home']:.2f} |")
    lines += ["", f"The gate was right in {sum(r['right'] for r in rows)} of {len(rows)} loops; false promotions: "
              f"{sum(r['false_promotion'] for r in rows)}. Mean predicted lift "
              f"{statistics.mean(r['predicted_lift'] for r in rows):+.2f}, mean true lift "
              f"{statistics.mean(r['true_lift'] for r in rows):+.2f}; mean exploitation gap "
              f"{statistics.mean(r['gap'] for r in rows):+.2f}."]
    pathlib.Path(arguments.out).write_text("\n".join(lines) + "\n")
