"""What the peers share: a log as they take it, a command with its time and memory, and rounds in which both alternate."""
import argparse
import csv
import gzip
import os
import pathlib
import subprocess
import sys
import tempfile
import time


def read_sequences(folder):
    """Items of each user in their order, counted from 1, and their names; a raw folder: interactions.csv[.gz] with user_id,
    item_id, timestamp."""
    file = next(p for p in sorted(pathlib.Path(folder).iterdir()) if p.name.startswith("interactions."))
    opened = gzip.open(file, "rt") if file.suffix == ".gz" else open(file)
    users, items = {}, {}
    with opened:
        for row in csv.DictReader(opened):
            item = items.setdefault(row["item_id"], len(items) + 1)
            users.setdefault(row["user_id"], []).append((float(row["timestamp"] or 0), item))
    return [[item for _, item in sorted(events, key=lambda e: e[0])] for events in users.values()], list(items)


def run(command, threads):
    """Wall seconds, processor seconds and peak memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               env={**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)})
    text = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{command[0]} failed:\n{text}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text


def train(arguments, model, settings, folder):
    """`honeyguide train` as a command, measured."""
    sets = [part for setting in settings for part in ("--set", setting)]
    return run([arguments.binary, "-q", "train", "--model", model, "--data", arguments.data, "--out", folder, *sets], arguments.threads)


class Comparison:
    """A peer, which is the calling script with --peer in a process of its own, beside honeyguide; the fastest round of each is told."""

    def __init__(self, script, peer, **defaults):
        self.script, self.peer, self.rows = script, peer, {}
        self.parser = argparse.ArgumentParser()
        self.parser.add_argument("--binary")
        self.parser.add_argument("--data", required=True)
        self.parser.add_argument("--threads", type=int, default=2)
        self.parser.add_argument("--rounds", type=int, default=3)
        for name, value in defaults.items():
            self.parser.add_argument(f"--{name}", type=type(value), default=value)
        self.parser.add_argument("--out")
        self.parser.add_argument("--peer", action="store_true")
        self.passed_on = ["data", "threads", *defaults]

    def arguments(self):
        """None where this process is the peer, which has run then."""
        arguments = self.parser.parse_args()
        if not arguments.peer:
            return arguments
        self.peer(arguments)
        return None

    def take(self, name, seconds, memory):
        best = self.rows.setdefault(name, [seconds, memory])
        self.rows[name] = [min(best[0], seconds), max(best[1], memory)]

    def rounds(self, arguments, name, seconds_in, model, settings, repeat):
        """`settings(n)`: of a training of n passes. Ours is the time of 1 + `repeat` passes less that of one, so that starting up
        and reading the log do not count; `seconds_in` reads the peer's from what it printed."""
        for number in range(arguments.rounds):
            told = [part for key in self.passed_on for part in (f"--{key}", getattr(arguments, key))]
            _, _, memory, text = run([sys.executable, self.script, "--peer", *told], arguments.threads)
            seconds = seconds_in(text)
            with tempfile.TemporaryDirectory() as folder:
                one = train(arguments, model, settings(1), pathlib.Path(folder) / "one")
                many = train(arguments, model, settings(1 + repeat), pathlib.Path(folder) / "many")
            self.take(name, seconds, memory)
            own = many[0] - one[0]
            self.take("honeyguide", own, many[2])
            print(f"round {number + 1}: {name} {seconds:.2f} s, honeyguide {own:.2f} s for {repeat} passes", flush=True)


def finish(lines, out):
    print("\n".join(lines))
    if out:
        pathlib.Path(out).write_text("\n".join(lines) + "\n")
