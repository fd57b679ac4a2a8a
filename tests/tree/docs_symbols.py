"""Every name in a table of docs/concepts/architecture.md stands in the file that is linked before it.

A cell says `[gaussian_prior.hpp](path) `observe`, `score``: both names must be words of that file, or of the .cpp beside a header;
a row's last cell must name a test, or "the same" as the row above.
"""
import argparse
import pathlib
import re
import sys

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
arguments, _ = parser.parse_known_args()
page = arguments.source.resolve() / "docs" / "concepts" / "architecture.md"
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)\)")


def text_of(path):
    """Of a file and the one beside it that it is declared for; of a folder, of all in it."""
    files = sorted(path.iterdir()) if path.is_dir() else [path, path.with_suffix(".cpp")]
    return "\n".join(file.read_text(encoding="utf8") for file in files if file.is_file())


wrong = []
count = 0
tests = ""  # of the row above
for number, line in enumerate(page.read_text(encoding="utf8").splitlines(), 1):
    if not line.startswith("|") or "](" not in line:
        continue
    cells = line.split("|")[1:-1]
    text = ""
    for cell in cells:
        text = tests if cell is cells[-1] else text
        parts = LINK.split(cell)  # before, target, after, target, after, ...
        names = [(None, parts[0])] + list(zip(parts[1::2], parts[2::2]))
        for target, after in names:
            if target is not None:
                text = text_of(page.parent / target)
            for name in re.findall(r"`([A-Za-z_][\w:.]*)`", after) if text else []:
                count += 1
                if not re.search(rf"\b{re.escape(name.split('::')[-1])}\b", text):
                    wrong.append(f"{page.name}:{number}: {name} is not in {target or 'the file named before'}")
    linked = [text_of(page.parent / target) for target in LINK.findall(cells[-1])]
    tests = "\n".join(linked) or tests
    if "/tests/" not in cells[-1] and "the same" not in cells[-1]:
        wrong.append(f"{page.name}:{number}: no test is named")
print("\n".join(wrong) or f"{count} names of {page.name} stand in the files they are linked with")
sys.exit(bool(wrong))
