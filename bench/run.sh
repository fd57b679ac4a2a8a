#!/usr/bin/env bash
# Benchmarks beside their limits and peers, into bench/results/. `make bench` runs the first six (about 25 minutes).
#   bench/run.sh [belief|ingest|serving|encode|training_speed|gate|interest_evolution|closed_loop|ratings|growth|big_catalogue ...]
# Run it on a quiet machine: every figure shares the cores with whatever else runs.
set -euo pipefail
cd "$(dirname "$0")/.."
program=build/release/honeyguide
python=.venv/bin/python
shared=../shared
work=runs/bench
results=bench/results
say() { printf '\n[bench] %s\n' "$*"; }
mkdir -p "$work" "$results"

belief() {
    say 'belief: one event, a replay, scoring a catalogue'
    cmake --build build/release --target bench_belief >/dev/null
    build/release/bench_belief --benchmark_out="$work/belief.json" --benchmark_out_format=json >/dev/null
    $python bench/belief.py --json "$work/belief.json" --out $results/belief.md
}

ingest() {
    say 'ingest: a CSV of a million rows'
    $python bench/ingest.py --binary $program --folder "$work/million" --out $results/ingest.md
}

# The catalogue of ml-1m (3,883 items) where it is present, else the demo's MovieLens 100k (1,682).
serving() {
    say 'serving: saturation, then an open loop at half of it; durable events'
    cmake --build build/release --target bench_load >/dev/null
    local source=.cache/data/ml-100k name=ml-100k
    if [ -d $shared/data/ml-1m ]; then
        source=$shared/data/ml-1m name=ml-1m
    else
        say "$shared is absent: measured on ml-100k instead of ml-1m"
    fi
    [ -d "$work/$name" ] || $program ingest "$source" --out "$work/$name"
    [ -f "$work/$name-blend/manifest.json" ] || $program train --model blend --data "$work/$name" --out "$work/$name-blend" --seed 7
    [ -f "$work/$name-meta/manifest.json" ] || $program learn --agent meta_policy --config meta_policy/small \
        --world "served:$work/$name-blend" --set world.data="$work/$name" --set learn.steps=20000 --set learn.evaluate_every=10000 \
        --out "$work/$name-meta" --seed 7
    [ -f "$work/$name-sasrec/manifest.json" ] || $program train --model sasrec --data "$work/$name" --out "$work/$name-sasrec" --set epochs=2 --seed 7
    $python bench/serving.py --binary $program --load build/release/bench_load --run "$work/$name-blend" --data "$work/$name" \
        --policy "$work/$name-meta" --sequence "$work/$name-sasrec" --out $results/serving.md
}

big_catalogue() {
    say 'big catalogue: a million items, exact and by the index (10 minutes)'
    cmake --build build/release --target bench_load >/dev/null
    $python bench/big_catalogue.py --binary $program --load build/release/bench_load --folder "$work/big" --out $results/big_catalogue.md
}

encode() {
    if ! $python -c 'import sentence_transformers' 2>/dev/null; then
        say 'encode: SKIPPED, the peer is missing: .venv/bin/python -m pip install -r deps/torch.txt -r deps/peers.txt'
        return
    fi
    say 'encode: texts a second beside sentence-transformers'
    $python bench/peers/encode_speed.py --threads 1 2 --out $results/encode.md
}

training_speed() {
    if ! $python -c 'import implicit' 2>/dev/null || [ ! -d $shared/data/ml-1m ]; then
        say 'training_speed: SKIPPED, it needs ../shared and the peers: .venv/bin/python -m pip install -r deps/torch.txt -r deps/peers.txt'
        return
    fi
    say 'training speed: SASRec beside plain PyTorch, ALS beside implicit (five minutes)'
    $python bench/peers/sasrec_epoch.py --binary $program --data $shared/data/ml-1m-sasrec --epochs 2 --rounds 2 --out "$work/sasrec_epoch.md"
    $python bench/peers/als_speed.py --binary $program --data $shared/data/ml-1m --out "$work/als_speed.md"
    {
        printf '# Training beside its peers\n\n`bench/run.sh training_speed`: rounds of both alternate, the fastest of each is told.\n'
        printf '\n## An epoch of SASRec on ml-1m-sasrec\n\nDim 50, 2 blocks, 1 head, length 200, batch 128, one negative an event, binary cross-entropy.\n'
        cat "$work/sasrec_epoch.md"
        printf '\n## ALS on ml-1m\n\n'
        cat "$work/als_speed.md"
    } >$results/training_speed.md
}

gate() {
    say 'gate: promotion rates on logs whose truth is known'
    cmake --build build/release --target bench_gate >/dev/null
    build/release/bench_gate 1000 >"$work/gate.md"
    $python bench/gate.py --table "$work/gate.md" --logs 1000 --out $results/gate.md
}

interest_evolution() {
    say 'interest evolution: agents over ten seeds (an hour)'
    $python bench/interest_evolution.py --binary build/release/honeyguide --out "$work/interest_evolution.md"
    cat "$work/interest_evolution.md"
}

closed_loop() {
    say 'the closed loop over twenty seeds, in three families of worlds (an hour)'
    for family in exploration population satisfaction; do
        $python bench/closed_loop.py --binary build/release/honeyguide --family "$family" --out "$work/$family.md"
        cat "$work/$family.md"
    done
}

growth() {
    say 'growth: 10^5 to 10^7 events, 10^4 to 10^6 items (half an hour, one thread)'
    nice -n 3 $python bench/growth.py --binary $program --folder "$work/growth" --out $results/growth.md
}

ratings() {
    say 'ratings: meta-learners on the stars of new users (half an hour on an idle machine)'
    local folders=(.cache/data/ml-100k)
    [ -d $shared/data/ml-1m ] && folders+=($shared/data/ml-1m)
    $python bench/ratings.py --binary $program --data "${folders[@]}" --out "$work/ratings.md"
    cat "$work/ratings.md"
}

[ $# -gt 0 ] || set -- belief ingest serving encode training_speed gate
for part in "$@"; do
    "$part"
done
say "done: $results"
