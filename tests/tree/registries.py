"""Every plug-in file has its line in the table beside it, and every line its file."""
import argparse
import pathlib
import re
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
arguments, _ = parser.parse_known_args()

wrong = []
tables = sorted((arguments.source / "src").rglob("*.def"))
for table in tables:
    lines = re.findall(r"HG_\w+\((\w+)\)", table.read_text())
    entries = set()
    for path in table.parent.glob("*.cpp"):
        entries.update(re.findall(r"^extern const \w+Entry (\w+)\{", path.read_text(), re.M))
    if duplicates := {name for name in lines if lines.count(name) > 1}:
        wrong.append(f"{table}: twice: {sorted(duplicates)}")
    if missing := entries - set(lines):
        wrong.append(f"{table}: no line for {sorted(missing)}")
    if unknown := set(lines) - entries:
        wrong.append(f"{table}: no entry defined for {sorted(unknown)}")
print("\n".join(wrong) or f"{len(tables)} tables agree with their folders")
sys.exit(bool(wrong) or not tables)
