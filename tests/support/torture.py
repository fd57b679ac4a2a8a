"""What the recipes in tests/torture share: full or short size, requests with headers, figures as one JSON line."""
import argparse
import http.client
import json
import pathlib
import re
import subprocess
import sys

from server_under_test import Checks

SKIPPED = 77


def argument_parser(description=None):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--source", type=pathlib.Path)
    parser.add_argument("--binary", type=pathlib.Path, required=True)
    parser.add_argument("--shared", type=pathlib.Path)
    parser.add_argument("--short", action="store_true", help="a few rounds, for make test")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser


def arguments(description=None):
    return argument_parser(description).parse_args()


class Recipe(Checks):
    """Counts what holds, and what was seen."""

    def __init__(self):
        super().__init__()
        self.figures = {}

    def finish(self):
        status = self.done()
        print(json.dumps(self.figures), flush=True)
        sys.exit(status)


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(SKIPPED)


class Client:
    """One keep-alive connection."""

    def __init__(self, server, timeout=30):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)

    def call(self, method, path, body=None):
        """(status, headers, JSON)"""
        payload = json.dumps(body) if isinstance(body, (dict, list)) else body
        self.connection.request(method, path, payload, {"Content-Type": "application/json"})
        answer = self.connection.getresponse()
        return answer.status, dict(answer.getheaders()), json.loads(answer.read() or b"{}")

    def close(self):
        self.connection.close()


def click(event_id, user_id, item_id, **more):
    return {"event_id": event_id, "user_id": user_id, "item_id": item_id, "event": "click", **more}


def resident_mb(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def metric(server, name):
    text = server.call("GET", "/metrics", raw=True)[1]
    return float(re.search(rf"^honeyguide_{name} (\S+)", text, re.MULTILINE)[1])


def in_own_mounts(args):
    """Runs this script again where it may mount without anybody else seeing it; returns inside, skips where it is not allowed."""
    if args.inside:
        return
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode != 0:
        skip("no mount namespace of our own here (unshare -rm is not allowed): a small disk cannot be made")
    sys.exit(subprocess.run(["unshare", "-rm", sys.executable, *sys.argv, "--inside"], check=False).returncode)
