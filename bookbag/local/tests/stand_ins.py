"""Programs that stand in for Bookbag's own processes in tests of the supervisor: tiny, and honest about readiness."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

PEOPLE = (
    b'{"school": {"code": "oak", "name": "Oak School"},'
    b' "people": [{"person": "1", "role": "teacher", "name": "Ada Hill", "language": "en", "note": ""}]}'
)


class Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        body = PEOPLE if self.path == "/identity/v1/demo/people" else b"{}"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        print(self.path, flush=True)


def serve(port):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    HTTPServer(("127.0.0.1", port), Answers).serve_forever()


def main(what):
    if what == "api":
        serve(int(os.environ["BOOKBAG_HTTP_PORT"]))
    elif what == "worker":
        serve(int(os.environ["BOOKBAG_ADMIN_PORT"]))
    elif what == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        HTTPServer(("127.0.0.1", int(os.environ["BOOKBAG_ADMIN_PORT"])), Answers).serve_forever()
    elif what == "broken":
        sys.exit("the settings are wrong")


if __name__ == "__main__":
    main(sys.argv[1])
