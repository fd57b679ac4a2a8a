"""A room includes only rooms above it on the ladder (CONTRIBUTING.md), and public headers never include torch."""
import argparse
import pathlib
import re
import sys

LADDER = ["core", "data", "evaluate", "encode", "train", "simulate", "policy", "serve", "app"]

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
arguments, _ = parser.parse_known_args()

wrong = []
files = 0
for path in sorted((arguments.source / "src").rglob("*.[ch]pp")):
    files += 1
    room = path.relative_to(arguments.source / "src").parts[0]
    if room not in LADDER:
        wrong.append(f"{path}: {room} is not a room")
        continue
    for number, line in enumerate(path.read_text().splitlines(), 1):
        own = re.match(r'#include "(\w+)/', line)
        if own and (own[1] not in LADDER or LADDER.index(own[1]) > LADDER.index(room)):
            wrong.append(f"{path}:{number}: {room} may not include {own[1]}")
        if re.match(r"#include <(torch|ATen|c10)/", line) and path.suffix == ".hpp" and not path.stem.endswith("_net"):
            wrong.append(f"{path}:{number}: a public header includes torch; use core/tensor_fwd.hpp")
print("\n".join(wrong) or f"{files} files keep the order of the rooms")
sys.exit(bool(wrong))
