"""Reads Parquet files with pyarrow and DuckDB: a JSON list with what each reader says of each file."""

import json
import sys

import duckdb
import pyarrow.parquet

def plain(value):
    return value.isoformat() if hasattr(value, "isoformat") else value

def by_pyarrow(path):
    table = pyarrow.parquet.read_table(path)
    columns = [[field.name, str(field.type), field.nullable] for field in table.schema]
    return columns, [[plain(value) for value in row.values()] for row in table.to_pylist()]

def by_duckdb(path):
    columns = [[name, kind, None] for name, kind, *_ in duckdb.execute("DESCRIBE SELECT * FROM read_parquet(?)", [path]).fetchall()]
    duckdb.execute("SET TimeZone = 'UTC'")
    # The order of a file with one reader's thread.
    duckdb.execute("SET threads = 1")
    rows = duckdb.execute("SELECT * FROM read_parquet(?)", [path]).fetchall()
    return columns, [[plain(value) for value in row] for row in rows]

def counted(path):
    """Uses the statistics of row groups, which skip those that cannot match."""
    found = duckdb.execute("SELECT count(*) FROM read_parquet(?) WHERE partnerRowId = (SELECT max(partnerRowId) FROM read_parquet(?))", [path, path])
    return found.fetchone()[0]

print(json.dumps([
    {"pyarrow": by_pyarrow(path), "duckdb": by_duckdb(path), "last": counted(path)} for path in sys.argv[1:]
]))
