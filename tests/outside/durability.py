"""kill -9 under concurrent writes: every acknowledged event is there after the restart, none twice, none invented."""
import concurrent.futures
import json
import pathlib
import random
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from server_under_test import Checks, Server, arguments, world  # noqa: E402

ROUNDS = 6
args = arguments()
check = Checks()
rng = random.Random(11)


def write_until_killed(server, user, acknowledged, sent):
    n = 0
    while True:
        batch = [{"event_id": f"{user}-{n + i}", "user_id": user, "item_id": f"i{n % 60}", "event": "click"} for i in range(1 + n % 3)]
        n += len(batch)
        sent.update(row["event_id"] for row in batch)
        try:
            status, answer = server.call("POST", "/v1/events", {"events": batch})
        except (OSError, ValueError, EOFError):
            return
        except Exception as error:  # http.client raises its own kinds for a cut answer
            if type(error).__module__ != "http.client":
                raise
            return
        if status == 200:
            acknowledged.update(row["event_id"] for row in answer["results"] if row["status"] in ("stored", "duplicate"))


with world(args) as (data, run, db):
    acknowledged, sent = {}, {}
    for k in range(ROUNDS):
        server = Server(args.binary, run, data, db).wait_until_ready()
        users = [f"round{k}-writer{w}" for w in range(4)]
        for user in users:
            acknowledged[user], sent[user] = set(), set()
        killer = threading.Timer(rng.uniform(0.05, 0.4), server.process.kill)
        killer.start()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for user in users:
                pool.submit(write_until_killed, server, user, acknowledged[user], sent[user])
        killer.join()
        server.kill()
    started = time.time()
    server = Server(args.binary, run, data, db).wait_until_ready()
    restart = time.time() - started
    for user in acknowledged:
        status, answer = server.call("GET", f"/v1/users/{user}?events=100000")
        got = [e["event_id"] for e in answer.get("events", [])]
        check("nothing acknowledged is lost", acknowledged[user] <= set(got), acknowledged[user] - set(got))
        check("nothing is there twice", len(got) == len(set(got)), len(got))
        check("nothing was invented", set(got) <= sent[user], set(got) - sent[user])
    check("events were acknowledged at all", sum(map(len, acknowledged.values())) > 50, sum(map(len, acknowledged.values())))
    print(json.dumps({"acknowledged": sum(map(len, acknowledged.values())), "restart_s": round(restart, 2)}))
    server.stop()
    outside = args.shared and args.shared / "checks" / "durability.py"
    if outside and outside.exists():
        done = subprocess.run([sys.executable, outside, args.binary, run, data, "5"], capture_output=True, text=True, timeout=300)
        check("the outside check passes", done.returncode == 0, done.stdout + done.stderr)
        print(done.stdout.strip())
    else:
        print("the outside check was skipped: there is no shared folder")
sys.exit(check.done())
