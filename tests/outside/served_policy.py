#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A learned policy from outside: learned in the world of a run, held without a gate, judged, promoted, served.

Nothing of it serves until the gate has said so of these very weights and this run; until then the constants do.
"""
import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from program_under_test import Program  # noqa: E402
from server_under_test import Checks, Server, arguments, train, write_dataset  # noqa: E402

args = arguments()
program = Program(args.binary)
run, refused = program.run, program.refused
check = Checks()
WINDOW = 0.5
EXPLORING = ("--epsilon", "0.5", "--temperature", "2", "--candidates", "12")


def learn(data, model, out, *extra):
    return run("learn", "--agent", "meta_policy", "--config", "meta_policy/small", "--world", f"served:{model}", "--set", f"world.data={data}",
               "--set", "world.candidates=20", "--set", "world.step_limit=8", "--set", "world.min_liked=4", "--set", "learn.steps=4000",
               "--set", "learn.evaluate_every=2000", "--set", "learn.evaluation_episodes=64", "--out", out, *extra)


def knobs_of(server, user):
    status, answer = server.call("GET", f"/v1/users/{user}")
    assert status == 200, answer
    return answer["knobs"]


def traffic(server, n_rounds):
    """Users of two tastes click what they like of one item a round."""
    events = []
    for n in range(n_rounds):
        for u in range(40):
            status, answer = server.call("POST", "/v1/recommend", {"user_id": f"u{u}", "k": 1, "seen": "allow"})
            assert status == 200, answer
            item = answer["items"][0]["item_id"]
            if int(item[1:]) % 2 == u % 2:
                events.append({"event_id": f"{n}-{u}", "user_id": f"u{u}", "item_id": item, "event": "click",
                               "recommendation_id": answer["recommendation_id"], "timestamp": int(time.time() * 1000)})
    status, answer = server.call("POST", "/v1/events", {"events": events})
    assert status == 200, answer


def check_held(data, model, meta, db):
    server = Server(args.binary, model, data, db, "--policy", meta, "--exploration", "0.5", *EXPLORING).wait_until_ready()
    status = server.call("GET", "/v1/status")[1]
    check("without a decision the constants serve", status["knobs_chosen_by"] == "constant", status)
    check("and it says why", "the gate has not judged it" in status["knobs_note"], status["knobs_note"])
    check("those that were given", knobs_of(server, "u1")["exploration"] == 0.5)
    traffic(server, 30)
    log = server.stop()[1]
    check("loudly", "THE LEARNED POLICY DOES NOT SERVE" in log and "--policy-without-gate" in log, log)


def check_forced(data, model, meta, folder):
    server = Server(args.binary, model, data, folder / "forced.db", "--policy", meta, "--policy-without-gate").wait_until_ready()
    knobs = knobs_of(server, "u1")
    check("a person may let it serve all the same", knobs["chosen_by"].startswith("meta_policy meta@"), knobs)
    _, answer = server.call("POST", "/v1/recommend", {"user_id": "u1"})
    check("the log says who chose", "+by(meta@" in answer["policy"], answer["policy"])
    log = server.stop()[1]
    check("and that nobody judged it", "SERVING A POLICY THAT WAS NOT PROMOTED" in log, log)


def check_gate(data, model, meta, db, folder):
    # A log of 1,200 decisions is small: the support checks are set to its size, the rest is the gate as it is.
    gate = ("gate", "--log", db, "--data", data, "--window", WINDOW, "--candidate", model, "--knobs-by", meta, "--out", folder / "decisions",
            "--set", "min_effective_rows=100", "--set", "max_mean_weight_z=6", "--set", "max_model_gap=6")
    check_curves(gate, data, model, meta, folder)
    done = run(*gate, "--set", "margin=0.001", "--set", "min_supported_mass=1")
    decision = json.loads((folder / "meta.decision.json").read_text())
    check("a decision is kept beside the run", decision["decision"] == ("promote" if done.returncode == 0 else "hold"), (done, decision))
    check("of these weights and this run", decision["version"].startswith("meta@") and decision["run"].startswith("run@"), decision)
    done = run(*gate, "--set", "margin=0.9", "--set", "max_weight_share=0.1", "--set", "min_supported_mass=0.5")
    check("a gate that promotes exits 0", done.returncode == 0, done.stdout + done.stderr)
    decision = json.loads((folder / "meta.decision.json").read_text())
    check("and the newest decision counts", decision["decision"] == "promote" and decision["incumbents"] == ["served"], decision)
    record = json.loads(pathlib.Path(decision["records"][0]).read_text())
    check("with the whole record", record["serving"]["knobs_by"] == decision["version"], record["serving"])


def check_curves(gate, data, model, meta, folder):
    """Strangers after 0, 1, 2, ... turns: the policy against the constants, played; never a run against itself."""
    curves = folder / "curves.json"
    play = ("simulate", "run", "--world", f"served:{model}", "--set", f"world.data={data}", "--set", "world.candidates=20", "--set",
            "world.step_limit=8", "--set", "world.min_liked=4", "--set", "world.users=judge", "--episodes", "256", "--seeds", "1",
            "--curves", curves)
    for policy in (meta, "constant_knobs"):
        done = run(*play, "--policy", policy)
        check(f"{policy} is played", done.returncode == 0, done.stderr)
    refused((*play, "--policy", "constant_knobs", "--seed", "8"), "this very play")
    done = run(*gate, "--few-shot", curves, "--json")
    checks = {c["name"]: c for c in json.loads(done.stdout)["checks"]}
    check("the gate looks at strangers turn by turn", "turns" in checks["few_shot"]["sentence"], checks["few_shot"])
    ranked = folder / "ranked.json"
    done = run("evaluate", "--data", data, "--protocol", "few-shot", "--run", model, "--model", "popularity", "--curves", ranked)
    check("curves of runs", done.returncode == 0, done.stderr)
    refused((*gate, "--few-shot", ranked), f'has no row "{meta.name}"', "honeyguide simulate run")


def check_another_catalogue(meta, folder):
    """The numbers a policy of knobs reads mean the same everywhere: it sets those of a run it has never seen. A policy of items does not."""
    data, model = folder / "elsewhere", folder / "elsewhere-run"
    write_dataset(data, n_items=48)
    train(args.binary, data, model, "gaussian")
    play = ("simulate", "run", "--world", f"served:{model}", "--set", f"world.data={data}", "--set", "world.candidates=20", "--set",
            "world.step_limit=8", "--set", "world.min_liked=4", "--episodes", "64", "--seeds", "1", "--json")
    done = run(*play, "--policy", meta)
    check("a policy plays in a run of other items", done.returncode == 0, done.stderr)
    others = json.loads(run(*play, "--policy", "constant_knobs").stdout)["return"]["mean"]
    check("and makes its own choices there", done.returncode == 0 and json.loads(done.stdout)["return"]["mean"] != others, others)
    items = folder / "items-policy"
    done = learn(folder / "data", folder / "run", items, "--set", "head=dot")
    check("a policy of items is learned", done.returncode == 0, done.stderr)
    refused((*play, "--policy", items), '"n_items":60', '"n_items":48')


def check_promoted(data, model, meta, folder):
    server = Server(args.binary, model, data, folder / "promoted.db", "--policy", meta).wait_until_ready()
    check("promoted, it serves", knobs_of(server, "u1")["chosen_by"].startswith("meta_policy meta@"))
    status = server.call("GET", "/v1/status")[1]
    check("without a note", status["knobs_note"] == "", status)
    status, answer = server.call("POST", "/v1/admin/reload", {"run": str(folder / "another")})
    check("another run needs a decision of its own", status == 409 and "about run" in json.dumps(answer), (status, answer))
    status, answer = server.call("POST", "/v1/admin/reload", {"run": str(model)})
    check("the same run may be loaded again", status == 200, (status, answer))
    server.call("PUT", "/v1/users/u1/knobs", {"exploration": -1})
    check("what a user sets by hand stands above it", knobs_of(server, "u1")["exploration"] == -1)
    server.stop()
    for name in ("weights.safetensors", "manifest.json"):
        (meta / name).write_bytes((folder / "other" / name).read_bytes())
    server = Server(args.binary, model, data, folder / "other.db", "--policy", meta).wait_until_ready()
    status = server.call("GET", "/v1/status")[1]
    check("other weights are another policy", status["knobs_chosen_by"] == "constant" and "other weights" in status["knobs_note"], status)
    server.stop()


def check_fallback(data, db, folder):
    """A run that no gate has promoted leaves the server to the one that was named for it."""
    judged, fallback = folder / "another", folder / "popular"
    start = lambda db: Server(args.binary, judged, data, folder / db, "--fallback", fallback).wait_until_ready()
    server = start("fallback.db")
    status = server.call("GET", "/v1/status")[1]
    check("without a decision the fallback serves", status["model"] == "popular", status["model"])
    check("and says why", "another is held" in status["run_note"] and "has not judged it" in status["run_note"], status["run_note"])
    check("it recommends", len(server.call("POST", "/v1/recommend", {"user_id": "u1"})[1]["items"]) > 0)
    code, answer = server.call("POST", "/v1/admin/reload", {"run": str(judged)})
    check("an unjudged run is not loaded either", code == 409 and "has not judged it" in json.dumps(answer), (code, answer))
    check("the fallback may be", server.call("POST", "/v1/admin/reload", {"run": str(fallback)})[0] == 200)
    log = server.stop()[1]
    check("loudly", "A FALLBACK SERVES" in log, log)
    done = run("gate", "--log", db, "--data", data, "--window", WINDOW, "--candidate", judged, "--out", folder / "decisions",
               "--set", "min_effective_rows=100", "--set", "max_mean_weight_z=6", "--set", "max_model_gap=6", "--set", "margin=0.9",
               "--set", "max_weight_share=0.1", "--set", "min_supported_mass=0.5")
    decision = json.loads((folder / "another.decision.json").read_text())
    check("the gate keeps its decision on a run beside it", done.returncode == 0 and decision["run"].startswith("another@"), (done.stdout, decision))
    server = start("promoted-run.db")
    status = server.call("GET", "/v1/status")[1]
    check("promoted, the run serves", status["model"] == "another" and status["run_note"] == "", status)
    code, answer = server.call("POST", "/v1/admin/reload", {"run": str(data / ".." / "run")})
    check("and no run that was not", code == 409 and "may not serve" in json.dumps(answer), (code, answer))
    check("the fallback may always be loaded", server.call("POST", "/v1/admin/reload", {"run": str(fallback) + "/"})[0] == 200)
    status = server.call("GET", "/v1/status")[1]
    check("and says that it is one", status["model"] == "popular" and status["run_note"] != "", status)
    check("and the way back is open", server.call("POST", "/v1/admin/reload", {"run": str(judged)})[0] == 200)
    status = server.call("GET", "/v1/status")[1]
    check("without a note", status["model"] == "another" and status["run_note"] == "", status)
    server.stop()
    start = lambda *more: Server(args.binary, judged, data, folder / "other-options.db", "--fallback", fallback, *more).wait_until_ready()
    done = run("gate", "--log", db, "--data", data, "--window", WINDOW, "--candidate", judged, "--out", folder / "decisions", "--temperature", "3")
    check("a gate judges it as another server would serve it", done.returncode in (0, 3), done.stderr)
    server = start()
    note = server.call("GET", "/v1/status")[1]["run_note"]
    check("a decision speaks of the options it was made with", "temperature 3.0, this server has 0.1" in note, note)
    server.stop()
    serve = ("serve", "--data", data, "--db", folder / "bad.db", "--port", "0", "--run", judged)
    refused((*serve, "--fallback", f"{judged}/"), "is the run itself", "another run")
    refused((*serve, "--fallback", fallback, "--fallback", f"{fallback}/"), "named twice", "another run")
    refused((*serve, "--fallback", folder / "nothing"), "nothing")


def check_policy_beside_fallback(data, model, meta, folder):
    """A policy that may lead the run leaves the fallback to constants where that has no belief."""
    fallback = folder / "popular"
    server = Server(args.binary, model, data, folder / "both.db", "--policy", meta, "--policy-without-gate", "--fallback", fallback).wait_until_ready()
    status = server.call("GET", "/v1/status")[1]
    check("the fallback serves by constants", status["model"] == "popular" and status["knobs_chosen_by"] == "constant", status)
    check("for want of a belief", "popular has no belief" in status["knobs_note"], status["knobs_note"])
    server.stop()


def main():
    if not args.binary.exists():
        print(f"SKIPPED: {args.binary} is absent: build it first")
        return 77
    with tempfile.TemporaryDirectory(prefix="hg-policy-") as temporary:
        folder = pathlib.Path(temporary)
        data, model, meta, db = folder / "data", folder / "run", folder / "meta", folder / "events.db"
        write_dataset(data)
        train(args.binary, data, model, "gaussian")
        train(args.binary, data, folder / "popular")
        train(args.binary, data, folder / "another", "gaussian")
        done = learn(data, model, meta)
        check("a policy is learned in the world of a run", done.returncode == 0 and "kept" in done.stdout, done.stderr)
        check("and another", learn(data, model, folder / "other", "--seed", "8").returncode == 0)
        check_another_catalogue(meta, folder)
        check_held(data, model, meta, db)
        check_forced(data, model, meta, folder)
        time.sleep(WINDOW)
        check_gate(data, model, meta, db, folder)
        check_promoted(data, model, meta, folder)
        check_fallback(data, db, folder)
        check_policy_beside_fallback(data, model, meta, folder)
        serve = ("serve", "--data", data, "--db", folder / "bad.db", "--port", "0")
        refused((*serve, "--run", model, "--policy", folder / "popular"), "is no run of learn", "honeyguide learn")
        refused((*serve, "--run", folder / "popular", "--policy", meta, "--policy-without-gate"), "which has none", "gaussian")
        refused(("learn", "--agent", "meta_policy", "--world", f"served:{folder / 'popular'}", "--set", f"world.data={data}",
                 "--out", folder / "none"), "has no belief for an actor")
        refused(("learn", "--agent", "meta_policy", "--set", "head=knobs", "--world", "bernoulli_bandit", "--out", folder / "none"), "served:RUN")
    return check.done()


if __name__ == "__main__":
    sys.exit(main())
