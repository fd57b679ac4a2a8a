#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Python's safetensors package reads the runs we write: the item ids, and popularity's counts equal to the CSV."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

READER = """
import json, sys
from safetensors.numpy import load_file
items = load_file(sys.argv[1] + "/items.safetensors")
weights = load_file(sys.argv[1] + "/weights.safetensors")
o, b = items["items.offsets"], items["items.bytes"].tobytes()
ids = [b[o[i]:o[i + 1]].decode() for i in range(len(o) - 1)]
print(json.dumps(dict(zip(ids, weights["counts"].tolist()))))
"""

ROWS = [("u1", "a"), ("u1", "b"), ("u2", "b"), ("u2", "ü中"), ("u3", "b"), ("u3", "a")]


def main():
    parser = argparse.ArgumentParser()
    for option in ("--source", "--binary", "--shared"):
        parser.add_argument(option)
    args = parser.parse_args()
    python = os.path.join(args.source, ".venv", "bin", "python")
    has_package = os.path.exists(python) and not subprocess.run(
        [python, "-c", "import safetensors.numpy"], stderr=subprocess.DEVNULL
    ).returncode
    if not has_package:
        print("SKIPPED: no safetensors package in .venv (make deps installs it)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        data, run = folder + "/data", folder + "/run"
        os.mkdir(data)
        with open(data + "/interactions.csv", "w", encoding="utf8") as f:
            f.write("user_id,item_id,timestamp\n")
            f.writelines(f"{u},{i},{n}\n" for n, (u, i) in enumerate(ROWS))
        train = [args.binary, "train", "--model", "popularity", "--data", data, "--out", run]
        subprocess.run(train, check=True)
        counts = json.loads(subprocess.run([python, "-c", READER, run], check=True, capture_output=True).stdout)
        assert counts == {"a": 2, "b": 3, "ü中": 1}, counts
        again = subprocess.run(train, capture_output=True, text=True)
        assert again.returncode == 1 and "holds a finished run" in again.stderr, again.stderr
        with open(folder + "/q.jsonl", "w", encoding="utf8") as f:
            f.write('{"user_id": "x", "history": ["b", "nobody"]}\n')
        ask = [args.binary, "recommend", "--run", run, "--input", folder + "/q.jsonl", "--output"]
        subprocess.run([*ask, folder + "/out.jsonl", "--k", "2"], check=True)
        answer = json.loads(open(folder + "/out.jsonl", encoding="utf8").read())
        assert [i["item_id"] for i in answer["items"]] == ["a", "ü中"], answer
        with open(folder + "/q.jsonl", "a", encoding="utf8") as f:
            f.write("nonsense\n")
        bad = subprocess.run([*ask, folder + "/other.jsonl"], capture_output=True, text=True)
        assert bad.returncode == 1 or bad.returncode == 2, bad
        assert "q.jsonl:2: not JSON" in bad.stderr, bad.stderr
        assert not os.path.exists(folder + "/other.jsonl"), "a failing command must leave nothing behind"
    return 0


if __name__ == "__main__":
    sys.exit(main())
