"""Starts the real server on a free port with a tiny dataset; used by the tests in tests/outside. Standard library only."""
import argparse
import contextlib
import http.client
import json
import pathlib
import random
import signal
import subprocess
import tempfile
import time


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--shared", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=6, help="of kill -9, for the tests of durability")
    return parser.parse_known_args()[0]


def write_dataset(folder, n_users=40, n_items=60):
    """Two tastes: even users take even items. Titles and genres, so that content can be encoded."""
    rng = random.Random(7)
    folder.mkdir(parents=True)
    genres = ["Comedy", "Drama", "Western", "Horror"]
    with open(folder / "items.csv", "w") as out:
        out.write("item_id,title,genres,year\n")
        for i in range(n_items):
            side = "Comedy|Western" if i % 2 == 0 else "Drama|Horror"
            out.write(f"i{i},The {genres[i % 4]} number {i},{side},{1950 + i}\n")
    with open(folder / "interactions.csv", "w") as out:
        out.write("user_id,item_id,timestamp\n")
        for u in range(n_users):
            own = [i for i in range(n_items) if i % 2 == u % 2]
            weights = [1 / (1 + i) for i in own]
            taken = dict.fromkeys(rng.choices(own, weights, k=16))
            for step, i in enumerate(taken):
                out.write(f"u{u},i{i},{1_600_000_000 + 3600 * step}\n")


def train(binary, data, run, model="popularity"):
    subprocess.run([binary, "-q", "train", "--model", model, "--data", data, "--out", run, "--seed", "7"], check=True, timeout=120)


class Server:
    def __init__(self, binary, run, data, db, *extra, env=None):
        self.process = subprocess.Popen([binary, "serve", "--run", run, "--data", data, "--db", db, "--port", "0", *extra],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        line = self.process.stdout.readline()
        if not line.startswith("listening on http://"):
            raise SystemExit(f"the server did not start: {line!r} {self.process.stderr.read()}")
        self.url = line.split()[-1]
        self.port = int(self.url.rsplit(":", 1)[1])

    def call(self, method, path, body=None, headers=None, raw=False):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        payload = body if isinstance(body, (bytes, str)) or body is None else json.dumps(body)
        connection.request(method, path, payload, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text.decode() if raw else json.loads(text or b"{}")

    def wait_until_ready(self, seconds=30):
        for _ in range(10 * seconds):
            with contextlib.suppress(OSError):
                if self.call("GET", "/health/ready")[0] == 200:
                    return self
            time.sleep(0.1)
        raise SystemExit("not ready")

    def stop(self):
        """SIGTERM; the exit status and what was logged."""
        self.process.send_signal(signal.SIGTERM)
        log = self.process.communicate(timeout=30)[1]
        return self.process.returncode, log

    def kill(self):
        self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def world(arguments, model="popularity"):
    """(data folder, run folder, database file) of a small trained world."""
    with tempfile.TemporaryDirectory(prefix="hg-outside-") as folder:
        folder = pathlib.Path(folder)
        write_dataset(folder / "data")
        train(arguments.binary, folder / "data", folder / "run", model)
        yield folder / "data", folder / "run", folder / "events.db"


class Checks:
    """Counts what holds; prints what does not."""

    def __init__(self):
        self.bad = 0
        self.good = 0

    def __call__(self, claim, holds, found=""):
        if holds:
            self.good += 1
        else:
            self.bad += 1
            print(f"NOT: {claim} {found!r}"[:600])

    def done(self):
        print(f"{self.good} claims hold, {self.bad} do not")
        return 1 if self.bad else 0
