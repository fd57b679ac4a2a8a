"""Writes the Parquet files of fuzz/corpus/parquet, which tests/data/parquet_test.cpp reads:
.venv/bin/python tests/data/make_parquet.py fuzz/corpus/parquet"""
import datetime
import decimal
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq

folder = pathlib.Path(sys.argv[1])
utc = datetime.timezone.utc
when = datetime.datetime(2024, 3, 1, 12, 30, 5, 250_000, tzinfo=utc)

events = pa.table({
    "user_id": pa.array(["u1", "u2", "u1", None, "u3"]),
    "item_id": pa.array([10, 11, 12, 10, 11], pa.int64()),
    "event": pa.array(["click", "purchase", "click", "click", "click"]).dictionary_encode(),
    "timestamp": pa.array([when, when, when - datetime.timedelta(days=30000), when, None], pa.timestamp("us", tz="UTC")),
    "rating": pa.array([4.5, None, 3, 2, 1], pa.float64()),
})
pq.write_table(events, folder / "interactions.parquet", row_group_size=2, compression="zstd")

items = pa.table({
    "item_id": pa.array([10, 11, 12], pa.int32()),
    "title": pa.array(["Teapot", "Caf\u00e9 cup", None]),
    "genres": pa.array([["kitchen", "tea"], [], None], pa.list_(pa.string())),
    "price": pa.array([decimal.Decimal("12.50"), decimal.Decimal("3.00"), None], pa.decimal128(8, 2)),
    "year": pa.array([1999, 2001, None], pa.int16()),
    "weight": pa.array([1.25, None, 3], pa.float32()),
    "fragile": pa.array([True, False, None]),
    "added": pa.array([datetime.date(2024, 3, 1), None, datetime.date(1969, 12, 31)]),
    "size": pa.array([{"w": 1}, {"w": 2}, None], pa.struct([("w", pa.int64())])),
    "stars": pa.array([1, -2, None], pa.int8()),
})
pq.write_table(items, folder / "items.parquet", compression="snappy")
pq.write_table(items.slice(0, 0), folder / "empty.parquet", compression="gzip")
