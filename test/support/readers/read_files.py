# Reads each file with each reader, by the statements of docs/destinations/warehouses.md, and prints what they found.
# stdin: {"page": its text, "store": {"url", "keyId", "secret"}, "files": {"jsonl.gz": {"key", "name"}, …}}; run beside the files.
import json
import re
import sys

import chdb
import duckdb

given = json.load(sys.stdin)


def blocks(heading):
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", given["page"], re.M | re.S).group(1)
    return re.findall(r"^```\w+\n(.*?)^```", section, re.M | re.S)


def statement(heading, form):
    return next(block for block in blocks(heading) if block.startswith(f"-- {form.upper()}"))


def by_duckdb(form, file):
    found = duckdb.sql(statement("DuckDB", form).replace(f"results.{form}", file["name"]))
    return [dict(zip(found.columns, row)) for row in found.fetchall()]


def by_clickhouse(form, file):
    store = given["store"]
    place = f"'{store['url']}/{file['key']}', '{store['keyId']}', '{store['secret']}'"
    sql = re.sub(r"'https://[^']*', 'KEY_ID', 'SECRET'", place, statement("ClickHouse", form))
    return [json.loads(line) for line in str(chdb.query(sql.rstrip().rstrip(";"), "JSONEachRow")).splitlines()]


pyarrow_block = {}
exec(blocks("pyarrow")[0], pyarrow_block)


def by_pyarrow(form, file):
    return pyarrow_block[f"read_{form}"](file["name"]).to_pylist()


readers = {"DuckDB": by_duckdb, "ClickHouse": by_clickhouse, "pyarrow": by_pyarrow}
found = {name: {form: read(form.split(".")[0], file) for form, file in given["files"].items()} for name, read in readers.items()}
json.dump(found, sys.stdout)
