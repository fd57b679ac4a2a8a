"""The closed loop over seeds: log of world A -> learned world -> agents -> gate -> deployed in A.

    .venv/bin/python bench/closed_loop.py --binary build/release/honeyguide --family FAMILY --out OUT.md [--seeds 20]

Families (FAMILIES below) are worlds A with their incumbents; odd seeds have the weak one, even seeds the good one. The
incumbent acts in A with a share of uniform slates; from that log alone a world is fitted; candidates learn in it, and the gate
judges each against the incumbent on the same log. Only then all are played in A with users nobody has seen. Candidates:

    learned  PPO in the feature members of the fit
    early    the same, stopped after a twentieth of the steps
    misled   PPO in one member fitted to the first decisions of the log: a world that can be exploited

The exploitation gap is what a candidate earns where it learned minus what it earns in the sequence members of the full fit,
a model class it has not seen. Rows go to OUT.md.jsonl as they are made, and a seed that is there is not done again.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile

FAMILIES = {
    "exploration": {
        "world": ["interest_exploration", "n_candidates=5", "slate_size=1"],
        "weak": "random", "good": "fixed_rule:feature=2",
    },
    "population": {
        "world": ["population", "n_items=5", "n_topics=2", "arrival_every=20", "step_limit=60"],
        "weak": "random", "good": "fixed_rule:feature=3",
    },
    "satisfaction": {
        "world": ["long_term_satisfaction", "sensitivity=0.3"],
        "weak": "random", "good": "fixed_rule:feature=0,descending=false",
    },
}
CANDIDATES = ("learned", "early", "misled")
MARGIN = 0.02  # of the incumbent: less is not worse, as for the gate

parser = argparse.ArgumentParser()
parser.add_argument("--binary", required=True)
parser.add_argument("--family", choices=FAMILIES, required=True)
parser.add_argument("--out", type=pathlib.Path, required=True)
parser.add_argument("--seeds", type=int, default=20)
parser.add_argument("--steps", type=int, default=40_000, help="learning steps")
arguments = parser.parse_args()
family = FAMILIES[arguments.family]


def settings(*pairs):
    return [word for pair in pairs for word in ("--set", pair)]


A = ["--world", family["world"][0], *settings(*("world." + pair for pair in family["world"][1:]))]


def call(*words, allowed=(0,)):
    done = subprocess.run([arguments.binary, "-q", *map(str, words), "--json"], capture_output=True, text=True)
    if done.returncode not in allowed:
        raise SystemExit(f"{words}: {done.stderr}")
    return json.loads(done.stdout)


def play(policy, seed, world):
    return call("simulate", "run", *world, "--policy", policy, "--episodes", 1000, "--seeds", 1, "--seed", 90_000 + seed)


def fit(log, out, seed, *pairs):
    call("simulate", "fit", "--log", log, "--out", out, "--seed", seed, *settings(*pairs))
    return str(out)


def learn(kind, world, out, seed):
    steps = arguments.steps // 20 if kind == "early" else arguments.steps
    call("learn", "--agent", "ppo", *world, "--out", out, "--seed", seed,
         *settings(f"learn.steps={steps}", f"learn.evaluate_every={steps // 2}", "learn.users=64", "discount=0.95"))
    return str(out)


def one(seed, folder):
    incumbent = family["weak" if seed % 2 else "good"]
    log = folder / "log.jsonl"
    call("simulate", "run", *A, "--policy", incumbent, "--episodes", 200, "--users", 200, "--seeds", 1, "--seed", seed,
         "--epsilon", 0.3, "--log", log)
    full = fit(log, folder / "world", seed, "max_decisions=6000", "feature_members=2", "sequence_members=2")
    tiny = fit(log, folder / "tiny", seed, "max_decisions=240", "feature_members=1", "sequence_members=0")
    unseen = ["--world", full, "--set", "world.family=sequence"]
    before = play(incumbent, seed, A)
    rows = []
    for kind in CANDIDATES:
        home = ["--world", tiny] if kind == "misled" else ["--world", full, "--set", "world.family=feature"]
        agent = learn(kind, home, folder / kind, seed)
        decision = call("gate", "--candidate", agent, "--incumbent", incumbent, "--log", log, "--out", folder / "decisions",
                        allowed=(0, 3))
        after, at_home = play(agent, seed, A), play(agent, seed, home)
        rows.append({
            "seed": seed, "incumbent": incumbent, "candidate": kind,
            "before": before["return"]["mean"], "after": after["return"]["mean"],
            "predicted": at_home["return"]["mean"] - play(incumbent, seed, home)["return"]["mean"],
            "decision": decision["decision"], "reason": decision["reason"],
            "home": at_home["return"]["mean"], "away": play(agent, seed, unseen)["return"]["mean"],
            "coverage": [before["coverage"]["mean"], after["coverage"]["mean"]],
            "entropy": [before["novelty"]["mean"], after["novelty"]["mean"]],
        })
    return rows


def is_worse(row):
    return row["after"] - row["before"] < -MARGIN * row["before"]


def verdict(row):
    promoted = row["decision"] == "promote"
    if is_worse(row):
        return "wrong: promoted a worse one" if promoted else "right"
    return "right" if promoted else "wrong: held one that is not worse"


def table(rows):
    lines = ["| seed | incumbent | candidate | incumbent in A | candidate in A | predicted lift | true lift | gate | gate was | "
             "coverage before, after | entropy before, after | exploitation gap |",
             "|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for r in rows:
        lines.append(
            f"| {r['seed']} | {'weak' if r['seed'] % 2 else 'good'} | {r['candidate']} | {r['before']:.2f} | {r['after']:.2f} | "
            f"{r['predicted']:+.2f} | {r['after'] - r['before']:+.2f} | {r['decision']} ({r['reason']}) | {verdict(r)} | "
            f"{r['coverage'][0]:.2f}, {r['coverage'][1]:.2f} | {r['entropy'][0]:.2f}, {r['entropy'][1]:.2f} | "
            f"{r['home'] - r['away']:+.2f} of {r['home']:.2f} |")
    return lines


def summary(rows):
    lines = ["| candidate | truly worse: held | truly worse: promoted | not worse: promoted | not worse: held | "
             "mean predicted lift | mean true lift | mean exploitation gap |", "|---|---|---|---|---|---|---|---|"]
    for kind in [*CANDIDATES, "all"]:
        mine = [r for r in rows if kind in ("all", r["candidate"])]
        count = {(worse, decision): sum(is_worse(r) == worse and r["decision"] == decision for r in mine)
                 for worse in (True, False) for decision in ("hold", "promote")}
        lines.append(
            f"| {kind} | {count[True, 'hold']} | {count[True, 'promote']} | {count[False, 'promote']} | {count[False, 'hold']} | "
            f"{statistics.mean(r['predicted'] for r in mine):+.2f} | {statistics.mean(r['after'] - r['before'] for r in mine):+.2f} | "
            f"{statistics.mean(r['home'] - r['away'] for r in mine):+.2f} |")
    return lines


kept = arguments.out.with_name(arguments.out.name + ".jsonl")
rows = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
done = {r["seed"] for r in rows}
for seed in range(arguments.seeds):
    if seed not in done:
        with tempfile.TemporaryDirectory() as folder:
            made = one(seed, pathlib.Path(folder))
        rows += made
        with kept.open("a") as file:
            file.writelines(json.dumps(row) + "\n" for row in made)
    arguments.out.write_text("\n".join([*table(rows), "", *summary(rows)]) + "\n")
