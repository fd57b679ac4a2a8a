"""The program as the benches of policies drive it, and intervals over their seeds."""
import json
import math
import statistics
import subprocess

STUDENT = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}  # t at 95 %


def half_width(values):
    """Of the 95 % interval of a mean: Student's t where the values are few."""
    n = len(values)
    return STUDENT.get(n, 2.0 if n < 100 else 1.96) * statistics.stdev(values) / math.sqrt(n) if n > 1 else math.nan


def with_interval(values, digits=1):
    return f"{statistics.mean(values):.{digits}f} +- {half_width(values):.{digits}f}"


def difference(values, digits=2):
    """Mean of paired differences and its 95 % interval."""
    mean, half = statistics.mean(values), half_width(values)
    return f"{mean:+.{digits}f} [{mean - half:+.{digits}f}, {mean + half:+.{digits}f}]"


def sets(assignments, prefix=""):
    return [word for a in assignments for word in ("--set", prefix + a)]


def changed(options, changes):
    """Options of a world with some of them set otherwise."""
    names = {change.split("=")[0] for change in changes}
    return [o for o in options if o.split("=")[0] not in names] + list(changes)


def parted(world, options, seed):
    """Options of a world whose users come from a dataset with them parted anew for this seed: who is learned from, who judges."""
    return [*options, f"split_seed={7 + seed}"] if world.startswith("labels:") else options


class Program:
    def __init__(self, binary):
        self.binary = binary

    def run(self, *words):
        """What it prints."""
        done = subprocess.run([self.binary, "-q", *map(str, words)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{words}: {done.stderr}")
        return done.stdout

    def call(self, *words):
        return json.loads(self.run(*words, "--json"))

    def learn(self, run, agent, world, options, settings, seed, *more):
        """`options` of the world, `settings` of the agent and learn.*; what `learn` says."""
        return self.call("learn", "--agent", agent, "--world", world, "--out", str(run), "--seed", str(seed),
                         *sets(options, "world."), *sets(settings), *more)

    def play(self, policy, world, options, seed, episodes, *more):
        return self.call("simulate", "run", "--world", world, "--policy", str(policy), "--episodes", str(episodes),
                         "--seeds", "1", "--seed", str(seed), *sets(options, "world."), *more)
