#!/usr/bin/env python3
"""Seconds and memory of an epoch of SASRec: honeyguide beside plain padded PyTorch, same model, loss, negatives and threads.

    python bench/peers/sasrec_epoch.py --binary build/release/honeyguide --data DIR [--threads 2] [--rounds 3] [--out OUT.md]

dim 50, 2 blocks, 1 head, the last 200 events, batches of 128 users, one negative per event, binary cross-entropy, Adam. The peer
pads every sequence to 200, as the published implementations do, and takes fused causal attention; nothing else in it is clever
or clumsy. An epoch is the time of many less the time of one, so that starting up and reading the log do not count;
rounds of both alternate, and the fastest of each is told. DIR: a raw folder.
"""
import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from machine import describe_machine  # noqa: E402
from limits import measure  # noqa: E402
from peer_runs import Comparison, finish, read_sequences  # noqa: E402

DIM, BLOCKS, LENGTH, BATCH, DROPOUT, RATE = 50, 2, 200, 128, 0.2, 1e-3


def peer(arguments):
    """Runs in a process of its own. Prints the seconds of each epoch."""
    import numpy
    import torch
    from torch import nn
    from torch.nn import functional

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(7)
    rng = numpy.random.default_rng(7)
    users, names = read_sequences(arguments.data)
    n_items = len(names)
    inputs = numpy.zeros((len(users), LENGTH), dtype=numpy.int64)
    targets = numpy.zeros((len(users), LENGTH), dtype=numpy.int64)
    for row, items in enumerate(users):
        last = items[-LENGTH:]
        before = ([items[-LENGTH - 1]] if len(items) > LENGTH else [0]) + last[:-1]
        inputs[row, LENGTH - len(last):] = before
        targets[row, LENGTH - len(last):] = last

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention_norm, self.feed_norm = nn.LayerNorm(DIM), nn.LayerNorm(DIM)
            self.qkv, self.out = nn.Linear(DIM, 3 * DIM), nn.Linear(DIM, DIM)
            self.widen, self.narrow = nn.Linear(DIM, 2 * DIM), nn.Linear(2 * DIM, DIM)
            self.drop = nn.Dropout(DROPOUT)

        def forward(self, x):
            q, k, v = self.qkv(self.attention_norm(x)).unsqueeze(1).chunk(3, dim=-1)
            mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True).squeeze(1)
            x = x + self.drop(self.out(mixed))
            return x + self.drop(self.narrow(self.drop(functional.gelu(self.widen(self.feed_norm(x))))))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.items = nn.Embedding(n_items + 1, DIM)
            self.positions = nn.Embedding(LENGTH, DIM)
            self.blocks = nn.ModuleList(Block() for _ in range(BLOCKS))
            self.norm, self.drop = nn.LayerNorm(DIM), nn.Dropout(DROPOUT)
            for weight in (p for p in self.parameters() if p.dim() == 2):
                nn.init.normal_(weight, 0, 0.02)

        def forward(self, tokens):
            x = self.drop(self.items(tokens) * DIM**0.5 + self.positions.weight)
            for block in self.blocks:
                x = block(x)
            return self.norm(x)

    net = Net()
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE, betas=(0.9, 0.98))
    for _ in range(arguments.epochs):
        start = time.perf_counter()
        order = rng.permutation(len(users))
        for first in range(0, len(users), BATCH):
            rows = order[first:first + BATCH]
            tokens, answers = torch.from_numpy(inputs[rows]), torch.from_numpy(targets[rows])
            negatives = torch.from_numpy(rng.integers(1, n_items + 1, size=answers.shape))
            states = net(tokens)
            right = (states * net.items(answers)).sum(-1)
            wrong = (states * net.items(negatives)).sum(-1)
            known = answers > 0
            loss = (functional.softplus(-right)[known] + functional.softplus(wrong)[known]).mean() / 2
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        print(f"epoch {time.perf_counter() - start:.3f} s, loss {loss.item():.4f}", flush=True)


def flops_of(lengths):
    """Of an epoch, the multiplications and additions of the products that real events need: forward, and twice that backward."""
    linear = 2 * BLOCKS * 8 * DIM**2  # of an event: query, key, value, out, and a hidden layer of twice the width
    attention = [2 * BLOCKS * 2 * DIM * n / 2 for n in lengths]  # of an event: scores and mixing, over half of the others on average
    return 3 * sum(n * (linear + a) for n, a in zip(lengths, attention))


def settings(epochs):
    return [f"dim={DIM}", f"blocks={BLOCKS}", "heads=1", f"max_length={LENGTH}", f"batch_size={BATCH}", f"dropout={DROPOUT}",
            f"learning_rate={RATE}", "loss=bce", "long_histories=last", "validate=false", "use_content=false", f"epochs={epochs}"]


def main():
    comparison = Comparison(__file__, peer, epochs=4)
    arguments = comparison.arguments()
    if not arguments:
        return
    users, names = read_sequences(arguments.data)
    lengths = [min(len(items), LENGTH) for items in users]
    real = sum(lengths)
    epochs = arguments.epochs
    comparison.rounds(arguments, "plain PyTorch, padded",
                      lambda text: epochs * min(float(t) for t in re.findall(r"epoch ([\d.]+) s", text)), "sasrec", settings, epochs)
    limit = measure(arguments.threads)["gflops"]
    gflop = flops_of(lengths) / 1e9
    lines = [f"{len(users)} users, {len(names)} items; {real} events are learned from, {len(users) * LENGTH} with padding "
             f"({len(users) * LENGTH / real:.2f} times). {arguments.threads} threads, {arguments.rounds} rounds. An epoch needs products of {gflop:.0f} GFLOP; products of 1,024 x 1,024 matrices "
             f"reach {limit:.0f} GFLOP/s here. {describe_machine()}", "",
             "| | seconds an epoch | events/s | GFLOP/s of what is needed | peak memory, MiB |", "|---|---|---|---|---|"]
    lines += [f"| {name} | {seconds / epochs:.2f} | {real * epochs / seconds:,.0f} | {gflop * epochs / seconds:.0f} | {memory:.0f} |"
              for name, (seconds, memory) in comparison.rows.items()]
    finish(lines, arguments.out)


if __name__ == "__main__":
    main()
