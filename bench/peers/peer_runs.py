"""What the peers share: a log as they take it, and a command with its time and memory."""
import csv
import gzip
import os
import pathlib
import subprocess
import sys
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
