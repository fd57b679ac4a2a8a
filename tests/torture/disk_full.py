"""Recipe 6: the disk of the database runs full. Writes answer 507 or 503 with Retry-After, reads go on with 200, nothing acknowledged
is lost, and when space is free again writes resume without a restart."""
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from server_under_test import Server, world  # noqa: E402
from torture import Client, Recipe, arguments, click, in_own_mounts  # noqa: E402

args = arguments(__doc__)
in_own_mounts(args)
check = Recipe()
rounds = 2 if args.short else 20
refused = {}
READS = [("POST", "/v1/recommend", {"user_id": "u0", "k": 5}), ("POST", "/v1/recommend", {"user_id": "stranger", "k": 5}), ("GET", "/v1/popular?k=5", None),
         ("GET", "/v1/users/u1", None), ("GET", "/v1/items/i1", None), ("GET", "/health/ready", None), ("GET", "/v1/status", None)]


def fill(disk, but):
    """What is left of the disk goes into a ballast file, but so many bytes."""
    with open(disk / "ballast", "ab", buffering=0) as out:
        for size in (1 << 16, 1 << 12):
            try:
                while out.write(b"x" * size):
                    pass
            except OSError:
                continue
    with open(disk / "ballast", "r+b") as out:
        out.truncate(max(0, (disk / "ballast").stat().st_size - but))


def write_until_refused(client, user, acknowledged):
    """Events with 2 KB of context until ten answers in a row are refusals."""
    in_a_row = n = 0
    while in_a_row < 10 and n < 20_000:
        n += 1
        event = click(f"{user}-{n}", user, f"i{n % 60}", context={"page": "x" * 2000})
        status, headers, answer = client.call("POST", "/v1/events", {"events": [event]})
        if status == 200:
            in_a_row = 0
            acknowledged.setdefault(user, set()).add(event["event_id"])
            continue
        in_a_row += 1
        refused[status] = refused.get(status, 0) + 1
        check("a full disk is 507 or 503", status in (503, 507), (status, answer))
        check("with Retry-After", "Retry-After" in headers, headers)
        check("and says what to do", answer.get("hint"), answer)


def check_reads(client):
    for method, path, body in READS:
        status, _, answer = client.call(method, path, body)
        check(f"{method} {path} is answered on a full disk", status == 200, (status, answer))


def resumes(client, user, acknowledged):
    """Whether a write goes through within 5 s of space being there."""
    ends = time.monotonic() + 5
    while time.monotonic() < ends:
        status, _, answer = client.call("POST", "/v1/events", {"events": [click(f"{user}-after", user, "i1")]})
        if status == 200 and answer["results"][0]["status"] in ("stored", "duplicate"):
            acknowledged.setdefault(user, set()).add(f"{user}-after")
            return True
        time.sleep(0.05)
    return False


def one_round(k, data, run, disk):
    """A new database on the empty disk, filled, freed, killed and opened again; how many events were acknowledged, and how many lost."""
    for path in disk.iterdir():
        path.unlink()
    acknowledged, user = {}, f"full{k}"
    server = Server(args.binary, run, data, disk / "events.db").wait_until_ready()
    client = Client(server)
    fill(disk, 300_000 * (1 + k % 20))  # from a log that is just begun to one that was copied into the database
    write_until_refused(client, user, acknowledged)
    check_reads(client)
    (disk / "ballast").unlink()
    check("writes resume without a restart", resumes(client, user, acknowledged), k)
    server.kill()
    server = Server(args.binary, run, data, disk / "events.db").wait_until_ready()
    got = {e["event_id"] for e in server.call("GET", f"/v1/users/{user}?events=100000")[1].get("events", [])}
    server.stop()
    return len(acknowledged[user]), len(acknowledged[user] - got)


with tempfile.TemporaryDirectory(prefix="hg-disk-", ignore_cleanup_errors=True) as small, world(args) as (data, run, db):
    disk = pathlib.Path(small)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", disk], check=True)
    counts = [one_round(k, data, run, disk) for k in range(rounds)]
    total, lost = (sum(column) for column in zip(*counts))
    check("nothing acknowledged is lost", lost == 0, lost)
    check("something was acknowledged, and something refused", total > 10 * rounds and refused, (total, refused))
    subprocess.run(["umount", "-l", disk], check=False)
    check.figures = {"rounds": rounds, "acknowledged": total, "lost": lost, "refused": refused}
check.finish()
