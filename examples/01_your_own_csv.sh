#!/usr/bin/env bash
# A CSV of yours becomes recommendations: ingest, advise, train, recommend.
#   examples/01_your_own_csv.sh build/release/honeyguide
set -euo pipefail
honeyguide=$(realpath "${1:?usage: $0 PATH/TO/honeyguide}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# Any folder with an interactions file will do; columns are recognised by name.
mkdir shop
python3 - <<'PYTHON'
import random
random.seed(1)
with open("shop/items.csv", "w") as items:
    items.write("item_id,title,categories,price\n")
    for i in range(40):
        items.write(f"p{i},{'Tent' if i % 2 else 'Teapot'} no {i},{'outdoor' if i % 2 else 'kitchen'},{9 + i}\n")
with open("shop/interactions.csv", "w") as events:
    events.write("user_id,item_id,event,timestamp\n")
    for u in range(60):
        for step, i in enumerate(random.sample(range(u % 2, 40, 2), 8)):
            events.write(f"u{u},p{i},{random.choice(['view', 'purchase'])},{1_700_000_000 + 3600 * step}\n")
PYTHON

"$honeyguide" ingest shop --out shop.dataset
"$honeyguide" advise shop.dataset
"$honeyguide" train --model item_knn --data shop.dataset --out runs/item_knn

# A user is a history: nobody called "new" was in the log.
echo '{"user_id": "new", "history": ["p1", "p3"]}' >queries.jsonl
"$honeyguide" recommend --run runs/item_knn --input queries.jsonl --k 3 --output answers.jsonl
cat answers.jsonl
