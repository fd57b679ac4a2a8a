"""Writes what bench_gate measured as a page: bench/gate.py --table FILE --logs N --out PAGE."""
import argparse
import pathlib

from machine import describe_machine

parser = argparse.ArgumentParser()
parser.add_argument("--table", type=pathlib.Path, required=True)
parser.add_argument("--logs", type=int, required=True)
parser.add_argument("--out", type=pathlib.Path, required=True)
args = parser.parse_args()

args.out.write_text(f"""# The gate on logs whose truth is known

`bench/run.sh gate`, {args.logs:,} logs a row, seed 1. {describe_machine()}

The world (`src/evaluate/gate_study.hpp`): 10 contexts, 10 actions, Bernoulli rewards; "frequent" rewards are about a third of
all, "rare" ones a twentieth of that. The incumbent made the log with epsilon = 0.2. Every candidate moves half of the incumbent's mass;
its true value is solved to be the stated share of the incumbent's. The margin delta is 2 %, the bound one-sided at
95 %, so a candidate 2.1 % worse should be promoted in less than 5 % of logs; equal or better candidates are the power.
Brackets are 95 % Wilson intervals. All rows of one size use the same draws, so their rates rise and fall together.

What this does not show: the incumbent is the logging policy, rows are independent, the predicted rewards are of the right
form (cross-fitted cell means), and no candidate leaves the log's support. Other worlds may be harder.

{args.table.read_text().strip()}
""")
