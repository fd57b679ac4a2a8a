"""Which sources are compiled together: `unity.py SIZE ROOT FILE...` prints a line a group, its files split by ';'.

A group must mean what its files mean alone. So the names a file keeps to itself (unnamed namespaces, statics,
macros) may not be another's in the group, nor stand in a header of ROOT/src or ROOT/tests that only the others
include. The sources are formatted: declarations outside types and functions begin in the first column.
"""
import functools
import pathlib
import re
import sys

UNNAMED = re.compile(r'^namespace \{\n(.*?)^\}  // namespace$', re.M | re.S)
DECLARATIONS = [
    re.compile(r'^(?:struct|class|enum class|enum|union) (\w+)', re.M),
    re.compile(r'^(?:[\w:~][^\n(={;]*[\s&*>])?(\w+)\(', re.M),  # functions
    re.compile(r'^(?!struct|class|enum|union|using|namespace|template)\w[^\n(={;]*?(\w+)(?:\[[^\]]*\])*\s?[={;]', re.M),
]
USING = re.compile(r'^(using (\w+) =[^;]*;)|^(using [\w:]+::(\w+);)', re.M)
STATIC = re.compile(r'^static [^\n(={;]*?(\w+)\s?[({=;]', re.M)
MACRO = re.compile(r'^#define (\w+)', re.M)
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)


def declared(text, what):
    """Name -> `what`, or the text of a `using`, which may be said twice."""
    names = {name: what for pattern in DECLARATIONS for name in pattern.findall(text)}
    names.update((found[2] or found[4], found[0]) for found in USING.finditer(text))
    return {name: said for name, said in names.items() if not re.fullmatch('[A-Z][A-Z_]+', name)}  # TEST and its like


def kept_names(file):
    text = file.read_text()
    names = dict.fromkeys(STATIC.findall(text) + MACRO.findall(text), file)
    for part in UNNAMED.findall(text):
        names.update(declared(part, file))
    return names


@functools.cache
def headers(file, root):
    """The project's headers that `file` includes, however indirectly."""
    found = set()
    for name in INCLUDE.findall(file.read_text()):
        for folder in ('src', 'tests'):
            header = root / folder / name
            if header.is_file():
                found |= {header} | headers(header, root)
    return found


@functools.cache
def header_names(header):
    return frozenset(declared(header.read_text(), header))


class Group:
    def __init__(self):
        self.files, self.kept, self.met = [], {}, set()

    def takes(self, kept, met):
        return (
            not any(self.kept.get(name, said) != said for name, said in kept.items())
            and not (self.met - met) & kept.keys()
            and not (met - self.met) & self.kept.keys()
        )

    def add(self, file, kept, met):
        self.files.append(str(file))
        self.kept.update(kept)
        self.met |= met


def main():
    size, root = int(sys.argv[1]), pathlib.Path(sys.argv[2])
    groups = []
    for file in map(pathlib.Path, sys.argv[3:]):
        kept = kept_names(file)
        met = set().union(*map(header_names, headers(file, root)))
        group = next((group for group in groups if len(group.files) < size and group.takes(kept, met)), None)
        if group is None:
            group = Group()
            groups.append(group)
        group.add(file, kept, met)
    for group in groups:
        print(';'.join(group.files))


if __name__ == '__main__':
    main()
