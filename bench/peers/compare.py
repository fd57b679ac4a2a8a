#!/usr/bin/env python3
"""One table: what others recommend from the same log, on the same machine. For docs/compare.md.

    python bench/peers/compare.py --binary build/release/honeyguide --data ../shared/data/ml-100k [--vectors FILE] [--only NAMES]
        [--out OUT.md]

The last event of each user is asked for, all items are ranked, what the user has had is left out: NDCG@10 and the share of users
whose item is in the list. Equal timestamps keep the order of the file, for everybody. RecBole's models are fitted on all but the
last two events, early stopping on the last but one where they stop early, as RecBole does it; everybody else on all but the last,
SASRec of honeyguide with its last training event for early stopping. Settings are the defaults of each program (SASRec of
RecBole: cross-entropy over all items). Answering is the time of all lists over their number, one thread, in the program's own
process; lists of RecBole and honeyguide are made in batches, those of lancedb one by one. One thread for fitting too. Memory is the
peak of a process that does nothing else, what it is made of (Python, PyTorch) included.

The peers need deps/compare.txt in an environment of its own; a peer that is not there is said to be missing.
"""
import argparse
import contextlib
import io
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from machine import describe_machine  # noqa: E402
from peer_runs import read_sequences  # noqa: E402

RECBOLE = {"Pop": {}, "ItemKNN": {}, "EASE": {"reg_weight": 500.0}, "BPR": {}, "SASRec": {"train_neg_sample_args": None}}
SLOW = ["RecBole SASRec"]  # more than five minutes an epoch on one thread: only where asked for by --only
OURS = ["popularity", "item_knn", "sequential_rules", "ease", "als", "vector_db", "sasrec", "blend"]


def ndcg(place):
    return 1 / math.log2(place + 2) if place is not None else 0.0


def quality(places):
    return sum(map(ndcg, places)) / len(places), sum(p is not None for p in places) / len(places)


def recbole(name, settings, users, folder, epochs):
    os.environ["TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"] = "1"  # RecBole keeps more than weights in its checkpoints
    import torch
    from recbole.config import Config
    from recbole.data import create_dataset, data_preparation
    from recbole.utils import get_model, get_trainer, init_seed

    torch.set_num_threads(1)
    home = folder / "log"
    home.mkdir(exist_ok=True)
    with open(home / "log.inter", "w") as file:
        file.write("user_id:token\titem_id:token\ttimestamp:float\n")
        for user, items in enumerate(users):
            file.writelines(f"u{user}\ti{item}\t{number}\n" for number, item in enumerate(items))
    config = Config(model=name, dataset="log", config_dict={
        "data_path": str(folder), "load_col": {"inter": ["user_id", "item_id", "timestamp"]}, "topk": [10],
        "metrics": ["NDCG", "Hit"], "valid_metric": "NDCG@10", "epochs": epochs, "seed": 7, "state": "ERROR", "use_gpu": False,
        "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"},
        "checkpoint_dir": str(folder / "saved"), "show_progress": False, "MAX_ITEM_LIST_LENGTH": 200, **settings})
    init_seed(7, True)
    dataset = create_dataset(config)
    train, valid, test = data_preparation(config, dataset)
    model = get_model(name)(config, train._dataset).to("cpu")
    trainer = get_trainer(config["MODEL_TYPE"], name)(config, model)
    start = time.perf_counter()
    trainer.fit(train, valid, saved=True, show_progress=False)
    fitted = time.perf_counter() - start
    start = time.perf_counter()
    found = trainer.evaluate(test, load_best_model=True, show_progress=False)
    return found["ndcg@10"], found["hit@10"], fitted, (time.perf_counter() - start) / len(users)


def implicit_als(users, n_items):
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # implicit asks for it
    import implicit
    import numpy
    import scipy.sparse

    rows = numpy.concatenate([numpy.full(len(items) - 1, u) for u, items in enumerate(users)])
    columns = numpy.concatenate([items[:-1] for items in users]) - 1
    matrix = scipy.sparse.csr_matrix((numpy.ones(len(rows), dtype=numpy.float32), (rows, columns)), shape=(len(users), n_items))
    start = time.perf_counter()
    model = implicit.als.AlternatingLeastSquares(num_threads=1, random_state=7)
    model.fit(matrix, show_progress=False)
    fitted = time.perf_counter() - start
    start = time.perf_counter()
    lists, _ = model.recommend(numpy.arange(len(users)), matrix, N=10)
    took = (time.perf_counter() - start) / len(users)
    places = [next((p for p, item in enumerate(row) if item == items[-1] - 1), None) for row, items in zip(lists, users)]
    return *quality(places), fitted, took


def read_vectors(path, names):
    """A row for each item, in the order of names; None where it has no content. The file: docs/formats/vectors.md."""
    from safetensors.numpy import load_file

    file = load_file(path)
    offsets, text = file["ids.offsets"], file["ids.bytes"].tobytes()
    places = {text[offsets[i]:offsets[i + 1]].decode(): i for i in range(len(offsets) - 1)}
    rows = [places.get(name) for name in names]
    return [None if row is None or not file["present"][row] else file["vectors"][row] for row in rows]


def lancedb(users, names, path, folder):
    """What a vector database does: the mean of what was clicked, its nearest neighbours, without what was clicked."""
    import lancedb as lance
    import numpy

    vectors = read_vectors(path, names)
    known = [v is not None for v in vectors]
    start = time.perf_counter()
    table = lance.connect(str(folder / "lance")).create_table(
        "items", [{"item": number, "vector": v} for number, v in enumerate(vectors) if v is not None])
    fitted = time.perf_counter() - start
    places = []
    start = time.perf_counter()
    for items in users:
        history = [i - 1 for i in items[:-1]]
        seen = set(history)
        liked = [vectors[i] for i in history if known[i]]
        mean = numpy.mean(liked, axis=0)
        found = table.search(mean).distance_type("cosine").limit(10 + len(seen)).to_arrow()["item"].to_pylist()
        fresh = [item for item in found if item not in seen][:10]
        places.append(fresh.index(items[-1] - 1) if items[-1] - 1 in fresh else None)
    return *quality(places), fitted, (time.perf_counter() - start) / len(users)


def ours(binary, data, name, folder):
    words = [str(binary), "-q", "evaluate", "--data", str(data), "--protocol", "leave-one-out", "--model", "popularity", "--json"]
    words += [] if name == "popularity" else ["--model", name]
    done = subprocess.run(words, check=True, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    found = json.loads(done.stdout)
    row = next(r for r in found["rows"] if r["model"] == name)
    return row["ndcg"], row["hit_rate"], row["fit_seconds"], row["score_seconds"] / found["queries"]


def apart(job):
    """What the job says, and the peak MiB of a process of its own and those it started. ImportError where a peer is missing."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        told = {"missing": "it ended without a word"}
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                told = {"found": [float(number) for number in job()]}
        except ImportError as error:
            told = {"missing": str(error)}
        except Exception:
            traceback.print_exc()
        finally:
            os.write(writer, json.dumps(told).encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        told = json.load(pipe)
    _, _, used = os.wait4(child, 0)
    if "missing" in told:
        raise ImportError(told["missing"])
    return *told["found"], used.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--data", required=True, help="a raw folder with interactions.csv[.gz]")
    parser.add_argument("--vectors", help="of the items, .safetensors, made by `honeyguide encode`; without it no vector database")
    parser.add_argument("--epochs", type=int, default=50, help="of RecBole, at most")
    parser.add_argument("--only", default="", help="names, by comma")
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    users, names = read_sequences(arguments.data)
    for path in ("binary", "vectors", "data", "out"):
        if getattr(arguments, path):
            setattr(arguments, path, pathlib.Path(getattr(arguments, path)).resolve())
    only = [name for name in arguments.only.split(",") if name]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.chdir(folder)  # RecBole leaves logs where it runs
        jobs = [(f"RecBole {name}", lambda n=name, s=s: recbole(n, s, users, folder, arguments.epochs)) for name, s in RECBOLE.items()]
        jobs.append(("implicit ALS", lambda: implicit_als(users, len(names))))
        if arguments.vectors:
            jobs.append(("lancedb", lambda: lancedb(users, names, arguments.vectors, folder)))
        jobs += [(f"honeyguide {name}", lambda n=name: ours(arguments.binary, arguments.data, n, folder)) for name in OURS]
        lines = ["| system | NDCG@10 | HR@10 | fit, seconds | a list, milliseconds | memory, MiB |", "|---|---|---|---|---|---|"]
        for label, job in jobs:
            if (label not in only) if only else (label in SLOW):
                continue
            try:
                found, hit, fitted, took, memory = apart(job)
            except ImportError as error:
                print(f"{label}: missing ({error})", file=sys.stderr)
                continue
            lines.append(f"| {label} | {found:.4f} | {hit:.4f} | {fitted:.2f} | {1000 * took:.2f} | {memory:.0f} |")
            print(lines[-1], flush=True)
    lines.append("\n" + describe_machine())
    if arguments.out:
        arguments.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
