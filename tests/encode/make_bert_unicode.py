#!/usr/bin/env python3
"""Makes src/encode/bert_unicode_tables.inc: what the `tokenizers` wheel removes, strips and splits at.

Its tables are those of Unicode 8 and stay so, whatever Unicode the machine's utf8proc knows; models were
trained with them. Run with a Python that has `tokenizers` (the project's .venv):

    .venv/bin/python tests/encode/make_bert_unicode.py > src/encode/bert_unicode_tables.inc
"""
from tokenizers import normalizers, pre_tokenizers


def normalizer(**on):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **on})


clean, strip, pre = normalizer(clean_text=True), normalizer(strip_accents=True), pre_tokenizers.BertPreTokenizer()


def is_removed(c):
    return clean.normalize_str(f"a{c}b") == "ab"


def is_mark(c):
    return strip.normalize_str(f"a{c}b") == "ab"


def is_punctuation(c):
    return len(pre.pre_tokenize_str(f"a{c}b")) == 3


def ranges(claim):
    found = []
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000 or not claim(chr(point)):
            continue
        if found and found[-1][1] == point - 1:
            found[-1][1] = point
        else:
            found.append([point, point])
    return found


print("// Made by tests/encode/make_bert_unicode.py; do not edit. Pairs: first and last code point.")
for name, claim in (("removed", is_removed), ("marks", is_mark), ("punctuation", is_punctuation)):
    pairs = ranges(claim)
    print(f"constexpr std::array<Range, {len(pairs)}> {name}{{{{")
    line = "   "
    for first, last in pairs:
        entry = f" {{{first:#x}, {last:#x}}},"
        if len(line) + len(entry) > 99:
            print(line)
            line = "   "
        line += entry
    print(line)
    print("}};")
