#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rows that `honeyguide evaluate` adds by itself, on a log whose taste turns over at its end."""
import argparse
import json
import os
import random
import subprocess
import tempfile

parser = argparse.ArgumentParser()
for name in ("--source", "--binary", "--shared"):
    parser.add_argument(name, default="")
arguments = parser.parse_args()
DAY = 86400


def run(*words):
    done = subprocess.run([arguments.binary, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def write_log(path):
    """80 users, ten events each forty days apart: of items 0 to 19 at first, of 20 to 39 in the last four."""
    draw = random.Random(7)
    with open(path, "w") as f:
        f.write("user_id,item_id,timestamp\n")
        for user in range(80):
            for k in range(10):
                item = (0 if k < 6 else 20) + int(draw.random() ** 2 * 20)
                f.write(f"u{user},i{item},{1600000000 + k * 40 * DAY + user * 60}\n")


def rows(dataset, *words):
    told = json.loads(run("evaluate", "--data", dataset, "--json", *words))
    return {row["model"]: row for row in told["rows"]}


def check(folder):
    os.mkdir(folder + "/log")
    write_log(folder + "/log/interactions.csv")
    dataset = folder + "/dataset"
    run("ingest", folder + "/log", "--out", dataset)

    got = rows(dataset, "--protocol", "time", "--model", "random")
    assert list(got) == ["popularity", "random", "recent_popularity"], list(got)
    assert got["recent_popularity"]["ndcg"] > 2 * got["popularity"]["ndcg"], got
    assert got["recent_popularity"]["difference_to_baseline"]["bootstrap_95"][0] > 0, got["recent_popularity"]

    wide = rows(dataset, "--protocol", "time", "--set", "recent_popularity.window_days=100000", "--model", "popularity")
    assert wide["recent_popularity"]["ndcg"] == wide["popularity"]["ndcg"], wide

    own = rows(dataset, "--protocol", "time", "--model", "random", "--model", "recent_popularity=random")
    assert own["recent_popularity"]["ndcg"] == own["random"]["ndcg"], own

    assert list(rows(dataset, "--protocol", "leave-one-out", "--model", "popularity")) == ["popularity"]


with tempfile.TemporaryDirectory() as temporary:
    check(temporary)
print("ok")
