#!/usr/bin/env python3
"""A client of the HTTP interface: ask for a list, click on something, ask again. Standard library only.

    python3 examples/02_click_and_see.py build/release/honeyguide
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.request
import uuid


def call(url, method, path, body=None):
    request = urllib.request.Request(
        url + path, method=method, data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def small_shop(folder):
    """Even users like even items."""
    folder.mkdir()
    with open(folder / "interactions.csv", "w") as log:
        log.write("user_id,item_id,timestamp\n")
        for user in range(40):
            for step in range(10):
                log.write(f"u{user},i{(7 * user + 6 * step) % 30 * 2 + user % 2},{1_700_000_000 + step}\n")


binary = pathlib.Path(sys.argv[1]).resolve()
with tempfile.TemporaryDirectory() as work:
    work = pathlib.Path(work)
    small_shop(work / "shop")
    subprocess.run([binary, "-q", "train", "--model", "gaussian", "--set", "dim=8",
                    "--data", work / "shop", "--out", work / "run"], check=True)
    server = subprocess.Popen([binary, "-q", "serve", "--run", work / "run", "--data", work / "shop",
                               "--db", work / "events.db", "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        url = server.stdout.readline().split()[-1]
        for clicked in (None, "i2", "i4", "i6"):
            if clicked:
                event = {"event_id": str(uuid.uuid4()), "user_id": "ada", "item_id": clicked, "event": "click"}
                assert call(url, "POST", "/v1/events", {"events": [event]})["results"][0]["status"] == "stored"
            slate = call(url, "POST", "/v1/recommend", {"user_id": "ada", "k": 6})
            shown = [item["item_id"] for item in slate["items"]]
            print(f"{'after ' + clicked if clicked else 'at first':10}", *shown)
            # Every item of a slate comes with the probability it was shown with.
            assert all(0 < item["propensity"] <= 1 for item in slate["items"])
        assert sum(int(item[1:]) % 2 == 0 for item in shown) >= 4, "three even clicks, and the list is not even"
    finally:
        server.terminate()
        server.wait(10)
