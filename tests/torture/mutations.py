"""Takes out, one at a time, what the torture tests are there to protect, and shows that they fail then.

    python3 tests/torture/mutations.py --binary build/release/honeyguide [--only NAME ...]

Nothing in the tree or the build changes: the mutated copy of one source is compiled with the command of the build (in its group, where
sources are compiled in groups), and the test is linked again with that object before the libraries, so it is taken instead of theirs. Needs a finished build made with Ninja. The
short form takes out one that compiles in a moment.
"""
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from torture import argument_parser, skip  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
COMPARES_DIGEST = 'if (facts["blake2b"] != digest_hex(mapping.text())) {'
MUTATIONS = {  # name: (source, what is there, what it becomes, test binary, tests that must fail)
    "no fsync of the database": (
        "src/data/stores/sqlite_event_store.cpp", '"PRAGMA synchronous = FULL"', '"PRAGMA synchronous = OFF"', "test_data",
        "PowerLoss.loses_no_acknowledged*"),
    "no fsync of a written file": (
        "src/core/file.cpp", "sync_path(temporary, O_RDONLY);", "", "test_data", "FilePowerLoss.a_written_file*"),
    "no fsync of the folder after the rename": (
        "src/core/file.cpp", "sync_path(folder, O_RDONLY | O_DIRECTORY);", "", "test_data", "FilePowerLoss.a_written_file*"),
    "no fsync of what a new folder is named in": (
        "src/core/durable_folder.cpp", "    sync_folder(parent);\n", "    (void)sync_folder;\n", "test_data", "FilePowerLoss.a_written_file*"),
    "no fsync of the folder of a replaced dataset": (
        "src/data/folder_transaction.cpp", "    sync_folder(parent_of(target_));\n", "", "test_data", "FilePowerLoss.a_written_dataset*"),
    "the digest of the weights is not compared": (
        "src/core/run_files.cpp", COMPARES_DIGEST, "if (false) {", "test_train", "DamagedRun.every_flipped_bit*"),
    "the seal of the manifest is not compared": (
        "src/train/load_run.cpp", "if (has_broken_seal(manifest)) {", "if (false) {", "test_train", "DamagedRun.random_flips*"),
    "the checksums of a dataset are not compared": (
        "src/data/binary_dataset.cpp", "if (bytes <= checked_bytes &&", "if (bytes > checked_bytes &&", "test_data", "Ingest.a_flipped_bit*"),
    "the digests of events are not compared": (
        "src/data/stores/sqlite_reads.cpp", "    if (body_digest(event.body) == digest) {", "    if (true || digest.empty()) {", "test_data",
        "DamagedStore.a_flipped_bit*"),
    "the indices of the database are not checked": (
        "src/data/stores/sqlite_event_store.cpp", "    check_integrity(database, options.file);\n", "    (void)check_integrity;\n", "test_data",
        "DamagedStore.*"),
    "the digest of vectors is not compared": (
        "src/encode/vector_store.cpp", "digest != file.metadata().end() &&", "digest != file.metadata().end() && false &&", "test_encode",
        "DamagedVectors.*"),
    "the mask of seen items": (
        "src/serve/pool.cpp", "rules.seen.contains(row)", "false && rules.seen.contains(row)", "test_serve", "EngineModel.*"),
}

SHORT = ("no fsync of a written file",)

parser = argument_parser(__doc__)
parser.add_argument("--only", nargs="+", default=[], help="parts of names")
args = parser.parse_args()
BUILD = args.binary.resolve().parent
if not (BUILD / "build.ninja").exists():
    skip(f"{BUILD} was not made with Ninja, whose list of commands is needed")


def is_wanted(name):
    return any(part in name for part in args.only) if args.only else name in SHORT or not args.short


def commands_of(target):
    """The commands that make a target, as Ninja would run them."""
    done = subprocess.run(["ninja", "-t", "commands", target], cwd=BUILD, check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


def unit_of(source):
    """(command, file): what compiles a source, alone or in a group (cmake/unity.cmake)."""
    for command in commands_of("honeyguide"):
        _, compiles, unit = command.rpartition(" -c ")
        file = BUILD / unit
        if compiles and (file == source or (file.parent.name == "unity" and f'"{source}"' in file.read_text())):
            return shlex.split(command), file
    sys.exit(f"{source}: nothing in {BUILD} compiles it")


def compile_mutant(source, old, new, folder):
    original = SOURCE / source
    text = original.read_text()
    if text.count(old) != 1:
        sys.exit(f"{source}: {old!r} is there {text.count(old)} times; put this mutation right")
    copy = folder / original.name
    copy.write_text(text.replace(old, new))
    command, unit = unit_of(original)
    if unit != original:
        group = folder / unit.name
        group.write_text(unit.read_text().replace(str(original), str(copy)))
        copy = group
    made = folder / (copy.stem + ".o")
    command[command.index("-o") + 1] = str(made)
    command[-1] = str(copy)
    subprocess.run(command, cwd=BUILD, check=True)
    return made


def link_test(binary, mutant, folder):
    command = next(c for c in reversed(commands_of(binary)) if f" -o {binary} " in c)
    command = command.split("&&")[1].strip() if "&&" in command else command
    words = shlex.split(command)
    at = words.index("-o")
    made = folder / binary
    words[at + 1] = str(made)
    words.insert(at, str(mutant))
    subprocess.run(words, cwd=BUILD, check=True)
    return made


def verdict_of(test, pattern):
    folder = "/dev/shm" if pathlib.Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        done = subprocess.run([test, f"--gtest_filter={pattern}", "--gtest_brief=1"], capture_output=True, text=True, check=False,
                              env={**os.environ, "OMP_NUM_THREADS": "1", "TMPDIR": scratch})
    return done.returncode


missed = []
wanted = {name: how for name, how in MUTATIONS.items() if is_wanted(name)}
print("| taken out | tests | with it | without it |\n|---|---|---|---|")
for name, (source, old, new, binary, pattern) in wanted.items():
    with tempfile.TemporaryDirectory(prefix="hg-mutant-") as scratch:
        folder = pathlib.Path(scratch)
        mutant = link_test(binary, compile_mutant(source, old, new, folder), folder)
        sound, mutated = verdict_of(BUILD / binary, pattern), verdict_of(mutant, pattern)
    print(f"| {name} | {binary} {pattern} | {'pass' if sound == 0 else 'FAIL'} | {'fail' if mutated else 'PASS'} |", flush=True)
    if sound != 0 or mutated == 0:
        missed.append(name)
print(json.dumps({"taken_out": len(wanted), "noticed": len(wanted) - len(missed)}))
sys.exit(f"not noticed: {'; '.join(missed)}" if missed else 0)
