"""Policies in small worlds whose Bayes-optimal policy is computed, over seeds.

    .venv/bin/python bench/small_worlds.py --binary build/release/honeyguide --out OUT.md [--seeds 5] [--more] [--no-evolution]
        [--worlds TEXT]

Every episode is another user, drawn from a prior. Learners meet the prior only through episodes; the optimum
knows it. Constant knobs (alpha of ucb, gamma of square_cb) are tuned on 4,000 validation episodes; everything is
then played for EPISODES episodes a seed with users nobody has seen, the same users for every policy, so that
differences are paired. Out of family: learned in the first world, played in a shifted one. Which kind of actor would be
deployed is chosen on validation users too: of those that lose nothing to greed under two other priors (not the ones judged by
below), the best in family; greed is among them.
"""
import argparse
import pathlib
import statistics
import tempfile

from machine import describe_machine
from program import Program, changed, half_width

parser = argparse.ArgumentParser()
parser.add_argument("--binary", required=True)
parser.add_argument("--out", required=True)
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--steps", type=int, default=200_000)
parser.add_argument("--episodes", type=int, default=4_000)
parser.add_argument("--more", action="store_true", help="also A2C, REINFORCE and the in-context policies")
parser.add_argument("--no-evolution", action="store_true", help="without its row, which takes longer than all others together")
parser.add_argument("--worlds", default="", help="only the worlds whose title has this text")
arguments = parser.parse_args()

BERNOULLI = ["redraw=episode"]
OTHER_RATES = [["high=0.5"], ["low=0.4"]]  # what actors are chosen on: as far from what was learned as the priors judged by
OTHER_TYPES = [["scale=1.3"], ["skew=0.4"]]
NOISIER = ("two answers of five are coin tosses", ["noise=0.4"])  # the noise the belief has learned is wrong
RARER = ("probabilities between 0 and .4", ["high=0.4"])
LIKELIER = ("probabilities between .5 and 1", ["low=0.5"])
TOSSED = ("two answers of five are coin tosses", ["low=0.2", "high=0.8"])  # .6 p + .2
WORLDS = [
    ("Bernoulli, 5 arms, 10 steps", "bernoulli_bandit", [*BERNOULLI, "arms=5", "step_limit=10"], "bayes_optimal",
     [RARER, LIKELIER, TOSSED], OTHER_RATES),
    ("Bernoulli, 5 arms, 20 steps", "bernoulli_bandit", [*BERNOULLI, "arms=5", "step_limit=20"], "bayes_optimal",
     [RARER, LIKELIER, TOSSED], OTHER_RATES),
    ("Bernoulli, 10 arms, 20 steps", "bernoulli_bandit", [*BERNOULLI, "arms=10", "step_limit=20"], "bayes_optimal",
     [RARER, LIKELIER, TOSSED], OTHER_RATES),
    ("Bernoulli, 3 arms, 50 steps", "bernoulli_bandit", [*BERNOULLI, "arms=3", "step_limit=50"], "bayes_optimal",
     [RARER, LIKELIER, TOSSED], OTHER_RATES),
    ("Linear, d = 2, 5 items, 8 types, 10 steps", "typed_bandit", ["step_limit=10"],
     "bayes_optimal:prior=types,step_limit=10",
     [("types of half the spread", ["scale=1.5"]), ("the first types four times as often", ["skew=0.5"]), NOISIER], OTHER_TYPES),
    ("Linear, d = 4, 4 items, 12 types, 12 steps", "typed_bandit",
     ["arms=4", "dim=4", "types=12", "step_limit=12"],
     "bayes_optimal:prior=types,arms=4,dim=4,types=12,step_limit=12",
     [("types of half the spread", ["scale=1.5"]), ("the first types more often", ["skew=0.3"]), NOISIER], OTHER_TYPES),
]
ALPHAS = [0.25, 0.5, 1, 1.5, 2]
GAMMAS = [10, 30, 100, 300]


program = Program(arguments.binary)


def play(policy, world, options, seed, episodes):
    return program.play(policy, world, options, seed, episodes, "--users", "200")["return"]["mean"]


def learn(folder, name, agent, world, options, settings, seed, steps, *more):
    run = folder / f"{name}-{seed}"
    program.learn(run, agent, world, options,
                  [*settings, f"learn.steps={steps}", "learn.users=128", f"learn.evaluate_every={max(steps // 10, 1)}",
                   "learn.evaluation_episodes=2048"], seed, *more)
    return str(run)


def chosen(kinds, world, options, others):
    """The name of the best kind of actor in family that is not worse than greed under any other prior; on validation users."""
    seeds = [600_000 + s for s in range(arguments.seeds)]

    def mean(policies, here):
        return statistics.mean(play(p, world, here, s, 4_000) for p, s in zip(policies, seeds))

    reached = {name: [mean(policies, changed(options, other)) for other in others] for name, policies in kinds.items()}
    safe = [name for name in kinds if all(own >= greedy for own, greedy in zip(reached[name], reached["greedy belief"]))]
    return max(safe, key=lambda name: mean(kinds[name], options))


def best(candidates, world, options):
    """The candidate with the best return on validation users."""
    return max(candidates, key=lambda policy: play(policy, world, options, 500_000, 4_000))


lines = [f"{describe_machine()} {arguments.seeds} seeds, {arguments.steps:,} steps of learning each, "
         f"{arguments.episodes:,} episodes of play each.", ""]


def cell(values, reference):
    """Mean return, and as a share of the reference played with the same users."""
    share = [100 * v / r for v, r in zip(values, reference)]
    return f"{statistics.mean(values):.3f} +- {half_width(values):.3f}", \
           f"{statistics.mean(share):.1f} % +- {half_width(share):.1f}"


for title, world, options, optimum, shifts, others in WORLDS:
    if arguments.worlds not in title:
        continue
    horizon = next(o.split("=")[1] for o in options if o.startswith("step_limit"))
    window = f"session_length={horizon}"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        rows = {}  # row -> one policy per seed
        beliefs, flat = [], []
        for seed in range(arguments.seeds):
            beliefs.append(learn(folder, "belief", "belief", world, options, [window, "rollout=1", "learning_rate=0.03"],
                                 seed, 60_000))
            flat.append(learn(folder, "flat", "belief", world, options, [window, "prior=flat"], seed, 1_000))
        alpha = best([f"{beliefs[0]}:alpha={a}" for a in ALPHAS], world, options).split(":")[1]
        fall = best([f"{beliefs[0]}:schedule=inverse_root,alpha={2 * a}" for a in ALPHAS], world, options).split(":")[1]
        fall_fast = best([f"{beliefs[0]}:schedule=inverse,alpha={4 * a}" for a in ALPHAS], world, options).split(":")[1]
        gamma = best([f"{beliefs[0]}:explore=square_cb,gamma={g}" for g in GAMMAS], world, options).split(":")[1]
        rows["random"] = ["random"] * arguments.seeds
        rows["no inner step (prior alone)"] = [f"{b}:context=none" for b in beliefs]
        rows["another user's session"] = [f"{b}:context=shuffled" for b in beliefs]
        rows["greedy, flat prior"] = flat
        rows["greedy belief"] = beliefs
        rows["Thompson"] = [f"{b}:explore=thompson" for b in beliefs]
        rows[f"SquareCB, tuned ({gamma.split(',')[1]})"] = [f"{b}:{gamma}" for b in beliefs]
        rows[f"UCB falling as 1 / root of t, tuned ({fall.split(',')[1]})"] = [f"{b}:{fall}" for b in beliefs]
        rows[f"UCB falling as 1 / t, tuned ({fall_fast.split(',')[1]})"] = [f"{b}:{fall_fast}" for b in beliefs]
        rows[f"best constant knob: UCB, tuned ({alpha})"] = [f"{b}:{alpha}" for b in beliefs]
        rows["RL2: PPO over a GRU"] = [
            learn(folder, "rl2", "ppo", world, options,
                  ["encoder=gru", window, "learning_rate=0.003", "discount=0.95", "entropy=0.01"],
                  seed, arguments.steps) for seed in range(arguments.seeds)]
        rows["meta_policy: PPO over the belief"] = [
            learn(folder, "meta", "meta_policy", world, options, [window], seed, arguments.steps)
            for seed in range(arguments.seeds)]
        rows["meta_policy, from the best constant knob"] = [
            learn(folder, "begun", "meta_policy", world, options, [window], seed, arguments.steps,
                  "--from", f"{b}:{alpha.split(',')[-1]}") for seed, b in enumerate(beliefs)]
        half = f"alpha={float(alpha.split('=')[1]) / 2:g}"
        rows["meta_policy, from half of the best constant knob"] = [
            learn(folder, "cautious", "meta_policy", world, options, [window], seed, arguments.steps,
                  "--from", f"{b}:{half}") for seed, b in enumerate(beliefs)]
        if not arguments.no_evolution:
            rows["evolution over the actor, from the best constant knob"] = [
                learn(folder, "tried", "evolution", world, options,
                      [window, "knobs=state", "lessons=0", "population=16", "episodes=256", "deviation=0.1"], seed,
                      15 * arguments.steps, "--from", f"{b}:{alpha.split(',')[-1]}") for seed, b in enumerate(beliefs)]
        rows["knob_dqn, from the best constant knob"] = [
            learn(folder, "menu", "knob_dqn", world, options, [window], seed, arguments.steps,
                  "--from", f"{b}:{alpha.split(',')[-1]}") for seed, b in enumerate(beliefs)]
        kinds = {row: rows[row] for row in rows if row == "greedy belief" or row.startswith(("meta_policy", "knob_dqn"))}
        kind = chosen(kinds, world, options, others)
        for outer, rollout in (("a2c", 5), ("reinforce", int(horizon))) if arguments.more else ():
            rows[f"meta_policy: {outer} over the belief"] = [
                learn(folder, outer, "meta_policy", world, options,
                      [window, f"outer={outer}", f"rollout={rollout}"], seed, arguments.steps)
                for seed in range(arguments.seeds)]
        if arguments.more:
            rows["in_context: PPO over a transformer"] = [
                learn(folder, "context", "in_context", world, options, [window], seed, arguments.steps)
                for seed in range(arguments.seeds)]
            knob = alpha.split(",")[-1]
            rows["in_context: distilled from the best constant knob"] = [
                learn(folder, "imitator", "in_context", world, options, [window, f"teacher={b}:{knob}"], seed,
                      arguments.steps) for seed, b in enumerate(beliefs)]
            rows["in_context: distilled from the optimum"] = [
                learn(folder, "distilled", "in_context", world, options, [window, f"teacher={optimum}"], seed,
                      arguments.steps) for seed in range(arguments.seeds)]
            rows["in_context: distilled, another user's session"] = [
                f"{p}:context=shuffled" for p in rows["in_context: distilled from the optimum"]]
        for heading, change, with_optimum in [("in family", [], True)] + [(h, c, False) for h, c in shifts]:
            here = changed(options, change)
            seeds = [900_000 + s for s in range(arguments.seeds)]
            returns = {row: [play(p, world, here, s, arguments.episodes) for p, s in zip(policies, seeds)]
                       for row, policies in rows.items()}
            returns[f"what would be deployed: {kind}"] = returns[kind]
            if with_optimum:
                returns["Bayes-optimal (knows the prior)"] = [
                    play(optimum, world, here, s, arguments.episodes) for s in seeds]
                reference, of = returns["Bayes-optimal (knows the prior)"], "share of the optimum"
            else:
                reference, of = returns["greedy belief"], "against greedy, paired"
            lines += [f"## {title}: {heading}", "", f"| policy | return | {of} |{' regret |' if with_optimum else ''}", "|---|---|---|" + "---|" * with_optimum]
            for row, values in returns.items():
                if row == "random" and not with_optimum:
                    continue
                mean, share = cell(values, reference)
                regret = f" {statistics.mean(reference) - statistics.mean(values):.3f} |" if with_optimum else ""
                lines.append(f"| {row} | {mean} | {share} |{regret}")
            lines.append("")
            pathlib.Path(arguments.out).write_text("\n".join(lines) + "\n")
            print("\n".join(lines[-len(returns) - 4:]), flush=True)
