"""Programs that stand in for Bookbag's own processes in tests of the supervisor: tiny, and honest about readiness."""

import argparse
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

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

    def log_message(self, *_):
        print(self.path, flush=True)


def serve(port):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    HTTPServer(("127.0.0.1", port), Answers).serve_forever()


def up(arguments):
    """`bookbag up` over stand-ins: `--as-worker=deaf` and the like replace one of them."""
    from bookbag.local.steps import Options
    from bookbag.local.up import Commands
    from bookbag.local.up import up as bookbag_up

    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path)
    parser.add_argument("--port", type=int)
    parser.add_argument("--no-demo", dest="demo", action="store_false")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--yes", action="store_true")
    for name in ("migrate", "seed", "api", "worker"):
        parser.add_argument(f"--as-{name}", default=name)
    given = vars(parser.parse_args(arguments))
    commands = {
        name: (sys.executable, __file__, given.pop(f"as_{name}")) for name in ("migrate", "seed", "api", "worker")
    }
    sys.exit(bookbag_up(Options(**given), commands=Commands(**commands, migrations=(), stop_within=1.0)))


def main(what):
    if what == "up":
        up(sys.argv[2:])
    elif what == "api":
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
