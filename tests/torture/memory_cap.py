"""Recipe 7: many large bodies at once against a server in a memory cgroup. It refuses with 503 or 429 instead of being killed, and answers
everybody else; the bodies together are ten times the cap (short: twice)."""
import http.client
import json
import os
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from server_under_test import Server, world  # noqa: E402
from torture import Recipe, arguments, click, skip  # noqa: E402

CAP = 512 << 20
BODY = 24 << 20
CLIENTS = 16
MOST_EVENTS = 10_000  # of a batch
args = arguments(__doc__)
check = Recipe()
total = (2 if args.short else 10) * CAP


def make_group():
    """A memory cgroup of our own (version 1 or 2), skipped where none can be made."""
    v1, v2 = pathlib.Path("/sys/fs/cgroup/memory"), pathlib.Path("/sys/fs/cgroup")
    group = (v1 if v1.exists() else v2) / f"honeyguide-torture-{os.getpid()}"
    try:
        group.mkdir()
        (group / ("memory.limit_in_bytes" if v1.exists() else "memory.max")).write_text(str(CAP))
    except OSError as error:
        skip(f"no memory cgroup can be made here ({error}): the cap was not tested")
    return group


def body():
    """About BODY bytes, as many events as a batch may have, with contexts of many small values: hard on a JSON parser. Sent again, its
    events are duplicates: the disk is not what is tested."""
    context = {"path": [n % 10 for n in range(BODY // MOST_EVENTS // 3 - 40)]}
    return json.dumps({"events": [click(f"b{n}", f"many{n % 97}", f"i{n % 60}", context=context) for n in range(MOST_EVENTS)]}).encode()


def send(server, payload, numbers, statuses):
    for _ in iter(lambda: next(numbers, None), None):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        try:
            connection.request("POST", "/v1/events", payload, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            statuses.append((answer.status, answer.getheader("Retry-After")))
            if answer.status == 503:
                time.sleep(float(answer.getheader("Retry-After") or 0))
        except ConnectionError as error:  # refused before all of it was sent
            statuses.append((0, repr(error)))
        finally:
            connection.close()


with world(args) as (data, run, db):
    group = make_group()
    server = Server(args.binary, run, data, db).wait_until_ready()
    (group / "cgroup.procs").write_text(str(server.process.pid))
    statuses, n = [], -(-total // BODY)
    payload, numbers = body(), iter(range(n))
    threads = [threading.Thread(target=send, args=(server, payload, numbers, statuses)) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    others = 0
    while any(thread.is_alive() for thread in threads):
        threads[0].join(0.2)
        try:
            others += server.call("POST", "/v1/recommend", {"user_id": "u1", "k": 5})[0] == 200
        except OSError as error:
            check("others are answered meanwhile", False, repr(error))
            break
    for thread in threads:
        thread.join()
    check("the server lives", server.process.poll() is None, server.process.poll())
    counts = {}
    for status, _ in statuses:
        counts[status] = counts.get(status, 0) + 1
    check("every answer is 200, 429, 503 or a closed connection", counts.keys() <= {0, 200, 413, 429, 503}, counts)
    check("503 says when to come again", all(retry for status, retry in statuses if status in (429, 503)), statuses[:5])
    check("some were taken", counts.get(200, 0) > 0, counts)
    check("others were answered meanwhile", others > 0, others)
    if server.process.poll() is None:
        code, _ = server.stop()
        check("SIGTERM ends with 0", code == 0, code)
    else:
        server.kill()
    peak = group / "memory.max_usage_in_bytes"
    check.figures = {"cap_mb": CAP >> 20, "sent_mb": n * len(payload) >> 20, "statuses": counts, "others_answered": others,
                     "peak_mb": int(peak.read_text()) >> 20 if peak.exists() else None, "exit": server.process.returncode}
    group.rmdir()
check.finish()
