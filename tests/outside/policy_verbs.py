#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`simulate run`, `learn`, `ope` and `gate` from outside: known means, a closed loop, bad input."""
import argparse
import copy
import json
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from program_under_test import Program  # noqa: E402

parser = argparse.ArgumentParser()
parser.add_argument("--source", type=pathlib.Path, required=True)
parser.add_argument("--binary", type=pathlib.Path, required=True)
parser.add_argument("--shared", type=pathlib.Path)
arguments = parser.parse_args()
program = Program(arguments.binary)
run, json_of, decision_of, refused = program.run, program.json_of, program.decision_of, program.refused

# A world in which the topic fewer users love is the better made, small enough for a log of all its slates.
SHOP = ("--world", "interest_exploration", "--set", "world.n_candidates=5", "--set", "world.slate_size=1")

# Mean return of the random policy and its standard error, measured with RecSim 0.2.4 in Python.
KNOWN_MEANS = {
    "interest_evolution": (153.98, 0.35),
    "interest_exploration": (13.81, 0.14),
    "long_term_satisfaction": (949.5, 2.5),
}


def check_known_means():
    """40 seeds of 64 episodes, 5 standard errors: fresh seeds would fail once in 25,000 runs (t, 39 degrees). Ours are fixed."""
    for world, (mean, error) in KNOWN_MEANS.items():
        found = json_of("simulate", "run", "--world", world, "--policy", "random", "--episodes", 64, "--seeds", 40)
        bound = 5 * ((found["return"]["half_width"] / 1.96) ** 2 + error**2) ** 0.5
        assert abs(found["return"]["mean"] - mean) < bound, (world, found["return"], mean, bound)


def check_seeds():
    def play(seed):
        found = json_of("simulate", "run", *SHOP, "--policy", "random", "--episodes", 64, "--seeds", 2, "--seed", seed)
        del found["steps_per_second"]
        return found

    assert play(7) == play(7), "one seed, two answers"
    assert play(7)["return"] != play(8)["return"], "two seeds, one answer"


def tensor_names(path):
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    assert all(8 + length + e["data_offsets"][1] <= len(data) for e in header.values()), "a tensor ends outside the file"
    return set(header)


def check_learning(folder):
    out = folder / "lin"
    words = ("learn", "--agent", "lin_ucb", *SHOP, "--out", out, "--set", "learn.steps=20000", "--set", "alpha=0.5")
    answer = json_of(*words)
    assert answer["best_return"] > 1.3 * answer["first_return"], answer
    manifest = json.loads((out / "manifest.json").read_text())
    assert (manifest["kind"], manifest["agent"], manifest["seed"]) == ("agent", "lin_ucb", 7), manifest
    assert manifest["settings"]["alpha"] == 0.5 and manifest["learn"]["steps"] == 20000, manifest
    assert manifest["world"]["settings"]["n_candidates"] == 5 and manifest["shape"]["item_size"] == 3, manifest
    assert "inverse" in tensor_names(out / "weights.safetensors")
    curve = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    returns = [(point["step"], point["value"]) for point in curve if point["name"] == "held_out/return"]
    assert returns == [(p["step"], p["return"]) for p in manifest["fit"]["curve"]], (returns, manifest["fit"])
    before = (out / "manifest.json").read_bytes()
    refused(words, "holds a finished run", "choose another --out")
    assert (out / "manifest.json").read_bytes() == before, "a finished run never changes"
    return out


def count_lines(path):
    return path.read_text().count("\n") if path.exists() else 0


def check_interruption(folder, how):
    out = folder / f"stopped-{how.name}"
    words = ("learn", "--agent", "lin_ucb", "--world", "slate_mdp", "--out", out, "--set", "learn.steps=1000000000",
             "--set", "learn.evaluate_every=20000", "--set", "learn.wall_seconds=1.5")
    learning = subprocess.Popen([str(word) for word in (arguments.binary, *words)], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
    # Four lines a judgement, and it is saved after them: in the third one the second, of a later step than 0, has been.
    while count_lines(out / "metrics.jsonl") <= 8 and learning.poll() is None:
        time.sleep(0.01)
    learning.send_signal(how)
    _, told = learning.communicate(timeout=60)
    if how == signal.SIGINT:
        assert learning.returncode == 130 and "the agent is saved" in told, (learning.returncode, told)
        mixed = ["square_cb" if word == "lin_ucb" else word for word in words]
        refused(mixed, "another agent, world, seed or option")
    assert not (out / "manifest.json").exists(), "an interrupted run is not finished"
    refused(("simulate", "run", "--world", "slate_mdp", "--policy", out), "unknown agent")
    done = run(*words)
    assert done.returncode == 0, done.stderr
    fit = json.loads((out / "manifest.json").read_text())["fit"]
    assert fit["curve"][0]["step"] > 0 and fit["stopped_by"] == "wall_seconds", fit
    assert not (out / "checkpoint.safetensors").exists(), "a finished run needs no checkpoint"


def check_worlds_of_lasting_items(folder):
    """A run is judged on a log of its own world, though a log does not say how many items and states there are."""
    out, log = folder / "mdp", folder / "mdp.jsonl"
    small = ("--set", "learn.steps=4000", "--set", "learn.evaluate_every=4000")
    for agent in ("lin_ucb", "q_learning"):
        json_of("learn", "--agent", agent, "--world", "slate_mdp", "--out", out / agent, *small)
    json_of("simulate", "run", "--world", "slate_mdp", "--policy", "random", "--seeds", "1", "--log", log)
    for agent in ("lin_ucb", "q_learning"):
        judged = json_of("ope", "--log", log, "--policy", out / agent)
        assert estimate(judged, "snipw")["value"] > judged["logged_value"], judged
    refused(("learn", "--agent", "ucb", "--world", "slate_mdp", "--held-out", "bernoulli_bandit", "--out", out / "misfit"),
            "shape")


def estimate(answer, name):
    return next(row for row in answer["estimates"] if row["estimator"] == name)


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def best_made(decision):
    """All probability on the candidate of the highest quality, its third number."""
    qualities = [features[2] for features in decision["candidate_features"]]
    best = qualities.index(max(qualities))
    return {item: float(i == best) for i, item in enumerate(decision["candidates"])}


def records(folder):
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def check_closed_loop(folder, learned):
    """What the log of one policy says of another is what that other earns."""
    log = folder / "log.jsonl"
    played = json_of("simulate", "run", *SHOP, "--policy", "random", "--seeds", 1, "--log", log)
    decisions = [json.loads(line) for line in log.read_text().splitlines()]
    assert len(decisions) == played["steps"] and {d["propensity"] for d in decisions} == {0.2}, played

    answer = json_of("ope", "--log", log, "--policy", learned)
    truth = json_of("simulate", "run", *SHOP, "--policy", learned, "--seeds", 10)["return"]
    dr = estimate(answer, "dr")
    error = (((dr["high"] - dr["low"]) / 3.92) ** 2 + (truth["half_width"] / 1.96 / 60) ** 2) ** 0.5
    assert abs(dr["value"] - truth["mean"] / 60) < 5 * error, (dr, truth)

    out = folder / "decisions"
    gate = ("gate", "--log", log, "--out", out)
    done = run(*gate, "--candidate", learned, "--incumbent", "random")
    assert done.returncode == 0 and done.stdout.startswith("promote: "), done
    (record,) = records(out)
    assert record["decision"] == "promote" and record["lower_bound"] > 0, record
    assert {c["verdict"] for c in record["checks"] if c["required"]} == {"passed"}, record

    parted = write_lines(folder / "parted.jsonl", ({**d, "segment": "odd" if i % 2 else "even"} for i, d in enumerate(decisions)))
    record = decision_of("gate", "--log", parted, "--out", folder / "parted", "--candidate", learned, "--incumbent", "random")
    groups = {g["name"]: g["difference"] for g in record["groups"]}
    assert {"segment even", "segment odd", "the first 10 impressions of each user"} <= groups.keys(), record["groups"]
    assert abs((groups["segment even"] + groups["segment odd"]) / 2 - record["difference"]) < 1e-9, (groups, record["difference"])

    done = run(*gate, "--candidate", "random", "--incumbent", learned)
    assert done.returncode == 3 and done.stdout.startswith("hold: "), done
    assert [r["reason"] for r in records(out) if r["decision"] == "hold"] == ["worse"], records(out)

    rule = write_lines(folder / "best_made.jsonl", ({"recommendation_id": d["recommendation_id"],
                                                    "probabilities": best_made(d)} for d in decisions))
    by_file = estimate(json_of("ope", "--log", log, "--policy", rule), "snipw")
    assert by_file["low"] > 1.3 * answer["logged_value"], by_file
    by_name = estimate(json_of("ope", "--log", log, "--policy", "fixed_rule:feature=2"), "snipw")
    assert by_name == by_file, (by_name, by_file)

    judged = ("ope", "--log", log, "--policy", rule)
    widths = {}
    for kind in ("bootstrap", "t", "empirical_bernstein", "hoeffding"):
        said = json_of(*judged, "--interval", kind, "--row-range", 0, 5)  # weights are 0 or 1 / .2, rewards at most 1
        ips = estimate(said, "ipw")
        assert said["interval"] == kind and ips["low"] < ips["value"] < ips["high"], (kind, ips)
        widths[kind] = ips["high"] - ips["low"]
        assert ("no_interval" in estimate(said, "snipw")) == (kind in ("empirical_bernstein", "hoeffding")), said
    assert widths["t"] < widths["empirical_bernstein"] < widths["hoeffding"], widths
    refused((*judged, "--interval", "hoeffding"), "--row-range")
    narrow = estimate(json_of(*judged, "--interval", "hoeffding", "--row-range", 0, 1), "ipw")
    assert "outside the range" in narrow["no_interval"] and narrow["value"] > 0, narrow
    done = run(*gate, "--candidate", rule, "--incumbent", "random", "--json")  # brings no predicted rewards
    record = json.loads(done.stdout)
    assert done.returncode == 3 and record["reason"] == "missing_input", record
    assert json.loads(pathlib.Path(record["record"]).read_text())["candidate"] == str(rule), record
    return decisions[:200]


def check_epsilon(folder, learned):
    """A deterministic policy with a share of uniform slates makes a log that others can be judged by."""
    log = folder / "mixed.jsonl"
    json_of("simulate", "run", *SHOP, "--policy", learned, "--epsilon", 0.25, "--seeds", 1, "--log", log)
    shares = {json.loads(line)["propensity"] for line in log.read_text().splitlines()}
    assert {round(share, 9) for share in shares} == {0.05, 0.8}, shares  # 0.25 / 5, and 0.75 more
    done = run("gate", "--log", log, "--candidate", "random", "--incumbent", learned, "--out", folder / "mixed", "--json")
    assert done.returncode == 3 and json.loads(done.stdout)["reason"] == "worse", done


def set_propensity(decision, value):
    decision["propensity"] = decision["slots"][0]["propensity"] = value


def drop_propensity(decision):
    del decision["propensity"], decision["slots"][0]["propensity"]


def drop_candidate(decision):
    for key in ("candidates", "candidate_features"):
        decision[key] = decision[key][:4]
    decision["slots"][0]["item_id"] = decision["candidates"][0]


# What is done to the sixth decision of a good log, and what the refusal must say.
BAD_DECISIONS = {
    "no propensity": (drop_propensity, ("bad.jsonl:6", "propensity is missing", "off-policy evaluation")),
    "propensity 0": (lambda d: set_propensity(d, 0), ("bad.jsonl:6", "propensity is 0", "(0, 1]")),
    "propensity above 1": (lambda d: set_propensity(d, 1.5), ("bad.jsonl:6", "propensity is 1.5", "(0, 1]")),
    "another product": (lambda d: d.update(propensity=0.3), ("bad.jsonl:6", "propensity is 0.3", "product")),
    "unknown action": (lambda d: d["slots"][0].update(item_id="77:1"), ("bad.jsonl:6", '"77:1"', "not among")),
    "reward NaN": (lambda d: d.update(reward=float("nan")), ("bad.jsonl:6", "not JSON")),
    "reward a text": (lambda d: d.update(reward="five"), ("bad.jsonl:6", "reward is a text", "number")),
    "no reward": (lambda d: d.pop("reward"), ("bad.jsonl:6", "reward is missing")),
    "deterministic": (lambda d: d.update(deterministic=True), ("bad.jsonl:6", "deterministic", "epsilon > 0")),
    "looks deterministic": (lambda d: set_propensity(d, 1), ("bad.jsonl:6", "looks deterministic", "epsilon > 0")),
    "an id twice": (lambda d: d.update(recommendation_id="u0-t0"), ("bad.jsonl:6", '"u0-t0"', "earlier decision")),
    "another shape": (drop_candidate, ("u5-t0", "another shape", "4 candidates")),
}


def check_bad_logs(folder, learned, decisions):
    bad = folder / "bad.jsonl"
    for number, (change, keys) in enumerate(BAD_DECISIONS.values()):
        rows = copy.deepcopy(decisions)
        change(rows[5])
        write_lines(bad, rows)
        verb = ("ope", "--policy", learned)
        if number % 3 == 0:  # one reader behind both verbs
            verb = ("gate", "--candidate", learned, "--incumbent", "random", "--out", folder / "none")
        refused((*verb, "--log", bad), *keys)
    assert not (folder / "none").exists(), "a refused log leaves no record"
    bad.write_text("")
    refused(("ope", "--policy", learned, "--log", bad), "no usable decision")
    good = write_lines(folder / "good.jsonl", decisions)
    probabilities = [{"recommendation_id": d["recommendation_id"], "probabilities": best_made(d)} for d in decisions]
    judge = ("ope", "--log", good, "--policy", folder / "p.jsonl")
    write_lines(folder / "p.jsonl", probabilities[:-1])
    refused(judge, "no line for decision", "199 of 200")
    probabilities[3]["probabilities"] = dict.fromkeys(decisions[3]["candidates"], 1.5)
    write_lines(folder / "p.jsonl", probabilities)
    refused(judge, "p.jsonl:4", "is 1.5", "[0, 1]")
    probabilities[3]["probabilities"] = dict.fromkeys(decisions[3]["candidates"], 1)
    write_lines(folder / "p.jsonl", probabilities)
    refused(judge, "p.jsonl:4", "sum to 5", "at most 1")


def check_deterministic_candidate(folder):
    """Among 30 slates no log supports a deterministic candidate: the gate asks for epsilon, not for millions of decisions."""
    log = folder / "wide.jsonl"
    json_of("simulate", "run", "--world", "interest_exploration", "--set", "world.n_candidates=30", "--set", "world.slate_size=1",
            "--policy", "random", "--seeds", 1, "--episodes", 300, "--log", log)
    gate = ("gate", "--log", log, "--candidate", "fixed_rule:feature=2", "--incumbent", "random", "--out", folder / "wide")
    done = run(*gate)
    assert done.returncode == 3 and "no number of rows lets it pass" in done.stdout, done
    assert "randomised decisions would decide it" not in done.stdout, done.stdout
    (record,) = records(folder / "wide")
    epsilon = record["epsilon_advice"]["on_this_log"]
    assert 0.1 < epsilon < 0.4 and f"--epsilon {epsilon:.2f}" in done.stdout, (epsilon, done.stdout)  # 1 - sqrt(19 / 29) = 0.19
    mixed = decision_of(*gate, "--epsilon", epsilon)
    support = {c["name"]: c["verdict"] for c in mixed["checks"]}
    assert support["effective_rows"] == support["largest_weight"] == support["mean_weight"] == "passed", mixed["checks"]
    assert mixed["decision"] == "promote" and mixed["epsilon_advice"] is None, mixed
    refused((*gate, "--temperature", 1), "runs of train")


def check_bad_words(folder, learned):
    play, out = ("simulate", "run", "--policy"), ("--out", folder / "never")
    refused((*play, "random", "--world", "interest_evolutoin"), "unknown world", "interest_evolution")
    refused((*play, "randum", "--world", "slate_mdp"), "unknown agent", "did you mean random?")
    refused((*play, "ppo", "--world", "slate_mdp"), "ppo must learn", "honeyguide learn --agent ppo")
    refused((*play, "random", "--world", "slate_mdp", "--set", "world.n_item=3"), "unknown key world.n_item", "world.n_items")
    refused((*play, "random", "--world", "slate_mdp", "--set", "world.slate_size=9"), "world.slate_size = 9", "1 .. 4")
    refused((*play, "random", "--world", "slate_mdp", "--set", "learn.steps=3"), "unknown key learn.steps", "honeyguide learn")
    refused((*play, "random", "--world", "slate_mdp", "--set", "learn.slate_siz=3"), "did you mean world.slate_size?")
    refused((*play, learned, *SHOP, "--set", "alpha=3"), "unknown key alpha", "keeps the options it was learned with")
    refused((*play, learned, "--world", "slate_mdp"), "world of shape", '"item_size":3')
    refused(("learn", "--agent", "lin_ucbb", "--world", "slate_mdp", *out), "unknown agent", "did you mean lin_ucb?")
    refused(("learn", "--agent", "random", "--world", "slate_mdp", *out), "nothing to learn", "simulate run")
    refused(("learn", "--agent", "ucb", "--world", "interest_evolution", *out), "does not fit this world", "new at every step")
    refused(("learn", "--agent", "lin_ucb", "--world", "slate_mdp", "--set", "ridge=-1", *out), "ridge = -1", "1e-06")
    refused(("learn", "--agent", "lin_ucb", "--world", "slate_mdp", "--set", "learn.step=1", *out), "did you mean learn.steps?")
    assert not (folder / "never").exists(), "a refused command leaves nothing behind"


def array(folder, name, code):
    data = (folder / f"{name}.bin").read_bytes()
    return struct.unpack(f"<{len(data) // struct.calcsize(code)}{code}", data)


def check_open_bandit(folder, shared):
    """BernoulliTS judged on the Random log equals Open Bandit Pipeline, and the gate knows that it cannot tell."""
    log = shared / "data" / "open-bandit" / "random_all_all.csv.gz"
    arrays = shared / "reference" / "ope" / "arrays_all"
    action, position = array(arrays, "action", "i"), array(arrays, "position", "i")
    share, pscore = array(arrays, "action_dist", "d"), array(arrays, "pscore", "d")  # share: [80, 3]
    q_factual, q_policy = array(arrays, "qhat_factual", "d"), array(arrays, "qhat_pi", "d")
    rows = range(len(action))
    candidate = write_lines(folder / "bts.jsonl", (
        {"probabilities": [share[3 * action[i] + position[i]]], "q_factual": q_factual[i], "q_policy": q_policy[i],
         "supported_mass": 1} for i in rows))
    answer = json_of("ope", "--log", log, "--policy", candidate)
    wanted = json.loads((shared / "reference" / "ope" / "obp_all.json").read_text())
    for name in ("ipw", "snipw", "dm", "dr"):
        found = estimate(answer, name)["value"]
        assert abs(found - wanted["policy_value"][name]) < 1e-12, (name, found, wanted["policy_value"][name])
    assert abs(answer["effective_rows"] - wanted["weights"]["ess"]) < 1e-6, answer

    # On its own log any q will do for the incumbent: its weights are 1 and take q out again.
    incumbent = write_lines(folder / "random.jsonl", (
        {"probabilities": [pscore[i]], "q_factual": q_factual[i], "q_policy": q_factual[i]} for i in rows))
    done = run("gate", "--log", log, "--candidate", candidate, "--incumbent", incumbent, "--out", folder / "bandit")
    (record,) = records(folder / "bandit")
    assert done.returncode == 3 and record["reason"] == "lack_of_data", (done.stderr, record)
    assert abs(record["incumbent_value"] - wanted["behavior_value"]) < 1e-12, record
    assert record["data_request"]["decisions"] > 1e6, record


def main():
    if not arguments.binary.exists():
        print(f"SKIPPED: {arguments.binary} is absent: build it first")
        return 77
    check_known_means()
    check_seeds()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        learned = check_learning(folder)
        check_worlds_of_lasting_items(folder)
        check_interruption(folder, signal.SIGINT)
        check_interruption(folder, signal.SIGKILL)  # the last judgement is kept
        decisions = check_closed_loop(folder, learned)
        check_epsilon(folder, learned)
        check_deterministic_candidate(folder)
        check_bad_logs(folder, learned, decisions)
        check_bad_words(folder, learned)
        if arguments.shared and (arguments.shared / "reference" / "ope").exists():
            check_open_bandit(folder, arguments.shared)
        else:
            print("the Open Bandit log was not judged: no --shared with reference/ope")
    print("ok", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
