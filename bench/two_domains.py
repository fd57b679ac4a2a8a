"""Puts MovieLens 100k and Online Retail into one raw folder, so that the domain of a user is a field like any other.

    .venv/bin/python bench/two_domains.py --films ../shared/data/ml-100k --shop ../shared/data/online-retail --out DIR
    honeyguide ingest DIR --out DATASET && honeyguide encode --data DATASET --encoder text
    honeyguide evaluate --data DATASET --protocol few-shot --model domains=gaussian --set domains.segment_field=domain ...

Returned goods (quantity below 1) are left out. What came out: bench/results/priors.md.
"""
import argparse
import csv
import gzip
import pathlib

parser = argparse.ArgumentParser()
for name in ("films", "shop", "out"):
    parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
arguments = parser.parse_args()


def rows(folder, table):
    with gzip.open(folder / f"{table}.csv.gz", "rt", encoding="utf-8") as file:
        yield from csv.DictReader(file)


arguments.out.mkdir(parents=True, exist_ok=True)
columns = {"interactions": ["user_id", "item_id", "timestamp"], "items": ["item_id", "title", "domain"], "users": ["user_id", "domain"]}
files = {name: open(arguments.out / f"{name}.csv", "w", newline="", encoding="utf-8") for name in columns}
tables = {name: csv.writer(file) for name, file in files.items()}
for name, table in tables.items():
    table.writerow(columns[name])
for domain, folder in (("film", arguments.films), ("shop", arguments.shop)):
    users = set()
    for event in rows(folder, "interactions"):
        if float(event.get("quantity") or 1) >= 1:
            tables["interactions"].writerow([domain + event["user_id"], domain + event["item_id"], event["timestamp"]])
            users.add(event["user_id"])
    for item in rows(folder, "items"):
        tables["items"].writerow([domain + item["item_id"], item["title"], domain])
    for user in sorted(users):
        tables["users"].writerow([domain + user, domain])
for file in files.values():
    file.close()
