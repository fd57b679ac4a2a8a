#!/usr/bin/env python3
"""Compares `honeyguide encode` with sentence-transformers and the `tokenizers` wheel on 1,000 real texts and
on hostile ones: token for token, vector for vector.

    python bench/peers/encode_check.py [--binary build/release/honeyguide] [--texts 1000] [--dtype fp32]

Needs the packages of deps/peers.txt (torch==2.13.0 CPU, sentence-transformers==6.2.0) and the model folder.
Exit status 0 = equal within 1e-5 (fp32), 1 = not, 77 = something to compare with is absent.
"""
import argparse
import csv
import gzip
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / ".cache/models/all-MiniLM-L6-v2"


def real_texts(shared, n):
    """Titles and plots: half and half, spread over the catalogue."""
    rows = []
    for name in ("ml-1m", "ml-100k"):
        path = shared / "data" / name / "items.csv.gz"
        if path.exists():
            with gzip.open(path) as file:
                rows += list(csv.DictReader(io.TextIOWrapper(file, "utf8")))
    titles = [row["title"] for row in rows if row.get("title")]
    plots = [row["description"] for row in rows if row.get("description")]
    rng = random.Random(1)
    rng.shuffle(titles)
    rng.shuffle(plots)
    return titles[: n // 2] + plots[: n - n // 2]


def hostile_texts():
    rng = random.Random(2)
    pools = [
        range(0x20, 0x7F), range(0, 0x250), range(0x300, 0x370), range(0x370, 0x600), range(0x900, 0x980),
        range(0x3040, 0x3100), range(0x4E00, 0x5000), range(0xAC00, 0xAE00), range(0x1F300, 0x1FA00),
        [0x200D, 0xFE0F, 0xFEFF, 0x200B, 0xAD, 0, 9, 10, 13, 0x1B, 0xFFFD, 0xFFFF], range(0x1D160, 0x1D170),
    ]
    specials = ["[SEP]", "[CLS]", "[MASK]", "[PAD]", "[UNK]", "[sep]", "[SEP", "SEP]", "##ing", "[[SEP]]"]
    texts = ["", " ", "a" * 100, "a" * 101, "a" * 1_000_000, "word " * 200_000, "\u0301" * 1_000_000]
    texts += ["\u0323\u0301" * 300_000, "[SEP]" * 200_000, "日本" * 170_000, "👩‍👩‍👧‍👦" * 40_000, "\0" * 1_000_000]
    for _ in range(500):
        text = ""
        for _ in range(rng.randrange(1, 25)):
            if rng.random() < 0.1:
                text += rng.choice(specials)
            else:
                pool = rng.choice(pools)
                text += "".join(chr(rng.choice(pool)) for _ in range(rng.randrange(1, 6)))
            text += " " if rng.random() < 0.3 else ""
        texts.append(text)
    return texts


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", type=pathlib.Path, default=ROOT / "build/release/honeyguide")
    parser.add_argument("--shared", type=pathlib.Path, default=ROOT.parent / "shared")
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--dtype", default="fp32")
    arguments = parser.parse_args()
    try:
        import numpy
        from safetensors.numpy import load_file
        from sentence_transformers import SentenceTransformer
        from tokenizers import Tokenizer
    except ImportError as error:
        print(f"SKIPPED: {error}; install deps/peers.txt")
        return 77
    if not (MODEL / "model.safetensors").exists():
        print(f"SKIPPED: no text model at {MODEL}; `make deps` fetches it")
        return 77
    real = real_texts(arguments.shared, arguments.texts)
    if not real:
        print("note: ../shared is absent, hostile texts only")
    texts = real + hostile_texts()
    with tempfile.TemporaryDirectory() as folder:
        lines = pathlib.Path(folder) / "texts.jsonl"
        lines.write_text("".join(json.dumps(text) + "\n" for text in texts))
        vectors = pathlib.Path(folder) / "vectors.safetensors"
        common = ["--model", MODEL, "--texts", lines]
        tokens = subprocess.run(
            [arguments.binary, "inspect", "tokens", *common, "--json"], check=True, stdout=subprocess.PIPE
        ).stdout.decode().splitlines()
        subprocess.run(
            [arguments.binary, "-q", "encode", *common, "--out", vectors, "--dtype", arguments.dtype], check=True
        )
        ours = load_file(vectors)["vectors"]
    tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    different = sum(
        json.loads(line) != encoding.ids for line, encoding in zip(tokens, tokenizer.encode_batch(texts))
    )
    model = SentenceTransformer(str(MODEL), device="cpu")
    theirs = model.encode(texts, batch_size=32)
    largest = numpy.abs(ours - theirs).max(axis=1)
    cosine = (ours * theirs).sum(axis=1)
    print(f"{len(real)} real and {len(texts) - len(real)} hostile texts, {arguments.dtype}")
    print(f"texts with other tokens: {different}")
    if real:
        print(f"largest difference, real texts:    {largest[:len(real)].max():.2e}")
    print(f"largest difference, hostile texts: {largest[len(real):].max():.2e}")
    print(f"smallest cosine: {cosine.min():.7f}")
    limit = 1e-5 if arguments.dtype == "fp32" else 0.05
    return int(different > 0 or len(tokens) != len(texts) or not largest.max() < limit)


if __name__ == "__main__":
    sys.exit(main())
