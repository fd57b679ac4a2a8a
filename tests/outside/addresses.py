"""E-mail addresses from outside: what a shop sends is the user of the dataset, and no file holds an address."""
import csv
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from server_under_test import Checks, Server, arguments, train, world  # noqa: E402

args = arguments()
check = Checks()


def with_addresses(data, target):
    """The world's tables, its users called u7@shop.example."""
    target.mkdir()
    (target / "items.csv").write_text((data / "items.csv").read_text())
    with open(data / "interactions.csv") as source, open(target / "interactions.csv", "w", newline="") as out:
        rows = csv.writer(out)
        for number, row in enumerate(csv.reader(source)):
            rows.writerow(row if number == 0 else [row[0] + "@shop.example", *row[1:]])


def event(n, user, item):
    return {"event_id": n, "user_id": user, "item_id": item, "event": "click"}


def check_serving(server):
    status, user = server.call("GET", "/v1/users/U2%40shop.example")
    check("the address is the user of the dataset", status == 200 and user["history_size"] > 5, user)
    check("who is told by the hash", user["user_id"].startswith("email:") and len(user["user_id"]) == 38, user["user_id"])
    by_hash = server.call("GET", "/v1/users/" + user["user_id"].replace(":", "%3A"))[1]
    check("the hash is the same user", by_hash["history"] == user["history"], by_hash)
    _, answer = server.call("POST", "/v1/recommend", {"user_id": "u2@shop.example", "k": 100})
    seen, shown = {h["item_id"] for h in user["history"]}, {row["item_id"] for row in answer["items"]}
    check("what they had is hidden", not seen & shown, seen & shown)
    item = answer["items"][0]["item_id"]
    _, stored = server.call("POST", "/v1/events", {"events": [event("e1", "u2@SHOP.example", item), event("e2", "new@shop.example", "i1")]})
    check("events are stored", [row["status"] for row in stored["results"]] == ["stored", "stored"], stored)
    _, answer = server.call("POST", "/v1/recommend", {"user_id": "u2@shop.example", "k": 100})
    check("the next slate knows it", item not in {row["item_id"] for row in answer["items"]}, item)
    check("fields are put", server.call("PUT", "/v1/users/new%40shop.example", {"contact": "new@work.example", "tags": ["x@y.example"]})[0] == 200)
    _, user = server.call("GET", "/v1/users/new%40shop.example")
    check("their addresses are hashed", all(v.startswith("email:") for v in [user["fields"]["contact"], *user["fields"]["tags"]]), user["fields"])
    check("wishes are of the same user", server.call("PUT", "/v1/users/new%40shop.example/knobs", {"novelty": 2})[0] == 200)
    check("a user is erased by address", server.call("DELETE", "/v1/users/u4%40shop.example")[0] == 200)
    check("and gone", server.call("GET", "/v1/users/u4%40shop.example")[0] == 404)


def check_no_address_in(folder, raw):
    for path in folder.rglob("*"):
        if path.is_file() and raw not in path.parents:
            bytes_ = path.read_bytes().lower()
            check(f"{path.name} holds no address", b"@shop.example" not in bytes_ and b"@work.example" not in bytes_)


with world(args) as (data, run, db):
    folder = data.parent
    raw, dataset = folder / "addresses", folder / "dataset"
    with_addresses(data, raw)
    refused = subprocess.run([args.binary, "train", "--model", "popularity", "--data", raw, "--out", folder / "no"], capture_output=True, text=True)
    check("a raw folder with addresses is refused", refused.returncode != 0 and "honeyguide ingest" in refused.stderr, refused.stderr)
    told = subprocess.run([args.binary, "ingest", raw, "--out", dataset], capture_output=True, text=True)
    check("ingest tells what it hashed", "e-mail addresses: interactions.csv: user_id" in told.stdout, told.stdout + told.stderr)
    train(args.binary, dataset, folder / "hashed")
    server = Server(args.binary, folder / "hashed", dataset, folder / "hashed.db").wait_until_ready()
    check_serving(server)
    time.sleep(1.1)  # impressions are committed within a second
    _, log = server.stop()
    check("the log holds no address", "@" not in log, log)
    check_no_address_in(folder, raw)

    server = Server(args.binary, run, data, db).wait_until_ready()
    status, answer = server.call("POST", "/v1/recommend", {"user_id": "u2@shop.example"})
    check("without a key an address is refused", status == 400 and "no key" in answer["message"] and answer["hint"], answer)
    _, answer = server.call("POST", "/v1/events", {"events": [event("e1", "u2@shop.example", "i1"), event("e2", "u2", "i1")]})
    check("row by row", [row["status"] for row in answer["results"]] == ["invalid", "stored"], answer)
    server.stop()
sys.exit(check.done())
