"""Reads pushes as lines (see languages.ts) and prints valid or invalid for each."""

import base64
import sys

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from verify_push import verify_standard_webhooks, verify_x_mt_signature  # noqa: E402


def text(field):
    return None if field == "-" else base64.b64decode(field).decode()


for line in sys.stdin:
    form, now, tolerance, secrets, body, *headers = line.rstrip("\n").split("\t")
    body = base64.b64decode(body)
    signature, previous, webhook_id, timestamp, signatures = map(text, headers)
    valid = False
    for secret in map(text, secrets.split(",")):
        if form == "x-mt":
            valid |= signature is not None and any(
                verify_x_mt_signature(body, one, secret) for one in (signature, previous)
            )
        else:
            valid |= verify_standard_webhooks(
                body, webhook_id, timestamp, signatures, secret, int(now), int(tolerance)
            )
    print("valid" if valid else "invalid")
