#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`honeyguide config NAME` knows everything that takes options, under the names that --set takes."""
import argparse
import json
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from program_under_test import Program  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
parser.add_argument("--binary", type=pathlib.Path, required=True)
arguments, _ = parser.parse_known_args()
run = Program(arguments.binary).run

REGISTRIES = {
    "model": "train/models", "encoder": "encode/encoders", "agent": "policy/agents", "world": "simulate/worlds",
    "state encoder": "policy/state_encoders",
}
VERB_OPTIONS = {"simulate fit": "holdout", "gate": "margin", "learn": "learn.steps", "iterate": "learn.users"}


def names_in(folder):
    """What the entries of a registry are called; C++ calls some of them otherwise (random_agent)."""
    sources = "\n".join(path.read_text() for path in folder.glob("*.cpp"))
    for entry in re.findall(r"^HG_\w+\((\w+)\)", (folder / "builtin.def").read_text(), re.MULTILINE):
        (name,) = re.findall(rf'extern const \w+ {entry}\{{\s*\.name = "(\w+)"', sources)
        yield name


def options_of(kind, name):
    done = run("config", *name.split(), "--json")
    assert done.returncode == 0, (name, done.stderr)
    parts = [part for part in json.loads(done.stdout) if part["kind"] == kind]
    assert len(parts) == 1 and parts[0]["name"] == name, (kind, name, done.stdout)
    return {option["name"]: option["default"] for option in parts[0]["options"]}


def main():
    if not arguments.binary.exists():
        print(f"SKIPPED: {arguments.binary} is absent: build it first")
        return 77
    for kind, folder in REGISTRIES.items():
        for name in names_in(arguments.source / "src" / folder):
            options = options_of(kind, name)
            if kind == "world":
                assert options and all(option.startswith("world.") for option in options), (name, options)
                taken = [word for option, value in options.items() for word in ("--set", f"{option}={value}")]
                played = run("simulate", "run", "--world", name, "--policy", "random", "--transcript", *taken)
                assert played.returncode == 0, (name, played.stderr)
    assert "world.reward.purchase" in options_of("world", "learned")
    for verb, option in VERB_OPTIONS.items():
        assert option in options_of("verb", verb), (verb, option)
    assert "--port" in run("config", "serve").stdout
    assert "world.leave.temper" in run("config", "population").stdout
    unknown = run("config", "intrest_evolution")
    assert unknown.returncode == 2 and "interest_evolution" in unknown.stderr, unknown.stderr
    print("ok", file=sys.stderr)
    return 0


sys.exit(main())
