#!/usr/bin/env python3
"""Makes tests/encode/golden/all-MiniLM-L6-v2.json: token ids and vectors of the Python references.

Needs torch==2.13.0 (CPU) and sentence-transformers==6.2.0 (deps/peers.txt); one run, when texts are added:

    python tests/encode/make_golden.py
"""
import json
import pathlib

from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODEL = ROOT / ".cache/models/all-MiniLM-L6-v2"
DIMS = 32  # of 384: enough to see a difference, small enough to commit

TEXTS = [
    ("", 1),
    (" \t\n", 1),
    ("Toy Story. Animation, Children's, Comedy. 1995", 1),
    ("Seven Samurai (The Magnificent Seven) (Shichinin no samurai) (1954)", 1),
    ("Wallace & Gromit: The Best of Aardman Animation (1996)", 1),
    ("Amélie Poulain — “le fabuleux destin”… naïve café, Ångström, ŁÓDŹ, İstanbul, Straße", 1),
    ("Cafe\u0301 Zalgo t\u0335\u0321\u0322e\u0301\u0302x\u0336t", 1),
    ("千与千寻 is Spirited Away; となりのトトロ; 기생충 (Parasite)", 1),
    ("Москва слезам не верит. Δεν έχω. عربى. हिन्दी. עברית", 1),
    ("👩‍👩‍👧‍👦 🤣 ♥ ☃ 🇩🇪 a family film", 1),
    ("tab\tnul\u0000bell\u0007zero\u200bwidth\ufeffsoft\u00adhyphen\u2028line", 1),
    ("a user types [SEP] or [CLS][MASK] [PAD] [unk]", 1),
    ("$9.99 <b>50% off</b> `code` ~tilde~ ^caret^ a+b=c | pipe", 1),
    ("x" * 100 + " " + "y" * 101, 1),
    ("don't can't 3.14 1,000,000 e-mail@example.org #hashtag", 1),
    ("word ", 300),
    ("long plot of a film that never ends, ", 27000),
    ("e\u0301", 300000),
    ("日本", 170000),
    ("[SEP]", 200000),
    ("\U0001d165\U0001d16d\U000e0001\uffff\ufffd music and specials", 1),
]

tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
tokenizer.no_padding()
tokenizer.enable_truncation(256)
model = SentenceTransformer(str(MODEL), device="cpu")
whole = [text * times for text, times in TEXTS]
vectors = model.encode(whole, batch_size=1)
entries = []
for (text, times), full, vector in zip(TEXTS, whole, vectors):
    entry = {"text": text, "ids": tokenizer.encode(full).ids}
    if times > 1:
        entry["times"] = times
    entry["vector"] = [round(float(x), 7) for x in vector[:DIMS]]
    entries.append(entry)
path = ROOT / "tests/encode/golden/all-MiniLM-L6-v2.json"
path.parent.mkdir(exist_ok=True)
path.write_text(
    '{"made_by": "tests/encode/make_golden.py", "texts": [\n'
    + ",\n".join(json.dumps(entry) for entry in entries)
    + "\n]}\n"
)
print(path, path.stat().st_size, "bytes,", len(entries), "texts")
