"""The users of a dataset, parted by a fixed draw: 60 % to train a run, 20 % to learn and tune on, 20 % to be played."""
import csv
import gzip
import random
import shutil

SHARES = {"train": 0.6, "learn": 0.8, "play": 1.0}


def part_users(source, folder):
    """A folder of events and items for each part, under `folder`."""
    folder.mkdir(exist_ok=True)
    with gzip.open(source / "interactions.csv.gz", "rt") as file:
        head, *rows = csv.reader(file)
    users = sorted({row[0] for row in rows})
    random.Random(7).shuffle(users)
    first = 0
    for name, share in SHARES.items():
        last = int(share * len(users))
        kept = set(users[first:last])
        first = last
        (folder / name).mkdir()
        with gzip.open(folder / name / "interactions.csv.gz", "wt") as file:
            csv.writer(file).writerows([head, *(row for row in rows if row[0] in kept)])
        shutil.copy(source / "items.csv.gz", folder / name)
