"""cmake/unity.py compiles files together only when that changes nothing of what they mean."""
import argparse
import pathlib
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
arguments, _ = parser.parse_known_args()

HEADER = "namespace hg {\nint widest(int);\n}  // namespace hg\n"
KEEPS = {  # what a file keeps to itself
    "a_function": "int half(int x) {\n    return x / 2;\n}\n",
    "the_same_function_of_another_type": "double half(double x) {\n    return x / 2;\n}\n",
    "another_function": "int third(int x) {\n    return x / 3;\n}\n",
    "a_constant": "constexpr int half = 2;\n",
    "a_type": "struct half {\n    int third;\n};\n",
    "an_alias": "using Rows = std::vector<int>;\n",
    "the_same_alias": "using Rows = std::vector<int>;\n",
    "another_alias": "using Rows = std::vector<float>;\n",
    "a_name_of_a_header": "int widest() {\n    return 3;\n}\n",
    "a_local_name": "int longest() {\n    const int half = 1;\n    return half;\n}\n",
}
INCLUDES = {"another_function"}  # these include the header
CASES = [  # files, are they compiled together?
    ("a_function", "another_function", True),
    ("a_function", "the_same_function_of_another_type", False),
    ("a_function", "a_constant", False),
    ("a_function", "a_type", False),
    ("a_function", "a_local_name", True),
    ("an_alias", "the_same_alias", True),
    ("an_alias", "another_alias", False),
    ("a_name_of_a_header", "a_function", True),
    ("a_name_of_a_header", "another_function", False),
]

failures = 0
with tempfile.TemporaryDirectory() as folder:
    root = pathlib.Path(folder)
    (root / "src").mkdir()
    (root / "src" / "widest.hpp").write_text(HEADER)
    for name, kept in KEEPS.items():
        include = '#include "widest.hpp"\n' if name in INCLUDES else ""
        (root / "src" / f"{name}.cpp").write_text(f"{include}namespace hg {{\nnamespace {{\n\n{kept}\n}}  // namespace\n}}  // namespace hg\n")

    def groups(size, names):
        command = [sys.executable, arguments.source / "cmake" / "unity.py", str(size), root]
        files = [root / "src" / f"{name}.cpp" for name in names]
        return subprocess.run([*command, *files], capture_output=True, text=True, check=True).stdout.split()

    for first, second, together in CASES:
        for order in ((first, second), (second, first)):
            found = len(groups(12, order)) == 1
            failures += found != together
            if found != together:
                print(f"{' and '.join(order)}: {'together' if found else 'apart'}")
    sizes = [line.count(";") + 1 for line in groups(2, ["a_function", "another_function", "an_alias", "the_same_alias", "a_local_name"])]
    if sizes != [2, 2, 1]:
        failures += 1
        print(f"five files in groups of two: {sizes}")
print(f"{len(CASES)} pairs of files, {failures} failures")
sys.exit(failures != 0)
