"""Every header at the top of a room is named in the room's README, so that a stranger finds it there."""
import argparse
import pathlib
import re
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
arguments, _ = parser.parse_known_args()
source = arguments.source.resolve() / "src"

wrong = []
count = 0
for room in sorted(p for p in source.iterdir() if p.is_dir()):
    text = (room / "README.md").read_text(encoding="utf8")
    families = re.findall(r"`(\w+)\*", text)  # `report*` names all that begin so
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`\n]+`", text))))  # code, not prose
    for header in sorted(room.glob("*.hpp")):
        count += 1
        name = header.stem
        if not {name, name.removesuffix("_net")} & named and not any(name.startswith(f) for f in families):
            wrong.append(f"src/{room.name}/README.md does not name {header.name}")
print("\n".join(wrong) or f"{count} headers are named in the READMEs of their rooms")
sys.exit(bool(wrong) or count == 0)
