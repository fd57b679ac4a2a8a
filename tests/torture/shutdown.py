"""Recipe 14: SIGTERM under load drains within 10 s, cuts no answer, loses nothing acknowledged and ends with 0; a second SIGTERM ends at once."""
import http.client
import pathlib
import random
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from server_under_test import Server, world  # noqa: E402
from torture import Client, Recipe, arguments, click  # noqa: E402

args = arguments(__doc__)
check = Recipe()
rounds = 3 if args.short else 40
rng = random.Random(5)


def write_until_closed(server, user, acknowledged, cut):
    """A connection that is closed between two requests is fine; one that is closed inside an answer is not."""
    client, n = Client(server), 0
    while True:
        n += 1
        event_id = f"{user}-{n}"
        try:
            status, headers, _ = client.call("POST", "/v1/events", {"events": [click(event_id, user, f"i{n % 60}")]})
        except (http.client.RemoteDisconnected, ConnectionError, BrokenPipeError):
            return
        except (http.client.IncompleteRead, ValueError) as error:
            cut.append(repr(error))
            return
        if status == 200:
            acknowledged.add(event_id)
        elif status != 503:
            cut.append(status)


with world(args) as (data, run, db):
    lost = total = 0
    slowest, cuts, codes = 0.0, [], set()
    known = {}
    for k in range(rounds):
        server = Server(args.binary, run, data, db).wait_until_ready()
        threads = []
        for w in range(6):
            user = f"round{k}-{w}"
            known[user] = set()
            threads.append(threading.Thread(target=write_until_closed, args=(server, user, known[user], cuts)))
            threads[-1].start()
        time.sleep(rng.uniform(0.05, 0.4))
        started = time.monotonic()
        code, _ = server.stop()
        slowest = max(slowest, time.monotonic() - started)
        codes.add(code)
        for thread in threads:
            thread.join()
    check("SIGTERM ends with 0", codes == {0}, codes)
    check("within 10 s", slowest < 10, slowest)
    check("no answer was cut", not cuts, cuts[:3])
    server = Server(args.binary, run, data, db).wait_until_ready()
    for user, events in known.items():
        got = {e["event_id"] for e in server.call("GET", f"/v1/users/{user}?events=100000")[1].get("events", [])}
        lost += len(events - got)
        total += len(events)
    check("nothing acknowledged is lost", lost == 0, lost)
    check("something was acknowledged", total > 10 * rounds, total)
    # A request that never ends keeps the server draining: the second signal must not wait for it.
    slow = http.client.HTTPConnection("127.0.0.1", server.port)
    slow.putrequest("POST", "/v1/events")
    slow.putheader("Content-Length", "1000")
    slow.endheaders(b'{"events": [')
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    check("a request in progress is waited for", server.process.poll() is None, server.process.returncode)
    started = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(timeout=20)
    second = time.monotonic() - started
    check("a second SIGTERM ends at once", second < 1, second)
    check("and says that it was interrupted", server.process.returncode == 130, server.process.returncode)
    server.process.communicate()
    check.figures = {"rounds": rounds, "acknowledged": total, "lost": lost, "cut": len(cuts), "slowest_s": round(slowest, 2), "second_signal_s": round(second, 2)}
check.finish()
