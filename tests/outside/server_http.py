"""The HTTP interface from outside: endpoints, shapes of errors, read-your-writes, access, OpenAPI, shutdown."""
import concurrent.futures
import os
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from server_under_test import Checks, Server, arguments, world  # noqa: E402

args = arguments()
check = Checks()


def event(n, user, item, **more):
    return {"event_id": n, "user_id": user, "item_id": item, "event": "click", **more}


def recommend(server, **wish):
    status, answer = server.call("POST", "/v1/recommend", {"k": 10, **wish})
    check("recommend answers 200", status == 200, answer)
    return [row["item_id"] for row in answer["items"]], answer


def check_recommend(server):
    ids, answer = recommend(server, user_id="stranger")
    check("a stranger gets a full slate", len(ids) == 10, answer)
    check("slots are complete", all({"item_id", "title", "score", "propensity", "reason"} <= row.keys() for row in answer["items"]), answer)
    check("propensities are probabilities", all(0 < row["propensity"] <= 1 for row in answer["items"]), answer)
    check("items are distinct", len(set(ids)) == len(ids), ids)
    ids, _ = recommend(server, history=["i0", "i2"], k=50)
    check("what was seen is hidden", not {"i0", "i2"} & set(ids), ids)
    ids, _ = recommend(server, history=["i0", "i2"], k=100, seen="allow")
    check("seen: allow brings it back", {"i0", "i2"} <= set(ids), ids)
    ids, _ = recommend(server, history=[], k=100, exclude=["i1", "nothing"])
    check("excluded items are left out", "i1" not in ids and len(ids) == 59, ids)
    ids, _ = recommend(server, history=[], k=100, filter={"genres": ["Drama"], "year": {"max": 1960}})
    check("filters hold", sorted(ids) == sorted(f"i{i}" for i in (1, 3, 5, 7, 9)), ids)
    ids, _ = recommend(server, history=[], filter={"genres": "No such"})
    check("a filter may leave nothing", ids == [], ids)


def check_events(server):
    before, _ = recommend(server, user_id="reader", k=100)
    target = before[0]
    status, answer = server.call("POST", "/v1/events", {"events": [event("e1", "reader", target)]})
    check("an event is stored", status == 200 and answer["results"] == [{"event_id": "e1", "status": "stored"}], answer)
    after, _ = recommend(server, user_id="reader", k=100)
    check("the next slate knows it", target not in after, after)
    _, answer = server.call("POST", "/v1/events", {"events": [event("e1", "reader", target), event("e1", "reader", "i5"),
                                                             event("", "reader", "i5"), event("e2", "reader", "unheard-of")]})
    check("rows are judged one by one", [row["status"] for row in answer["results"]] == ["duplicate", "conflict", "invalid", "stored"], answer)
    check("a bad row says why", {"code", "message", "hint"} <= answer["results"][2]["error"].keys(), answer)
    _, user = server.call("GET", "/v1/users/reader?events=10")
    check("events are listed once", [e["event_id"] for e in user["events"]] == ["e1", "e2"], user)
    check("a belief is told", "traits" in user["belief"], user)
    _, future = server.call("POST", "/v1/events", {"events": [event("f1", "dreamer", "i3", timestamp=int(time.time() * 1000) + 10**9)]})
    ids, _ = recommend(server, user_id="dreamer", k=100)
    check("the future stays pending", future["results"][0]["status"] == "stored" and "i3" in ids, ids)
    ids, _ = recommend(server, user_id="u0", k=100)
    _, user = server.call("GET", "/v1/users/u0")
    check("a user of the dataset brings a history", user["history_size"] > 2 and not {h["item_id"] for h in user["history"]} & set(ids), user)


def check_reads_own_writes_together(server):
    """Many users at once: each acknowledged event is gone from the user's very next slate."""
    def one(user):
        for n in range(15):
            ids, _ = recommend(server, user_id=user, k=20)
            server.call("POST", "/v1/events", {"events": [event(f"{user}-{n}", user, ids[0])]})
            after, _ = recommend(server, user_id=user, k=60)
            if ids[0] in after:
                return False
        return True
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        check("read-your-writes under concurrency", all(pool.map(one, [f"many-{i}" for i in range(8)])))


def check_items(server):
    status, _ = server.call("PUT", "/v1/items/new%2Fone", {"title": "Brand new", "genres": ["Comedy", "Western"], "year": 1999})
    check("an item is put", status == 200, status)
    ids, _ = recommend(server, history=["i0", "i2", "i4"], k=100)
    check("and can be shown at once", "new/one" in ids, ids)
    ids, _ = recommend(server, history=[], k=100, filter={"year": {"min": 1990, "max": 2000}, "genres": "Comedy"})
    check("and filtered by its fields", "new/one" in ids, ids)
    _, near = server.call("GET", "/v1/items/new%2Fone/similar?k=5")
    check("similar items share its content", near["items"] and all(int(row["item_id"][1:]) % 2 == 0 for row in near["items"]), near)
    status, _ = server.call("PATCH", "/v1/items/new%2Fone", {"year": 2001, "genres": None})
    _, item = server.call("GET", "/v1/items/new%2Fone")
    check("PATCH merges, null removes", item["fields"] == {"title": "Brand new", "year": 2001}, item)
    status, _ = server.call("PATCH", "/v1/items/i7", {"year": 1812})
    _, item = server.call("GET", "/v1/items/i7")
    check("an item of the dataset keeps its other fields", item["fields"]["year"] == 1812 and item["title"] == "The Horror number 7", item)
    _, latest = server.call("GET", "/v1/latest?k=3")
    check("the latest comes first", {row["item_id"] for row in latest["items"][:2]} == {"new/one", "i7"}, latest)
    _, popular = server.call("GET", "/v1/popular?k=20")
    counts = [row["events"] for row in popular["items"]]
    check("popular is sorted", len(counts) == 20 and counts == sorted(counts, reverse=True), popular)
    _, asked = server.call("GET", "/v1/onboarding?k=50")
    ids = [row["item_id"] for row in asked["items"]]
    check("a newcomer is asked for items once each", 5 < len(ids) <= 50 and len(set(ids)) == len(ids) and "i9" in ids, ids)
    check("a shorter list is the start of a longer", [r["item_id"] for r in server.call("GET", "/v1/onboarding?k=3")[1]["items"]] == ids[:3])
    status, _ = server.call("DELETE", "/v1/items/i9")
    check("nobody is asked for a deleted item", "i9" not in [r["item_id"] for r in server.call("GET", "/v1/onboarding?k=50")[1]["items"]])
    ids, _ = recommend(server, history=[], k=100)
    check("a deleted item is never shown", status == 200 and "i9" not in ids, ids)
    check("and is gone", server.call("GET", "/v1/items/i9")[0] == 404 and server.call("DELETE", "/v1/items/i9")[0] == 404)


def check_users(server):
    check("a user is put", server.call("PUT", "/v1/users/erin", {"age": 30, "city": "Ulm"})[0] == 200)
    server.call("POST", "/v1/events", {"events": [event("erin-1", "erin", "i3")]})
    check("a user has fields", server.call("GET", "/v1/users/erin")[1]["fields"] == {"age": 30, "city": "Ulm"})
    check("a user is erased", server.call("DELETE", "/v1/users/erin")[0] == 200)
    check("and unknown then", server.call("GET", "/v1/users/erin")[0] == 404)
    check("an erased user of the dataset has no history any more", server.call("DELETE", "/v1/users/u1")[0] == 200)
    check("and is unknown too", server.call("GET", "/v1/users/u1")[0] == 404)
    check("who never was cannot be erased", server.call("DELETE", "/v1/users/nobody")[0] == 404)


def check_settings(server):
    """What a person may change of what we think of them; this run (popularity) has no belief, and it works all the same."""
    _, answer = recommend(server, user_id="tuner", k=10)
    check("an item says whether it explores", all(isinstance(row["explore"], bool) for row in answer["items"]), answer)
    status, answer = server.call("PUT", "/v1/users/tuner/traits", {"traits": [{"field": "genres", "name": "Horror", "preference": 3},
                                                                             {"field": "genres", "name": "Comedy", "preference": -3}]})
    check("wishes are stored", (status, answer) == (200, {"status": "stored"}), answer)
    _, answer = recommend(server, user_id="tuner", k=100)
    scores = {side: [row["score"] for row in answer["items"] if row["item_id"][0] == "i" and int(row["item_id"][1:]) % 2 == side] for side in (0, 1)}
    check("all horror is above all comedy", min(scores[1]) > max(scores[0]), scores)
    _, user = server.call("GET", "/v1/users/tuner")
    check("wishes are told", {w["name"]: w["preference"] for w in user["belief"]["wishes"]} == {"Horror": 3, "Comedy": -3}, user)
    check("wishes are taken back", server.call("DELETE", "/v1/users/tuner/traits") == (200, {"status": "reset"}))
    check("and nothing is left of who asked for nothing", server.call("GET", "/v1/users/tuner")[0] == 404)
    check("knobs are stored", server.call("PUT", "/v1/users/tuner/knobs", {"novelty": 5})[0] == 200)
    _, answer = recommend(server, user_id="tuner", k=10)
    check("the policy's version says the knobs", "novelty=5" in answer["policy"], answer["policy"])
    check("what only a knob shows is marked", any(row["explore"] for row in answer["items"]), answer)
    _, user = server.call("GET", "/v1/users/tuner")
    check("knobs in force are told", user["knobs"] == {"exploration": 0, "novelty": 5, "content": 0, "diversity": 0, "chosen_by": "constant", "by_hand": True}, user["knobs"])
    check("knobs are reset", server.call("DELETE", "/v1/users/tuner/knobs")[0] == 200)
    _, answer = recommend(server, user_id="tuner", k=10)
    check("and the policy is itself again", "knobs" not in answer["policy"], answer["policy"])
    for path, body in [("knobs", {}), ("knobs", {"exploration": 6}), ("knobs", {"diversity": -1}), ("knobs", {"speed": 1}), ("knobs", []),
                       ("traits", {"traits": [{"field": "genres", "name": "Nothing", "preference": 1}]}), ("traits", {"traits": [{"field": "x", "name": "y", "preference": 1}]}),
                       ("traits", {"traits": [{"field": "genres", "name": "Horror", "preference": 0}]}), ("traits", {"traits": 1}), ("traits", {})]:
        status, answer = server.call("PUT", f"/v1/users/tuner/{path}", body)
        check(f"{path} {body} is refused with a reason", status == 400 and answer["message"] and answer["hint"], (status, answer))


def check_forgetting(server):
    server.call("POST", "/v1/events", {"events": [event("fg1", "forgetful", "i3"), event("fg/2", "forgetful", "i4")]})
    _, user = server.call("GET", "/v1/users/forgetful")
    check("the history names its events", [h["event_id"] for h in user["history"]] == ["fg/2", "fg1"], user)
    check("an event is forgotten", server.call("DELETE", "/v1/users/forgetful/events/fg%2F2") == (200, {"status": "forgotten"}))
    _, user = server.call("GET", "/v1/users/forgetful")
    check("and gone", [e["event_id"] for e in user["events"]] == ["fg1"] and [h["item_id"] for h in user["history"]] == ["i3"], user)
    ids, _ = recommend(server, user_id="forgetful", k=100)
    check("its item can be shown again", "i4" in ids and "i3" not in ids, ids)
    check("it cannot be forgotten twice", server.call("DELETE", "/v1/users/forgetful/events/fg%2F2")[0] == 404)
    _, user = server.call("GET", "/v1/users/u2")
    last = user["history"][0]
    check("an event of the dataset too", server.call("DELETE", f"/v1/users/u2/events/{last['event_id']}")[0] == 200, last)
    _, after = server.call("GET", "/v1/users/u2")
    check("the history is one shorter", after["history_size"] == user["history_size"] - 1 and after["history"][0] != last, after["history"][:2])
    check("an index past the end is not found", server.call("DELETE", "/v1/users/u2/events/dataset:999")[0] == 404)


def check_collection(data, run, db):
    server = Server(args.binary, run, data, db, "--collect", "0.05", "--collect-from", "40").wait_until_ready()
    for n in range(30):
        ids, answer = recommend(server, user_id=f"collected-{n}")
        server.call("POST", "/v1/events", {"events": [event(f"collected-{n}", f"collected-{n}", ids[0], recommendation_id=answer["recommendation_id"])]})
    check("the policy's version says it", "random=0.05,of=40" in answer["policy"], answer["policy"])
    until = time.time() + 10  # impressions are committed within a second of an idle machine
    while (collection := server.call("GET", "/v1/status")[1]["collection"])["slots"] < 300 and time.time() < until:
        time.sleep(0.1)
    check("collection is on", collection["is_on"] and collection["random_share"] == 0.05, collection)
    check("slots and clicks are counted", collection["slots"] >= 300 and 0 < collection["clicks_per_slot"] < 0.2, collection)
    check("the question and what it needs are told", collection["question"] and collection["random_slots_needed"] > 1000, collection)
    server.stop()
    refused = subprocess.run([args.binary, "serve", "--run", run, "--data", data, "--db", db, "--port", "0", "--collect-for", run / "manifest.json"],
                             capture_output=True, text=True, timeout=60)
    check("a record that needs no data is refused", refused.returncode != 0 and "does not say what data it needs" in refused.stderr, refused.stderr)


def check_errors(server):
    for method, path, body, wanted in [
        ("POST", "/v1/recommend", "{", 400), ("POST", "/v1/recommend", {"user_id": "u", "k": 0}, 400), ("POST", "/v1/recommend", {"usr": 1}, 400),
        ("POST", "/v1/events", {"events": []}, 400), ("POST", "/v1/events", "[" * 100000, 400), ("GET", "/v1/popular?k=x", None, 400),
        ("GET", "/v1/items/none", None, 404), ("GET", "/v1/nothing", None, 404), ("DELETE", "/v1/events", None, 405), ("GET", "/v1/items/%zz", None, 400),
        ("PUT", "/v1/items/x", {"a": {"b": 1}}, 400), ("PATCH", "/v1/items/none", {"a": 1}, 404), ("POST", "/v1/admin/reload", {"run": "/nowhere"}, 404)]:
        status, answer = server.call(method, path, body)
        check(f"{method} {path} is {wanted}", status == wanted, (status, answer))
        check(f"{method} {path} says code, message, hint", answer.keys() == {"code", "message", "hint"}, answer)
    check("another site's page is refused", server.call("GET", "/v1/status", headers={"Origin": "http://evil.example"})[0] == 403)
    check("another name is refused", server.call("GET", "/v1/status", headers={"Host": "evil.example"})[0] == 403)
    status, _ = server.call("POST", "/v1/events", b"x" * (33 << 20))
    check("33 MB are too large", status == 413, status)


def check_system(server):
    check("live", server.call("GET", "/health/live") == (200, {"status": "live"}))
    check("ready", server.call("GET", "/health/ready") == (200, {"status": "ready"}))
    text = server.call("GET", "/metrics", raw=True)[1]
    check("metrics count requests", 'honeyguide_http_requests_total{route="/v1/recommend",status="200"}' in text, text[:200])
    check("metrics name no user", "reader" not in text)
    status = server.call("GET", "/v1/status")[1]
    check("status knows the model", status["model_kind"] == "popularity" and status["store"]["events"] > 0, status)
    document = server.call("GET", "/openapi.json")[1]
    for path, methods in document["paths"].items():
        for method in ("get", "post", "put", "patch", "delete"):
            concrete = path.replace("{id}", "no-such-thing").replace("{event}", "none")
            status = server.call(method.upper(), concrete, "{" if method in ("post", "put", "patch") else None, raw=True)[0]
            if method in methods:
                check(f"{method} {path} is served as described", status != 405, status)
            else:
                check(f"{method} {path} is not described, so it is 405", status == 405, status)
    page = server.call("GET", "/", raw=True)[1]
    check("the page is there", "<title>honeyguide</title>" in page)


def check_restart_and_reload(data, run, db):
    server = Server(args.binary, run, data, db).wait_until_ready()
    ids, _ = recommend(server, user_id="reader", k=100)
    _, user = server.call("GET", "/v1/users/reader?events=10")
    check("after a restart everything is where it was", [e["event_id"] for e in user["events"]] == ["e1", "e2"], user)
    check("erased users stay erased", server.call("GET", "/v1/users/u1")[0] == 404)
    check("deleted items stay deleted", "i9" not in ids)
    check("items that were put stay", server.call("GET", "/v1/items/new%2Fone")[0] == 200 and "new/one" in ids, ids)
    second = run.parent / "second"
    subprocess.run([args.binary, "-q", "train", "--model", "item_knn", "--data", data, "--out", second], check=True)
    check("a run is swapped in", server.call("POST", "/v1/admin/reload", {"run": str(second)})[0] == 200)
    _, answer = recommend(server, history=["i0", "i2"], explain=True)
    check("the next slate is the new model's", answer["model"] == "second", answer)
    because = [row for row in answer["items"] if "because" in row]
    check("reasons name items of the history", because and all(row["because"] in ("i0", "i2") for row in because), answer)
    for row in because[:3]:
        rest = [i for i in ("i0", "i2") if i != row["because"]]
        _, without = recommend(server, history=rest, k=100, seen="allow")
        scores = {other["item_id"]: other["score"] for other in without["items"]}
        check("and without it the score is lower", scores.get(row["item_id"], -1e9) < row["score"], row)
    check("a run that is not there is refused", server.call("POST", "/v1/admin/reload", {"run": "/nowhere"})[0] == 404)
    check("and the old one stays", server.call("GET", "/v1/status")[1]["model"] == "second")
    server.stop()


def check_access(data, run, db):
    refused = subprocess.run([args.binary, "serve", "--run", run, "--data", data, "--db", db, "--port", "0", "--host", "0.0.0.0"],
                             capture_output=True, text=True, timeout=60, env={k: v for k, v in os.environ.items() if k != "HG_API_KEY"})
    check("no key, no remote access", refused.returncode == 2 and "HG_API_KEY" in refused.stderr, refused)
    key = "a-key-that-must-never-be-logged-4711"
    server = Server(args.binary, run, data, db, "--host", "0.0.0.0", env={**os.environ, "HG_API_KEY": key}).wait_until_ready()
    document = server.call("GET", "/openapi.json")[1]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            is_open = operation.get("security") == []
            concrete = path.replace("{id}", "x")
            for headers in ({}, {"Authorization": "Bearer wrong-key-wrong-key"}, {"X-API-Key": key[:-1]}):
                status = server.call(method.upper(), concrete, headers=headers, raw=True)[0]
                check(f"{method} {path} is {'open' if is_open else 'closed'}", (status != 401) == is_open, status)
    check("the key opens", server.call("GET", "/v1/status", headers={"Authorization": f"Bearer {key}"})[0] == 200)
    check("either way", server.call("GET", "/v1/status", headers={"X-API-Key": key})[0] == 200)
    code, log = server.stop()
    check("the key is in no log", key not in log, log)
    check("a key ends cleanly", code == 0, code)
    server = Server(args.binary, run, data, db, "--rate", "5").wait_until_ready()
    statuses = [server.call("GET", "/v1/popular?k=1")[0] for _ in range(40)]
    check("a rate limit is kept", 429 in statuses and statuses[0] == 200, statuses)
    check("health is not limited", server.call("GET", "/health/live")[0] == 200)
    server.stop()


def check_shutdown(data, run, db):
    server = Server(args.binary, run, data, db).wait_until_ready()
    idle = socket.create_connection(("127.0.0.1", server.port))
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        def hammer(n):
            answered = 0
            for i in range(10000):
                try:
                    status, answer = server.call("POST", "/v1/events", {"events": [event(f"s{n}-{i}", f"s{n}", "i1")]})
                except (OSError, ValueError) as error:
                    return answered, isinstance(error, ValueError)
                if status != 200:
                    return answered, True
                answered += 1
            return answered, False
        futures = [pool.submit(hammer, n) for n in range(6)]
        time.sleep(0.5)
        started = time.time()
        code, _ = server.stop()
        took = time.time() - started
        results = [future.result() for future in futures]
    idle.close()
    check("SIGTERM under load ends with 0", code == 0, code)
    check("within the drain time", took < 12, took)
    check("no answer was cut", not any(cut for _, cut in results), results)
    server = Server(args.binary, run, data, db).wait_until_ready()
    for n, (answered, _) in enumerate(results):
        _, user = server.call("GET", f"/v1/users/s{n}?events=100000")
        check("every acknowledged event is there", len(user["events"]) >= answered, (len(user["events"]), answered))
    server.stop()


with world(args) as (data, run, db):
    server = Server(args.binary, run, data, db).wait_until_ready()
    for part in (check_recommend, check_events, check_reads_own_writes_together, check_items, check_users, check_settings, check_forgetting, check_errors,
                 check_system):
        part(server)
    code, log = server.stop()
    check("SIGTERM ends with 0", code == 0, code)
    check("no user is named in the log", "reader" not in log, log)
    check_restart_and_reload(data, run, db)
    check_collection(data, run, db)
    check_access(data, run, db)
    check_shutdown(data, run, db)
sys.exit(check.done())
