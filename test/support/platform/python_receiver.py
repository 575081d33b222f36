"""A customer's receiver in another language, with Python's standard library alone: what the contract's section 6 says.

Answers 204 when X-MT-Signature is the HMAC-SHA256 of the raw body, else 401. Prints its port, then a line a request.
"""

import hashlib
import hmac
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = os.environ["SECRET"].encode("utf-8")


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        given = self.headers.get("X-MT-Signature", "").removeprefix("sha256=")
        expected = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        self.send_response(204 if hmac.compare_digest(given, expected) else 401)
        self.end_headers()

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
