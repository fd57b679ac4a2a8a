"""Recipes 13 and 5: the run is swapped under load, and broken runs are offered in between. No request fails, every slate is of one run
whose scores it has, broken runs are refused by name while the old one serves, and memory stays flat."""
import json
import pathlib
import random
import shutil
import struct
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from server_under_test import Server, train, world  # noqa: E402
from torture import Client, Recipe, arguments, metric, resident_mb  # noqa: E402

args = arguments(__doc__)
check = Recipe()
swaps = 12 if args.short else 300
HISTORY = {"history": ["i0", "i2"], "k": 60, "seen": "allow"}
MODELS = ("popularity", "item_knn", "als")


def flip(path, rng):
    data = bytearray(path.read_bytes())
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    path.write_bytes(data)


def resign(run):
    """As if whoever damaged the weights had known the digests: what is left are the checks of the content."""
    import hashlib
    manifest = json.loads((run / "manifest.json").read_text())
    manifest.pop("seal", None)
    data = (run / "weights.safetensors").read_bytes()
    manifest["files"]["weights.safetensors"] = {"bytes": len(data), "blake2b": hashlib.blake2b(data, digest_size=32).hexdigest()}
    (run / "manifest.json").write_text(json.dumps(manifest))


def edit_header(run, change):
    path = run / "weights.safetensors"
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    change(header)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size:])
    resign(run)


def hostile_shape(header):
    next(entry for name, entry in header.items() if name != "__metadata__")["shape"] = [2**63 - 1, 2**62]


def wrong_shape(header):
    next(entry for name, entry in header.items() if name != "__metadata__")["shape"][0] -= 1


def not_numbers(run):
    path = run / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-8:] = struct.pack("<ff", float("nan"), float("inf"))
    path.write_bytes(data)
    resign(run)


BREAKAGES = {
    "weights of length zero": lambda run, rng: (run / "weights.safetensors").write_bytes(b""),
    "half the weights": lambda run, rng: (run / "weights.safetensors").write_bytes((run / "weights.safetensors").read_bytes()[:50]),
    "a flipped bit in the weights": lambda run, rng: flip(run / "weights.safetensors", rng),
    "a flipped bit in the items": lambda run, rng: flip(run / "items.safetensors", rng),
    "a manifest of another file": lambda run, rng: (run / "manifest.json").write_bytes(b"\x7fELF\0\0"),
    "half a manifest": lambda run, rng: (run / "manifest.json").write_bytes((run / "manifest.json").read_bytes()[:200]),
    "no manifest": lambda run, rng: (run / "manifest.json").unlink(),
    "weights that are no numbers": lambda run, rng: not_numbers(run),
    "a shape of 2^63 rows with the right digest": lambda run, rng: edit_header(run, hostile_shape),
    "a shape that does not fit with the right digest": lambda run, rng: edit_header(run, wrong_shape),
}


def offer_broken_run(server, good, folder, number):
    rng = random.Random(number)
    name, damage = list(BREAKAGES.items())[number % len(BREAKAGES)]
    broken = folder / "broken"
    shutil.rmtree(broken, ignore_errors=True)
    shutil.copytree(good, broken)
    damage(broken, rng)
    status, answer = server.call("POST", "/v1/admin/reload", {"run": str(broken)})
    check(f"{name} is refused", 400 <= status < 600 and status != 200 and answer.get("message"), (status, answer))
    check(f"{name}: the message names the file", "broken" in answer.get("message", "") and status != 503, (status, answer))
    check(f"{name}: still ready", server.call("GET", "/health/ready")[0] == 200)


def ask_until(server, stopped, expected, seen):
    client = Client(server)
    n = 0
    while not stopped.is_set():
        n += 1
        try:
            status, _, answer = client.call("POST", "/v1/recommend", HISTORY if n % 2 else {"user_id": f"u{n % 40}", "k": 10})
        except OSError as error:
            seen["failed"].append(repr(error))
            return
        seen["requests"] += 1
        if status != 200:
            seen["failed"].append((status, answer))
        elif n % 2:
            scores = {row["item_id"]: row["score"] for row in answer["items"]}
            if scores != expected.get(answer["model"]):
                seen["mixed"].append((answer["model"], scores))


with world(args) as (data, run, db):
    runs = {}
    for model in MODELS:
        runs[model] = run.parent / model
        train(args.binary, data, runs[model], model)
    server = Server(args.binary, run, data, db).wait_until_ready()
    expected = {}
    for model, folder in runs.items():
        check("a run is taken", server.call("POST", "/v1/admin/reload", {"run": str(folder)})[0] == 200)
        expected[model] = {row["item_id"]: row["score"] for row in server.call("POST", "/v1/recommend", HISTORY)[1]["items"]}
    check("the runs differ", len({json.dumps(scores, sort_keys=True) for scores in expected.values()}) == len(MODELS), expected)
    stopped = threading.Event()
    threads = []
    results = [{"requests": 0, "failed": [], "mixed": []} for _ in range(4 if args.short else 8)]
    for seen in results:
        threads.append(threading.Thread(target=ask_until, args=(server, stopped, expected, seen)))
        threads[-1].start()
    refusals_before, sizes = metric(server, "reloads_refused"), []
    offered = 0
    for k in range(swaps):
        started = time.monotonic()
        status, answer = server.call("POST", "/v1/admin/reload", {"run": str(runs[MODELS[k % 3]])})
        check("a swap is taken", status == 200, answer)
        if k % (2 if args.short else 5) == 0:
            offer_broken_run(server, runs[MODELS[k % 3]], run.parent, offered)
            offered += 1
            check("the old run serves", server.call("GET", "/v1/status")[1]["model"] == MODELS[k % 3])
        sizes.append(resident_mb(server))
        if not args.short:
            time.sleep(max(0, 0.2 - (time.monotonic() - started)))
    stopped.set()
    for thread in threads:
        thread.join()
    failed = [f for seen in results for f in seen["failed"]]
    mixed = [m for seen in results for m in seen["mixed"]]
    check("no request failed", not failed, failed[:3])
    check("every slate is of one run", not mixed, mixed[:1])
    check("every refusal is counted", metric(server, "reloads_refused") - refusals_before == offered, offered)
    early, late = max(sizes[swaps // 6:swaps // 3] or sizes), max(sizes[-swaps // 6:])
    check("memory is flat", late < 1.05 * early + 8, (early, late))
    check("there was load", sum(seen["requests"] for seen in results) > 20 * swaps // 10)
    code, _ = server.stop()
    check("SIGTERM ends with 0", code == 0, code)
    check.figures = {"swaps": swaps, "broken_runs_refused": offered, "requests": sum(seen["requests"] for seen in results), "failed": len(failed),
                     "mixed": len(mixed), "rss_mb_early": round(early, 1), "rss_mb_late": round(late, 1)}
check.finish()
