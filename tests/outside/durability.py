"""kill -9 under concurrent writes: every acknowledged event is there after the restart, none twice, none invented; what was
forgotten stays forgotten, and wishes hold."""
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

args = arguments()
ROUNDS = args.rounds
check = Checks()
rng = random.Random(11)


def change_until_killed(server, user, log):
    """Wishes, knobs and forgotten events, one after the other; log: what was sent, and what was acknowledged of it."""
    n = 0
    try:
        while True:
            n += 1
            wish = {"traits": [{"field": "genres", "name": "Drama", "preference": 1 + n % 2000 / 1000}]}
            log["sent_wish"] = wish["traits"]
            if server.call("PUT", f"/v1/users/{user}/traits", wish)[0] == 200:
                log["wish"] = wish["traits"]
            event = f"{user}-{n}"
            rows = [{"event_id": event, "user_id": user, "item_id": f"i{n % 60}", "event": "click"}]
            if server.call("POST", "/v1/events", {"events": rows})[0] != 200:
                continue
            log["kept"].add(event)
            if n % 2 == 0:
                log["doubtful"] = event
                if server.call("DELETE", f"/v1/users/{user}/events/{event}")[0] == 200:
                    log["kept"].discard(event)
                    log["forgotten"].add(event)
    except (OSError, ValueError, EOFError):
        return
    except Exception as error:
        if type(error).__module__ != "http.client":
            raise


def check_changes(data, run, db):
    logs = {}
    for k in range(ROUNDS):
        server = Server(args.binary, run, data, db).wait_until_ready()
        users = [f"change{k}-writer{w}" for w in range(3)]
        logs.update({user: {"kept": set(), "forgotten": set(), "wish": None, "sent_wish": None, "doubtful": None} for user in users})
        killer = threading.Timer(rng.uniform(0.1, 0.5), server.process.kill)
        killer.start()
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for user in users:
                pool.submit(change_until_killed, server, user, logs[user])
        killer.join()
        server.kill()
    server = Server(args.binary, run, data, db).wait_until_ready()
    for user, log in logs.items():
        _, answer = server.call("GET", f"/v1/users/{user}?events=100000")
        got = {e["event_id"] for e in answer.get("events", [])}
        check("no forgotten event is back", not got & log["forgotten"], got & log["forgotten"])
        check("no other event is lost", log["kept"] - {log["doubtful"]} <= got, log["kept"] - got)
        wishes = answer.get("belief", {}).get("wishes")
        check("the last acknowledged wish holds, or the one on its way", wishes in (log["wish"], log["sent_wish"]), (wishes, log["wish"]))
    forgotten = sum(len(log["forgotten"]) for log in logs.values())
    check("events were forgotten at all", forgotten > 10, forgotten)
    server.stop()


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
    print(json.dumps({"rounds": ROUNDS, "acknowledged": sum(map(len, acknowledged.values())), "sent": sum(map(len, sent.values())), "restart_s": round(restart, 2)}))
    server.stop()
    check_changes(data, run, db)
    outside = args.shared and args.shared / "checks" / "durability.py"
    if outside and outside.exists():
        done = subprocess.run([sys.executable, outside, args.binary, run, data, str(ROUNDS)], capture_output=True, text=True, timeout=1800)
        check("the outside check passes", done.returncode == 0, done.stdout + done.stderr)
        print(done.stdout.strip())
    else:
        print("the outside check was skipped: there is no shared folder")
sys.exit(check.done())
