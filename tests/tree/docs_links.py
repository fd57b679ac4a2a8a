"""Every relative link in a Markdown page leads to a file that exists."""
import argparse
import pathlib
import re
import subprocess
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
arguments, _ = parser.parse_known_args()
root = arguments.source.resolve()

wrong = []
count = 0
pages = [p for p in root.rglob("*.md") if not any(part.startswith(".") or part == "build" for part in p.relative_to(root).parts)]
for page in pages:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf8"), flags=re.S)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        count += 1
        if not (page.parent / target).exists():
            wrong.append(f"{page.relative_to(root)}: {target} does not exist")
print("\n".join(wrong) or f"{count} links in {len(pages)} pages lead somewhere")
sys.exit(bool(wrong))
