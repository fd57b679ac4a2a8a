"""docs/reference is what the program prints (`make docs` mends it)."""
import argparse
import pathlib
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
parser.add_argument("--binary", required=True)
arguments, _ = parser.parse_known_args()

wrong = 0
for page, flag in (("config.md", "--markdown"), ("verbs.md", "--verbs")):
    made = subprocess.run([arguments.binary, "config", flag], capture_output=True, text=True, check=True).stdout
    committed = arguments.source / "docs" / "reference" / page
    if not committed.exists() or committed.read_text() != made:
        print(f"docs/reference/{page} is not what `honeyguide config {flag}` prints: run `make docs`")
        wrong = 1
print("reference pages are current" if not wrong else "")
sys.exit(wrong)
