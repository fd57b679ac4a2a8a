#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`simulate fit`, `simulate fidelity` and `iterate` from outside: a loop that closes, resumes and stops at its target."""
import argparse
import json
import pathlib
import subprocess
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
parser.add_argument("--binary", type=pathlib.Path, required=True)
arguments, _ = parser.parse_known_args()

SHOP = ["--world", "interest_exploration", "--set", "world.n_candidates=5", "--set", "world.slate_size=1"]


def run(*words):
    return subprocess.run([str(arguments.binary), "-q", *map(str, words)], capture_output=True, text=True, check=False)


def json_of(*words):
    done = run(*words, "--json")
    assert done.returncode == 0, (words, done.returncode, done.stderr)
    return json.loads(done.stdout)


def fits_and_measures(folder):
    log, world, report = folder / "log.jsonl", folder / "world", folder / "fidelity.html"
    json_of("simulate", "run", *SHOP, "--policy", "random", "--seeds", "1", "--episodes", "60", "--users", "60", "--log", log)
    json_of("simulate", "fit", "--log", log, "--out", world)
    manifest = json.loads((world / "manifest.json").read_text())
    assert manifest["kind"] == "world", manifest
    again = run("simulate", "fit", "--log", log, "--out", world)
    assert again.returncode != 0 and "finished" in again.stderr, again.stderr
    measured = run("simulate", "fidelity", "--world", world, "--episodes", "50", "--report", report)
    assert measured.returncode == 0, measured.stderr
    assert "Not to be trusted for" in measured.stdout, measured.stdout
    assert "<svg" in report.read_text(), "the report has plots"
    played = json_of("simulate", "run", "--world", world, "--policy", "random", "--episodes", "50")
    assert played["return"]["mean"] > 0, played


def refuses(folder):
    nothing = folder / "empty"
    nothing.mkdir()
    for words, says in (
        (("simulate", "fit", "--out", folder / "w"), "--data"),
        (("simulate", "fit", "--data", nothing, "--out", folder / "w"), "interactions"),
        (("simulate", "fidelity", "--world", nothing), "manifest"),
        (("simulate", "run", "--world", nothing, "--policy", "random"), ""),
        (("iterate", *SHOP, "--agent", "ppo", "--until", "return", "--out", folder / "i"), "METRIC>=NUMBER"),
        (("iterate", *SHOP, "--agent", "ppo", "--until", "joy>=3", "--out", folder / "i"), "joy"),
    ):
        done = run(*words)
        assert done.returncode not in (0, -6, -11), (words, done.returncode, done.stdout)
        assert says in done.stderr, (words, done.stderr)
        assert "Exception raised from" not in done.stderr, (words, done.stderr)


def iterates(folder):
    loop = ["iterate", *SHOP, "--agent", "lin_ucb", "--until", "return>=11", "--max-iterations", "2", "--log-episodes", "100",
            "--set", "learn.steps=20000", "--set", "learn.evaluate_every=10000", "--out", folder / "loop"]
    first = json_of(*loop)
    # A random policy earns 7.9 of 60 steps, the best rule 13.7.
    assert first["value"] >= 11 and first["stopped_by"] == "target", first
    assert first["rounds"][0]["decision"] == "promote", first
    assert json_of(*loop)["rounds"] == first["rounds"], "a finished round is not done again"


with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    fits_and_measures(folder)
    refuses(folder)
    iterates(folder)
print("ok")
