"""Does exploring pay, does planning pay: horizon x how new the items are x whether users leave.

    .venv/bin/python bench/regimes.py --binary build/release/honeyguide --data DATASET --out OUT.md [--seeds 5]
        [--cells TEXT] [--actors ppo,evolution]

In every cell and seed a belief is learned; the constant bonus alpha of UCB is tuned on validation users; two actors begin with both and
learn what to do in which state, by PPO (meta_policy) and by trying (evolution over the last layer of the same actor), or, where --actors
says so, by Q-learning over a menu of constants (knob_dqn) or by a transformer over what was shown, clicked and passed by that imitates the
best constant and then goes on by PPO (in_context, which needs no belief); then all are played with users nobody has seen, the same for
every policy. Exploring pays where the best constant beats greed on the same belief, planning where an actor beats the best constant; of
several actors the one counts that did better on the validation users. A second table has what else must be beaten: rules that learn nothing
(the best of them by the validation users), the belief without a learned prior or with somebody else's session, SquareCB and a bonus that
falls as 1 / t, both tuned; and, where items arrive, PPO over all that a policy may see, without a belief. A third says how good the first
turn is, how far each step is from the best that could be shown, how long users stay and how many of the items are shown. DATASET: what
`ingest` made of MovieLens 100k.
"""
import argparse
import pathlib
import statistics
import tempfile
import types

from machine import describe_machine
from program import Program, changed, half_width, parted, with_interval

parser = argparse.ArgumentParser()
parser.add_argument("--binary", required=True)
parser.add_argument("--data", required=True)
parser.add_argument("--out", required=True)
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--actors", default="ppo,evolution", help="those that learn: ppo, evolution, knob_dqn, in_context")
parser.add_argument("--cells", default="", help="only the cells whose title has this text")
arguments = parser.parse_args()
if unknown := set(arguments.actors.split(",")) - {"ppo", "evolution", "knob_dqn", "in_context"}:
    parser.error(f"--actors: {', '.join(sorted(unknown))}: take of ppo, evolution, knob_dqn, in_context")
program = Program(arguments.binary)

ALPHAS = [0, 0.25, 0.5, 1, 1.5, 2, 3]
GAMMAS = [10, 30, 100, 300]
POPULARITY = "fixed_rule:feature=-1,descending=false"  # worlds of labels number their items so
WIDEST_RULE = 12  # numbers of an item that a rule may rank by
LEAVE = ["leave.temper=4"]  # four slates without a click


class Cell:
    """One world; `judged`: what is changed for the users who judge."""

    def __init__(self, title, horizon, items, leave, world, options, judged=(), steps=100_000, users=128, episodes=4_000,
                 tried=256, seconds=60, sees_all=False):
        self.title, self.horizon, self.items, self.leave = title, horizon, items, leave
        self.world, self.options, self.judged = world, [*options, *(LEAVE if leave else [])], list(judged)
        self.steps, self.users, self.episodes, self.tried, self.seconds = steps, users, episodes, tried, seconds
        self.sees_all = sees_all


def cells(learned_world):
    for horizon in (5, 20, 50):
        yield Cell(f"(a) Bernoulli, 5 arms, {horizon} steps", horizon, "all new to each user", False, "bernoulli_bandit",
                   ["redraw=episode", "arms=5", f"step_limit={horizon}"])
    for leave in (False, True):
        for horizon in (5, 20, 50):
            yield Cell(f"({'e' if leave else 'a'}) linear, d = 4, 10 items, 12 types, {horizon} steps", horizon,
                       "known", leave, "typed_bandit", ["arms=10", "dim=4", "types=12", f"step_limit={horizon}"])
    for leave in (False, True):
        for horizon in (5, 20, 50):
            yield Cell(f"({'e' if leave else 'b'}) users of MovieLens 100k, {horizon} steps", horizon, "known", leave,
                       f"labels:{arguments.data}", ["items=400", f"step_limit={horizon}"], ["users=judge"], 20_000, 64, 1_000, 64, 20)
        yield Cell(f"({'e' if leave else 'b'}) users of MovieLens 100k, 20 slates of 5", 20, "known", leave, f"labels:{arguments.data}",
                   ["items=400", "step_limit=20", "slate_size=5"], ["users=judge"], 20_000, 64, 1_000, 64, 20)
    for horizon in (5, 20, 50):
        yield Cell(f"(c) learned from MovieLens 100k: feature models, judged by sequence models, {horizon} steps", horizon, "known",
                   False, learned_world, ["slate_size=1", f"step_limit={horizon}", "family=feature"], ["family=sequence"], 20_000, 64,
                   1_000, 128, 25)
    for every in (0, 20, 5):
        yield Cell(f"(d) population, 200 users, {'no arrivals' if every == 0 else f'a new item every {every} users'}", 200,
                   "none arrive" if every == 0 else f"one in {every} steps", False, "population",
                   [f"arrival_every={every}", "step_limit=200"], steps=100_000, users=64, episodes=400, tried=64, seconds=25,
                   sees_all=True)


def watch(policy, cell, options, seed, episodes):
    users = str(min(100, episodes))
    return program.play(policy, cell.world, options, seed, episodes, "--users", users, "--turns", "1")


def play(policy, cell, options, seed, episodes):
    return watch(policy, cell, options, seed, episodes)["return"]["mean"]


def details(seen):
    return {"reward": seen["return"]["mean"], "first": seen["reward_of_turn_001"]["mean"], "length": seen["length"]["mean"],
            "regret": seen.get("regret_per_step", {}).get("mean"), "coverage": 100 * seen["coverage"]["mean"]}


def best(candidates, cell, seed, policy_of=lambda candidate: candidate):
    """The candidate that earns most from validation users."""
    return max(candidates, key=lambda c: play(policy_of(c), cell, cell.options, 500_000 + seed, cell.episodes))


def rules(cell):
    """That learn nothing and fit the world: popularity, nearness to the user's numbers, one number of an item."""
    fitting = [POPULARITY]
    for rule in ["affinity", *(f"fixed_rule:feature={f}" for f in range(WIDEST_RULE)),
                 *(f"fixed_rule:feature={f},descending=false" for f in range(WIDEST_RULE))]:
        try:
            play(rule, cell, cell.options, 1, 64)
        except SystemExit:
            continue
        fitting.append(rule)
    return fitting


def played(cell, fitting_rules, folder, seed):
    """For one seed: what was reached by row, and the constant that was chosen."""
    cell = types.SimpleNamespace(**{**vars(cell), "options": parted(cell.world, cell.options, seed)})
    window = f"session_length={min(cell.horizon, 50)}"
    budget = [f"learn.users={cell.users}", f"learn.evaluation_episodes={4 * cell.tried}"]
    belief = folder / f"belief-{seed}"
    program.learn(belief, "belief", cell.world, cell.options,
                  [window, "rollout=1", "learning_rate=0.03", *budget, "learn.steps=40000", "learn.evaluate_every=40000"], seed)
    alpha = best(ALPHAS, cell, seed, lambda a: f"{belief}:alpha={a}")
    begun = ["--from", f"{belief}:alpha={alpha}"]
    tried = 15 * cell.steps
    lessons = {
        "ppo": ("meta_policy", cell.steps, ["discount=0.99", f"rollout={min(cell.horizon, 25)}"], begun),
        "evolution": ("evolution", tried, ["knobs=state", "lessons=0", "population=16", "deviation=0.1", f"episodes={cell.tried}",
                                           f"learn.wall_seconds={cell.seconds}"], begun),
        "knob_dqn": ("knob_dqn", 3 * cell.steps, [], begun),
        "in_context": ("in_context", 2 * cell.steps, [f"teacher={belief}:alpha={alpha}", "taught_share=0.8", f"rollout={min(cell.horizon, 25)}"], []),
    }
    actors = {}
    for name in arguments.actors.split(","):
        agent, steps, options, start = lessons[name]
        actors[name] = folder / f"{name}-{seed}"
        program.learn(actors[name], agent, cell.world, cell.options,
                      [window, *options, *budget, f"learn.steps={steps}", f"learn.evaluate_every={steps // 5}"], seed, *start)
    actor = best(actors, cell, seed, actors.get)
    flat = folder / f"flat-{seed}"
    program.learn(flat, "belief", cell.world, cell.options, [window, "prior=flat", *budget, "learn.steps=1000"], seed)
    rule = best(fitting_rules, cell, seed)
    others = {"rule": rule, "flat": flat, "shuffled": f"{belief}:context=shuffled",
              "squarecb": best([f"{belief}:explore=square_cb,gamma={g}" for g in GAMMAS], cell, seed),
              "falling": best([f"{belief}:schedule=inverse,alpha={3 * a:g}" for a in ALPHAS], cell, seed)}
    if cell.sees_all:
        others["sees_all"] = folder / f"sees-all-{seed}"
        program.learn(others["sees_all"], "ppo", cell.world, cell.options,
                      ["products=true", "discount=0.95", *budget, f"learn.steps={3 * cell.steps}",
                       f"learn.evaluate_every={3 * cell.steps // 5}"], seed)
    judged = changed(cell.options, cell.judged)
    rows = {"random": "random", "prior": f"{belief}:context=none", "greedy": belief, "thompson": f"{belief}:explore=thompson",
            "constant": f"{belief}:alpha={alpha}", **actors}
    reached = {row: details(watch(policy, cell, judged, 900_000 + seed, cell.episodes)) for row, policy in (rows | others).items()}
    return {**reached, "actor": reached[actor]}, alpha, rule.removeprefix("fixed_rule:"), list(rows)


def gain(results, row, over):
    """Per cent of `over`, paired by seed; marked where the interval leaves 0 out."""
    values = [100 * (r[row]["reward"] / r[over]["reward"] - 1) for r in results]
    mean, half = statistics.mean(values), half_width(values)
    text = f"{mean:+.1f} % [{mean - half:+.1f}, {mean + half:+.1f}]"
    return f"**{text}**" if abs(mean) > half else text


TITLES = ["world", "items", "users leave", "random", "prior alone", "greedy", "Thompson", "best constant (alpha)",
          *({"ppo": "PPO"}.get(name, name) for name in arguments.actors.split(",")),
          "exploring pays: constant over greedy", "planning pays: actor over constant"]
HEAD = ["| " + " | ".join(TITLES) + " |", "|---" * len(TITLES) + "|"]
OTHERS = ["rule", "flat", "shuffled", "squarecb", "falling", "sees_all"]
OTHER_HEAD = ["| world | best constant | actor | best rule that learns nothing (which) | flat prior | another user's session | SquareCB | "
              "bonus falling as 1 / t | PPO over all it may see | that PPO over the best rule |", "|---" * 10 + "|"]
DETAIL_HEAD = ["| world | policy | reward | of the first turn | regret a step | turns | items shown, % |", "|---" * 7 + "|"]
lines, other_lines, detail_lines = [], [], []


def add_others(cell, results, chosen):
    means = {row: with_interval([r[row]["reward"] for r in results], 2) for row in ("constant", "actor", *OTHERS) if row in results[0]}
    means["rule"] += f" ({'; '.join(sorted(set(chosen)))})"
    last = gain(results, "sees_all", "rule") if cell.sees_all else ""
    other_lines.append("| " + " | ".join([cell.title, *(means.get(row, "") for row in ("constant", "actor", *OTHERS)), last]) + " |")


def add_details(cell, results):
    for row in results[0]:
        cells = [with_interval([r[row][what] for r in results], digits) if results[0][row][what] is not None else "-"
                 for what, digits in (("reward", 2), ("first", 3), ("regret", 3), ("length", 1), ("coverage", 0))]
        detail_lines.append("| " + " | ".join([cell.title, row, *cells]) + " |")


def write():
    text = [f"{describe_machine()} {arguments.seeds} seeds.", "", *HEAD, *lines, "", *OTHER_HEAD, *other_lines, "", *DETAIL_HEAD, *detail_lines]
    pathlib.Path(arguments.out).write_text("\n".join(text) + "\n")


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    world = folder / "world"
    if any(arguments.cells in cell.title and cell.world == str(world) for cell in cells(str(world))):
        program.call("simulate", "fit", "--data", arguments.data, "--out", str(world))
    for number, cell in enumerate(cells(str(world))):
        if arguments.cells not in cell.title:
            continue
        (folder / str(number)).mkdir()
        fitting = rules(cell)
        results, alphas, chosen, (columns, *_) = zip(*[played(cell, fitting, folder / str(number), seed) for seed in range(arguments.seeds)])
        means = [with_interval([r[row]["reward"] for r in results], 2) for row in columns]
        means[4] += f" ({', '.join(sorted({f'{a:g}' for a in alphas}))})"
        lines.append("| " + " | ".join([cell.title, cell.items, "yes" if cell.leave else "no", *means,
                                        gain(results, "constant", "greedy"), gain(results, "actor", "constant")]) + " |")
        add_others(cell, results, chosen)
        add_details(cell, results)
        write()
        print(lines[-1], flush=True)
