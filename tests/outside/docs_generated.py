"""docs/reference is what the program writes (`make docs` mends it)."""
import argparse
import pathlib
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
parser.add_argument("--binary", required=True)
arguments, _ = parser.parse_known_args()


def pages(folder):
    return {page.name: page.read_text() for page in folder.glob("*.md")}


with tempfile.TemporaryDirectory() as folder:
    subprocess.run([arguments.binary, "config", "--reference", folder], check=True)
    made = pages(pathlib.Path(folder))
committed = pages(arguments.source / "docs" / "reference")
wrong = sorted(name for name in made.keys() | committed.keys() if made.get(name) != committed.get(name))
for name in wrong:
    print(f"docs/reference/{name} is not what `honeyguide config --reference` writes: run `make docs`")
print("" if wrong else f"{len(made)} reference pages are current")
sys.exit(1 if wrong else 0)
