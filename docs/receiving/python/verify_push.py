"""Verify a push in Python, with the standard library alone.

Give the raw body: request.get_data() in Flask, request.body in Django, await request.body() in FastAPI and Starlette.
"""

import base64
import hashlib
import hmac
import re


def verify_x_mt_signature(raw_body: bytes, signature, secret: str) -> bool:
    """X-MT-Signature alone. During a rotation, X-MT-Signature-Previous may match instead."""
    if not secret:  # A variable that is not set: anybody can sign with an empty key.
        return False
    expected = "sha256=" + hmac.new(secret.encode(), raw_body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), (signature or "").encode())


def verify_standard_webhooks(
    raw_body: bytes, webhook_id, timestamp, signatures, secret: str, now: float, tolerance_seconds: int = 300
) -> bool:
    """webhook-id, webhook-timestamp, webhook-signature: proves the delivery's id and its time too. now: time.time()."""
    if not webhook_id or not re.fullmatch(r"[0-9]{1,12}", timestamp or ""):
        return False
    if abs(int(now) - int(timestamp)) > tolerance_seconds:
        return False
    key = base64.b64decode(secret[6:], validate=True) if secret.startswith("whsec_") else secret.encode()
    if not key:
        return False
    signed = f"{webhook_id}.{timestamp}.".encode() + raw_body
    expected = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    # Several signatures, separated by spaces, come while a secret is being rotated.
    return any(hmac.compare_digest(expected, one.encode()) for one in (signatures or "").split(" "))
