#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The product's own loop from outside: serve, log, evaluate, gate, on users whose click model is known.

A shop of 12 items and users of two tastes is served by popularity. Its database alone must tell that a run that knows
tastes is better, that popularity is worse than that run, and that a policy equals itself.
"""
import json
import pathlib
import random
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from program_under_test import Program  # noqa: E402
from server_under_test import Checks, Server, arguments, train  # noqa: E402

args = arguments()
program = Program(args.binary)
run, json_of, decision_of, refused = program.run, program.json_of, program.decision_of, program.refused
check = Checks()
N_USERS, N_ITEMS, N_ROUNDS = 250, 12, 16
WINDOW = 1.0  # seconds; clicks carry the time of the slate they answer
EXPLORING = ("--epsilon", "0.3", "--temperature", "1", "--candidates", str(N_ITEMS))


def likes(user, item):
    """P(click): even users like even items; the first items are a little better made."""
    return (0.5 if item % 2 == user % 2 else 0.1) + 0.1 * (item < 4)


def write_dataset(folder):
    rng = random.Random(7)
    folder.mkdir(parents=True)
    (folder / "dataset.toml").write_text('time = "real"\n\n[events]\nweights = { click = 1 }\n')
    with open(folder / "interactions.csv", "w") as out:
        out.write("user_id,item_id,event,timestamp\n")
        for u in range(N_USERS):
            weights = [likes(u, i) for i in range(N_ITEMS)]
            for step, i in enumerate(dict.fromkeys(rng.choices(range(N_ITEMS), weights, k=6))):
                out.write(f"u{u},i{i},click,{1_600_000_000 + 3600 * (u + step)}\n")


    with open(folder / "users.csv", "w") as out:
        out.write("user_id,taste\n" + "".join(f"u{u},{'odd' if u % 2 else 'even'}\n" for u in range(N_USERS)))


def traffic(server, seed, n_rounds):
    """Every round each user sees one item; what they click is sent at the round's end. Rewards by recommendation_id."""
    rng = random.Random(seed)
    rewards = {}
    for n in range(n_rounds):
        events = []
        for u in range(N_USERS):
            status, answer = server.call("POST", "/v1/recommend", {"user_id": f"u{u}", "k": 1, "seen": "allow", "exclude": [f"i{u % 3}"]})
            assert status == 200, answer
            item, rid = answer["items"][0]["item_id"], answer["recommendation_id"]
            rewards[rid] = 1.0 * (rng.random() < likes(u, int(item[1:])))
            if rewards[rid]:
                events.append({"event_id": f"{seed}-{n}-{u}", "user_id": f"u{u}", "item_id": item, "event": "click",
                               "recommendation_id": rid, "timestamp": int(time.time() * 1000)})
        status, answer = server.call("POST", "/v1/events", {"events": events})
        assert status == 200 and {row["status"] for row in answer["results"]} == {"stored"}, answer
    return rewards


def estimate(answer, name):
    (row,) = (row for row in answer["estimates"] if row["estimator"] == name)
    return row


def check_export(db, data, folder, rewards):
    out = folder / "log.jsonl"
    seen = json_of("inspect", "impressions", "--db", db, "--data", data, "--window", WINDOW, "--out", out)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    check("every decision of a named user is exported", {row["recommendation_id"] for row in rows} == rewards.keys(), seen)
    check("with the reward of its answers", all(row["reward"] == rewards[row["recommendation_id"]] for row in rows))
    check("with its candidates", all(row["slots"][0]["item_id"] in row["candidates"] for row in rows))
    check("without what the request excluded", all(f"i{int(row['user_id'][1:]) % 3}" not in row["candidates"] for row in rows))
    check("with a history that grows", max(len(row["history"]) for row in rows) > 8, rows[-1])
    check("what is left out is counted", any("2 for anonymous histories" in note for note in seen["notes"]), seen["notes"])
    own = folder / "own.jsonl"
    own.write_text("".join(json.dumps({"recommendation_id": row["recommendation_id"],
                                       "probabilities": [row["propensity"]]}) + "\n" for row in rows))
    answer = json_of("ope", "--log", out, "--policy", own)
    check("the export judges its own policy as it was", abs(estimate(answer, "snipw")["value"] - answer["logged_value"]) < 1e-12, answer)
    csv = folder / "log.csv"
    json_of("inspect", "impressions", "--db", db, "--data", data, "--window", WINDOW, "--out", csv)
    check("in Open Bandit form too", abs(json_of("ope", "--log", csv, "--policy", own)["logged_value"] - answer["logged_value"]) < 1e-12)
    return sum(rewards.values()) / len(rewards)


def check_equal(log, popular, mean):
    for policy in ("served", popular):
        answer = json_of("ope", *log, "--policy", policy)
        check(f"{policy}: all weights are 1", answer["mean_weight"] == 1 and answer["effective_rows"] == answer["decisions"], answer)
        check(f"{policy}: the estimate is the log's mean", abs(estimate(answer, "ipw")["value"] - mean) < 1e-12, (answer, mean))
        check(f"{policy}: and dr agrees", abs(estimate(answer, "dr")["value"] - mean) < 0.02, answer)
    check("a replay says how well it does", any("in 100.0 % of its decisions" in note for note in answer["notes"]), answer["notes"])
    same = decision_of("gate", *log, "--candidate", popular)
    check("an equal candidate differs by 0", abs(same["difference"]) < 1e-9 and same["decision"] == "promote", same)


def check_gate(log, popular, tastes, truth, folder):
    # The slates are drawn by chance: at 5 standard errors instead of 2 and 3 these checks fail once in a million runs.
    out = ("--out", folder / "decisions", "--set", "max_model_gap=5", "--set", "max_mean_weight_z=5")
    better = decision_of("gate", *log, *out, "--candidate", tastes)
    check("a truly better candidate is promoted", better["decision"] == "promote", better)
    check("against whoever served", better["incumbent"] == "served", better)
    check("every required check passed", {c["verdict"] for c in better["checks"] if c["required"]} == {"passed"}, better["checks"])
    check("its value is what it earns when it serves", abs(better["candidate_value"] - truth) < 0.1, (better["candidate_value"], truth))
    worse = decision_of("gate", *log, *out, "--candidate", popular, "--incumbent", tastes)
    check("a truly worse candidate is held as worse", worse["decision"] == "hold" and worse["reason"] == "worse", worse)
    several = run("gate", *log, *out, "--candidate", tastes, "--incumbent", "served", "--incumbent", popular)
    check("it may have to pass against several", several.returncode == 0 and several.stdout.count("against: ") == 2, several)
    one_fails = run("gate", *log, *out, "--candidate", popular, "--incumbent", "served", "--incumbent", tastes)
    check("and one that fails holds it", one_fails.returncode == 3 and "promote:" in one_fails.stdout, one_fails)
    greedy = decision_of("gate", *log, *out, "--candidate", tastes, "--epsilon", 0, "--temperature", 0)
    check("other options are another policy", greedy["candidate_value"] != better["candidate_value"], greedy)
    check("and are in the record", greedy["serving"] == {"epsilon": 0, "temperature": 0}, greedy)


def group(record, check_name):
    return [g for g in record["groups"] if g["check"] == check_name]


def verdict(record, name):
    (found,) = (c for c in record["checks"] if c["name"] == name)
    return found["verdict"]


def check_groups(log, data, popular, tastes, folder):
    """New users, the worst-off, first impressions and segments, by what the same commands write."""
    curves = folder / "curves.json"
    done = run("evaluate", "--data", data, "--protocol", "few-shot", "--contexts", "1,2", "--targets", 3, "-k", 3, "--folds", 2,
               "--model", "popular=popularity", "--model", "tastes=item_knn", "--curves", curves)
    check("evaluate writes every user's curve", done.returncode == 0 and "curves:" in done.stdout, done.stderr)
    gate = ("gate", *log, "--out", folder / "groups", "--set", "max_model_gap=5", "--set", "max_mean_weight_z=5")
    blind = decision_of(*gate, "--candidate", tastes)
    check("what was not given is not available", {verdict(blind, n) for n in ("few_shot", "worst_decile", "segments")} == {"not available"}, blind)
    check("first impressions are in the log", verdict(blind, "first_impressions") == "passed", blind["checks"])
    seen = decision_of(*gate, "--candidate", tastes, "--few-shot", curves, "--segment", "taste")
    check("a better candidate passes them all", seen["decision"] == "promote" and verdict(seen, "few_shot") == "passed", seen["checks"])
    check("at each length of history", [g["name"] for g in group(seen, "few_shot")] == ["after 1 events", "after 2 events"], seen["groups"])
    check("and in each segment", sorted(g["name"] for g in group(seen, "segments")) == ["segment even", "segment odd"], seen["groups"])
    check("the record keeps them", json.loads(pathlib.Path(seen["record"]).read_text())["groups"] == seen["groups"])
    worse = json.loads(curves.read_text())
    for row in worse["rows"]:
        if row["name"] == "tastes":
            row["values"] = [[value and value / 2 for value in values] for values in row["values"]]
    (folder / "worse.json").write_text(json.dumps(worse))
    held = decision_of(*gate, "--candidate", tastes, "--few-shot", folder / "worse.json")
    check("new users who lose hold it", held["reason"] == "group_worse" and verdict(held, "few_shot") == "failed", held["checks"])
    refused(("gate", *log, "--candidate", tastes, "--few-shot", db_like(folder)), "holds no few-shot curves")
    alone = json.loads(curves.read_text())
    alone["rows"] = [row for row in alone["rows"] if row["name"] == "popular"]
    (folder / "alone.json").write_text(json.dumps(alone))
    refused(("gate", *log, "--candidate", tastes, "--few-shot", folder / "alone.json"), 'no row "tastes"', "it has: popular")
    refused(("gate", *log, "--candidate", tastes, "--segment", "height"), "no user of the log has this field", "taste")
    refused(("evaluate", "--data", data, "--model", "popularity", "--curves", curves), "--curves", "few-shot")


def db_like(folder):
    path = folder / "other.json"
    path.write_text("{}")
    return path


def check_refusals(log, db, data, popular, folder):
    refused(("ope", "--log", db, "--policy", "served"), "--data DIR")
    refused(("ope", *log, "--policy", "random"), "no run of train")
    refused(("ope", *log, "--policy", "served", "--epsilon", 0.5), "cannot be served differently")
    refused(("ope", "--log", folder / "log.jsonl", "--policy", popular), "run of train", "--log events.db")
    refused(("gate", "--log", folder / "log.jsonl", "--candidate", folder / "own.jsonl"), "who is the incumbent")
    refused(("ope", "--log", db, "--data", data, "--policy", "served"), "younger than the window", "shorter --window")
    refused(("ope", "--log", folder / "log.jsonl", "--policy", folder / "own.jsonl", "--data", data), "of a server's database")
    refused(("ope", "--log", folder / "log.jsonl", "--policy", folder / "own.jsonl", "--epsilon", 0.1), "says its probabilities")
    refused(("ope", *log, "--since", "soon", "--policy", "served"), "is no date")
    greedy = folder / "greedy.db"
    server = Server(args.binary, popular, data, greedy, "--epsilon", "0", "--temperature", "0").wait_until_ready()
    server.call("POST", "/v1/recommend", {"user_id": "u1", "k": 1})
    server.stop()
    time.sleep(WINDOW)
    refused(("ope", "--log", greedy, "--data", data, "--window", WINDOW / 2, "--policy", "served"), "deterministic", "epsilon > 0")


def main():
    if not args.binary.exists():
        print(f"SKIPPED: {args.binary} is absent: build it first")
        return 77
    with tempfile.TemporaryDirectory(prefix="hg-loop-") as temporary:
        folder = pathlib.Path(temporary)
        data, popular, tastes, db = folder / "data", folder / "popular", folder / "tastes", folder / "events.db"
        write_dataset(data)
        train(args.binary, data, popular)
        server = Server(args.binary, popular, data, db, *EXPLORING).wait_until_ready()
        rewards = traffic(server, 1, N_ROUNDS)
        for history in ([], ["i1"]):
            server.call("POST", "/v1/recommend", {"history": history, "k": 1})
        _, erased = server.call("POST", "/v1/recommend", {"user_id": "gone", "k": 1})
        check("a user is erased", server.call("DELETE", "/v1/users/gone")[0] == 200)
        train(args.binary, data, tastes, "item_knn")
        after = Server(args.binary, tastes, data, folder / "after.db", *EXPLORING).wait_until_ready()
        realised = traffic(after, 2, 8)
        after.stop()
        log = ("--log", db, "--data", data, "--window", WINDOW)
        live = json_of("ope", *log, "--policy", "served")
        check("a log is judged while its server runs", live["decisions"] == len(rewards), live)
        server.stop()
        mean = check_export(db, data, folder, rewards)
        check("an erased user's decision is gone", erased["recommendation_id"] not in (folder / "log.jsonl").read_text())
        check_equal(log, popular, mean)
        check_gate(log, popular, tastes, sum(realised.values()) / len(realised), folder)
        check_groups(log, data, popular, tastes, folder)
        check_refusals(log, db, data, popular, folder)
    return check.done()


if __name__ == "__main__":
    sys.exit(main())
