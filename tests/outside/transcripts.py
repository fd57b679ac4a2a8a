#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Golden sessions: every known world, and a learned one, plays the same episode as ever.

tests/golden/transcripts holds whole sessions, one line a step, as `simulate run --transcript` prints them. After a change
that is meant to change them, write them again and read the difference before committing it:

    python3 tests/outside/transcripts.py --source . --binary build/release/honeyguide --remake

The learned world, tests/golden/worlds/shop, is fitted once, because fitting may differ in the last digit from one machine to the
next and stepping does not. After a change of its format: --remake-world, then --remake.
"""
import argparse
import difflib
import json
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
parser.add_argument("--binary", type=pathlib.Path, required=True)
parser.add_argument("--remake", action="store_true", help="write the golden transcripts again and stop")
parser.add_argument("--remake-world", action="store_true", help="fit the learned world again and stop")
arguments, _ = parser.parse_known_args()

LEARNED = "tests/golden/worlds/shop"


def settings(*pairs):
    return [word for pair in pairs for word in ("--set", pair)]


TRANSCRIPTS = {
    "interest_evolution": ("--policy", "random", "--seed", "3", *settings("world.n_candidates=4", "world.step_limit=12")),
    "interest_exploration": ("--policy", "random", "--seed", "2", *settings("world.n_candidates=4", "world.step_limit=12")),
    "long_term_satisfaction": ("--policy", "fixed_rule", *settings("feature=0", "epsilon=0.3", "world.n_candidates=3",
                                                                   "world.budget=12", "world.sensitivity=0.3")),
    "bernoulli_bandit": ("--policy", "random", "--seed", "1", *settings("world.arms=4", "world.step_limit=12")),
    "linear_bandit": ("--policy", "affinity", *settings("epsilon=0.5", "world.n_candidates=4", "world.dim=3",
                                                        "world.step_limit=10")),
    "glm_bandit": ("--policy", "affinity", *settings("epsilon=0.5", "world.n_candidates=4", "world.dim=3",
                                                     "world.step_limit=10")),
    "slate_mdp": ("--policy", "random", "--seed", "1"),
    "typed_bandit": ("--policy", "bayes_optimal:prior=types,step_limit=8", "--seed", "5", *settings("world.step_limit=8")),
    "population": ("--policy", "random", "--seed", "5", *settings("world.n_items=4", "world.n_topics=2", "world.arrival_every=3",
                                                                  "world.base=0", "world.step_limit=12")),
    LEARNED: ("--policy", "random", "--seed", "2", *settings("world.n_candidates=6", "world.slate_size=3",
                                                             "world.step_limit=20")),
}


def run(*words):
    command = [str(word) for word in (arguments.binary.resolve(), "-q", *words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=arguments.source)
    assert done.returncode == 0, (words, done.returncode, done.stderr)
    return done.stdout


def golden(world):
    return arguments.source / "tests" / "golden" / "transcripts" / f"{pathlib.Path(world).name}.txt"


def transcript(world):
    return run("simulate", "run", "--world", world, *TRANSCRIPTS[world], "--transcript")


def write_shop(folder):
    """Visits of two to five events in which the cheaper half of the items is bought and the dearer half looked at."""
    draw = random.Random(7)
    events = ["user_id,item_id,event,timestamp,session_id"]
    for user in range(120):
        time = 1_600_000_000 + 1000 * user
        for visit in range(3):
            for _ in range(draw.randint(2, 5)):
                item = draw.randrange(44)
                event = "purchase" if draw.random() < (0.8 if item < 22 else 0.1) else "view"
                events.append(f"u{user},i{item},{event},{time},v{user}-{visit}")
                time += 60
            time += draw.randint(6, 200) * 3600
    items = ["item_id,price"] + [f"i{item},{2 if item < 22 else 40}" for item in range(44)]
    (folder / "interactions.csv").write_text("\n".join(events) + "\n")
    (folder / "items.csv").write_text("\n".join(items) + "\n")
    (folder / "dataset.toml").write_text('name = "shop"\nrepeats = true\n[events]\nweights = { view = 1, purchase = 4 }\n')


def remake_world():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_shop(folder)
        shutil.rmtree(arguments.source / LEARNED, ignore_errors=True)
        run("simulate", "fit", "--data", folder, "--out", LEARNED, *settings(
            "feature_members=1", "sequence_members=1", "hidden=6", "rank=4", "gru=4", "dim=3", "epochs=20",
            "batch_decisions=64"))
        measured = run("simulate", "fidelity", "--world", LEARNED, "--episodes", 100)
        assert "purchase if clicked" in measured and "another session_id" in measured, measured
        print(measured)
    world = arguments.source / LEARNED
    for path in world.iterdir():
        if path.name not in ("manifest.json", "weights.safetensors"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    manifest = json.loads((world / "manifest.json").read_text())
    manifest["source"]["path"] = "see write_shop() of tests/outside/transcripts.py"
    (world / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def main():
    if not arguments.binary.exists():
        print(f"SKIPPED: {arguments.binary} is absent: build it first")
        return 77
    if arguments.remake_world:
        remake_world()
        return 0
    registry = (arguments.source / "src" / "simulate" / "worlds" / "builtin.def").read_text()
    missing = set(re.findall(r"HG_WORLD\((\w+)\)", registry)) - set(TRANSCRIPTS)
    assert not missing, f"no golden transcript of {missing}: add the world to TRANSCRIPTS and --remake"
    for world in TRANSCRIPTS:
        if arguments.remake:
            golden(world).write_text(transcript(world))
            continue
        wanted, found = golden(world).read_text().splitlines(), transcript(world).splitlines()
        difference = "\n".join(difflib.unified_diff(wanted, found, f"golden/{world}", "now", lineterm=""))
        assert not difference, f"{difference}\n(--remake writes it again)"
    assert "$" in golden(LEARNED).read_text(), "the learned shop sells nothing"
    print("ok", file=sys.stderr)
    return 0


sys.exit(main())
