#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Python's tensorboard package reads the event file of a run written by `honeyguide train`."""
import argparse
import csv
import pathlib
import random
import subprocess
import sys
import tempfile

READER = """
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
curves = EventAccumulator(sys.argv[1]); curves.Reload()
for tag in curves.Tags()['scalars']:
    for point in curves.Scalars(tag): print(tag, point.step, point.value)
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    for name in ("--source", "--binary", "--shared"):
        parser.add_argument(name)
    args = parser.parse_args()
    python = pathlib.Path(args.source) / ".venv" / "bin" / "python"
    if subprocess.run([python, "-c", "import tensorboard"], capture_output=True).returncode:
        print(f"SKIPPED: {python} has no tensorboard package (pip install tensorboard)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        data = pathlib.Path(folder) / "data"
        data.mkdir()
        rng = random.Random(7)
        with open(data / "interactions.csv", "w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(["user_id", "item_id", "timestamp"])
            for user in range(60):
                for time, item in enumerate(rng.sample(range(30), 12)):
                    rows.writerow([f"u{user}", f"i{item}", time])
        run = pathlib.Path(folder) / "run"
        train = [args.binary, "train", "--model", "dae", "--data", data, "--out", run]
        subprocess.run([*train, "--set", "epochs=3", "--set", "dim=8"], check=True)
        read = subprocess.run([python, "-c", READER, run], check=True, capture_output=True, text=True)
    points = [line.split() for line in read.stdout.splitlines()]
    steps = sorted(int(step) for tag, step, _ in points if tag == "train/loss")
    assert steps == [1, 2, 3], f"expected train/loss at steps 1, 2, 3; found {points}"
    assert any(tag.startswith("validation/") for tag, _, _ in points), points
    print(f"tensorboard read {len(points)} points")
    return 0


if __name__ == "__main__":
    sys.exit(main())
