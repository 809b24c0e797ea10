"""A proxy before a real S3 server that fails on request: refuses, overloads, cuts off, loses answers, disappears."""

from __future__ import annotations

import http.client
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from backups.storage.client import S3Login

SLOW_DOWN = (b'<?xml version="1.0"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message>'
             b"</Error>")
REFUSED = '<?xml version="1.0"?><Error><Code>{}</Code><Message>Refused.</Message></Error>'


@dataclass
class Faults:
    """The faults: each counter is the number of requests still to fail; the expression `match` limits them to some."""

    slow_down: int = 0
    deny: int = 0
    cut: int = 0
    lose: int = 0
    code: str = "AccessDenied"
    away_until: float = 0.0
    match: str = ""
    seen: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, name: str, request: str) -> bool:
        """Tell whether this request is to fail in this way."""
        with self.lock:
            left = getattr(self, name)
            if left > 0 and re.search(self.match, request):
                setattr(self, name, left - 1)
                return True
            return False


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, login: S3Login) -> None:
        super().__init__(("127.0.0.1", 0), _Proxy)
        self.faults, self.target = Faults(), urlsplit(str(login.endpoint))
        self.trusted = ssl.create_default_context(cafile=login.ca_file)

    def handle_error(self, *_: object) -> None:
        pass  # a client that was cut off


class _Proxy(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _do(self) -> None:
        faults, request = self.server.faults, f"{self.command} {self.path}"
        faults.seen.append(request)
        if time.monotonic() < faults.away_until:
            self._hang_up()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        refused = REFUSED.format(faults.code).encode()
        for name, status, text in (("slow_down", 503, SLOW_DOWN), ("deny", 403, refused)):
            if faults.take(name, request):
                self._answer(status, {"Content-Type": "application/xml"}, text)
                return
        status, headers, data = self._ask(body)
        if faults.take("lose", request):
            self._hang_up()
        else:
            self._answer(status, headers, data, cut=len(data) // 2 if faults.take("cut", request) else None)

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What the real server says."""
        target = self.server.target
        onward = http.client.HTTPSConnection(str(target.hostname), target.port, context=self.server.trusted, timeout=60)
        try:
            onward.request(self.command, self.path, body or None, dict(self.headers))
            answer = onward.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            onward.close()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def _answer(self, status: int, headers: dict[str, str], data: bytes, cut: int | None = None) -> None:
        self.send_response(status)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        for key, value in headers.items():
            if key.lower() not in ("transfer-encoding", "content-length", "connection", "date", "server"):
                self.send_header(key, value)
        self.send_header("Content-Length", length or str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data if cut is None else data[:cut])
        if cut is not None:
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _do

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def faulty(login: S3Login) -> Iterator[tuple[S3Login, Faults]]:
    """Yield a login to the proxy, and its faults."""
    with _Server(login) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield replace(login, endpoint=f"http://127.0.0.1:{server.server_port}", ca_file=None), server.faults
        finally:
            server.shutdown()
            thread.join()
