#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`honeyguide ingest` from outside: the figures it prints, what Python reads of what it wrote, its refusals."""
import argparse
import gzip
import json
import os
import struct
import subprocess
import sys
import tempfile

parser = argparse.ArgumentParser()
for name in ("--source", "--binary", "--shared"):
    parser.add_argument(name, default="")
arguments = parser.parse_args()


def run(*words):
    return subprocess.run([arguments.binary, *words], capture_output=True, text=True, check=False)


def tensors(path):
    """A safetensors file by its specification alone."""
    data = open(path, "rb").read()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    codes = {"I64": "q", "U32": "I", "F32": "f", "U8": "B"}
    out = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        count = (end - begin) // struct.calcsize(codes[entry["dtype"]])
        out[name] = struct.unpack_from(f"<{count}{codes[entry['dtype']]}", data, 8 + length + begin)
    return out


def strings(table, name):
    offsets, text = table[name + ".offsets"], bytes(table[name + ".bytes"])
    return [text[a:b].decode() for a, b in zip(offsets, offsets[1:])]


def check_explain(folder):
    shop = folder + "/shop"
    os.mkdir(shop)
    with open(shop + "/orders_export.csv", "w") as f:
        f.write("Name,Email,Created at,Lineitem name,Lineitem sku,Billing Name\n#1,ann@example.org,2024-03-01 12:30:00 -0500,Cup,C1,Ann\n")
    before = sorted(os.listdir(folder))
    done = run("ingest", shop, "--explain")
    assert done.returncode == 0, done.stderr
    for line in ("orders_export.csv -> interactions: shopify_orders", "hashed     1 x orders_export.csv: user_id", "Billing Name",
                 "1 x purchase: weight 1", "nothing was written"):
        assert line in done.stdout, (line, done.stdout)
    assert "ann@" not in done.stdout, done.stdout
    told = json.loads(run("ingest", shop, "--explain", "--json").stdout)
    assert {"from": "Created at", "becomes": "time", "note": ""} in told["tables"][0]["columns"], told
    assert sorted(os.listdir(folder)) == before and os.listdir(shop) == ["orders_export.csv"], os.listdir(shop)
    refused = run("ingest", shop)
    assert refused.returncode == 2 and "--explain" in refused.stderr, refused


def check_small(folder):
    raw, out = folder + "/raw", folder + "/out"
    os.mkdir(raw)
    with gzip.open(raw + "/interactions.csv.gz", "wt") as f:
        f.write("user_id,item_id,rating,timestamp\nu,b,4,9\nu,a,five,1\nu,a,5,1\nv,b,,3\n")
    with open(raw + "/items.csv", "w") as f:
        f.write('item_id,title,genres\na,"A, quoted",x|y\nb,B,\n')
    done = run("ingest", raw, "--out", out, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["events"] == 3 and report["summary"]["users"] == 2, report
    assert report["rejected"]["reasons"] == {"rating is not a number": 1}, report
    rejected = [json.loads(line) for line in open(out + "/rejected.jsonl")]
    assert rejected[0]["line"] == 3 and rejected[0]["row"] == "u,a,five,1", rejected
    log, items = tensors(out + "/log.safetensors"), tensors(out + "/items.safetensors")
    names = strings(items, "ids")
    assert log["user_offsets"] == (0, 2, 3), log
    assert [names[i] for i in log["items"]] == ["a", "b", "b"], log
    assert strings(items, "field.0.texts")[names.index("a")] == "A, quoted"
    text = run("ingest", raw, "--out", out)
    assert text.returncode == 0 and "rejected         1 rows" in text.stdout, text
    stopped = run("ingest", raw, "--out", out, "--max-bad", "0")
    assert stopped.returncode == 2 and "1 bad rows" in stopped.stderr, stopped
    assert json.load(open(out + "/dataset.json"))["n_events"] == 3, "the older dataset must stay"


def check_refusals(folder):
    missing = run("ingest", folder + "/nowhere", "--out", folder + "/x")
    assert missing.returncode == 1 and "nowhere" in missing.stderr, missing
    os.mkdir(folder + "/mine")
    open(folder + "/mine/letter.txt", "w").close()
    taken = run("ingest", folder + "/raw", "--out", folder + "/mine")
    assert taken.returncode == 1 and "not a dataset" in taken.stderr, taken
    assert os.listdir(folder + "/mine") == ["letter.txt"]


def check_synthetic(folder):
    made = run("ingest", "--synthetic", "users=30,items=20,events=400,seed=7", "--out", folder + "/made")
    assert made.returncode == 0, made.stderr
    done = run("ingest", folder + "/made", "--out", folder + "/made.ds", "--json")
    assert json.loads(done.stdout)["summary"]["events"] == 400, done


with tempfile.TemporaryDirectory() as temporary:
    check_explain(temporary)
    check_small(temporary)
    check_refusals(temporary)
    check_synthetic(temporary)
print("ok", file=sys.stderr)
