"""All C++ sources are formatted as .clang-format says (`make format` mends it)."""
import argparse
import pathlib
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
arguments, _ = parser.parse_known_args()
root = arguments.source.resolve()

tool = root / ".venv" / "bin" / "clang-format"
if not tool.exists():
    print(f"SKIPPED: {tool} is absent; run `make deps`")
    sys.exit(77)
files = [str(p) for folder in ("src", "tests", "bench", "fuzz", "examples", "cmake") for p in sorted((root / folder).rglob("*.[ch]pp"))]
result = subprocess.run([str(tool), "--dry-run", "-Werror", *files], capture_output=True, text=True)
bad = sorted({line.split(":")[0] for line in result.stderr.splitlines() if "error:" in line})
print("\n".join(bad + ["run `make format`"]) if bad else f"{len(files)} files are formatted")
sys.exit(result.returncode)
