"""Peak memory of the way from a server to S3, by amount of data: rows that it makes up, a bucket that swallows them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.report.figures import Figure
from bench.report.keeping import Run, keep_run
from bench.report.pictures import plt, save
from infra.local import docker_engine
from infra.local.processes import free_port
from infra.settings import OFFICIAL_IMAGE
from tests.support.running.servers import running

SIZES = [int(word) for word in os.environ.get("BENCH_GIB", "1 4 16").split()]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
LIMIT_MIB = 200
TITLE = "Peak memory of a logical backup by amount of data"
FLOW = '''
import json, os, sys, threading
from concurrent.futures import Future, ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from backups.logical.copy_out import Reading, copy_out
from backups.logical.work_queue import Piece, PieceQueue
from backups.logical.resume import Earlier
from backups.storage.client import S3Login
from backups.logical.pipeline import Run
from backups.logical.source.snapshot import snapshot_of
from backups.storage.object_store import Store
from schema.connection import Address

class Swallow(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def _answer(self):
        left = int(self.headers.get("Content-Length") or 0)
        while left:
            left -= len(self.rfile.read(min(left, 1 << 20)))
        body = (b"<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
                if "uploads" in self.path else b"<CompleteMultipartUploadResult/>" if self.command == "POST" else b"")
        self.send_response(200)
        self.send_header("ETag", '"e"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_PUT = do_POST = do_DELETE = _answer
    def log_message(self, *_): pass

size, port = int(sys.argv[1]), int(sys.argv[2])
if os.fork() == 0:
    os.close(1)  # whoever reads this program's output is to see its end
    server = ThreadingHTTPServer(("127.0.0.1", port), Swallow)
    server.serve_forever()
import time; time.sleep(1)

class Made(Piece):
    """Rows that the server makes while it sends them, of 70 bytes each, half of them noise."""
    @property
    def query(self):
        return (f"SELECT g, md5(g::text), now() + g * interval '1 s' FROM "
                f"(SELECT generate_series(1, {self.bytes // 70}) AS g) AS made")

address = Address.from_dict(json.loads(sys.stdin.read()))
store = Store(S3Login(endpoint=f"http://127.0.0.1:{port}", access_key="a", secret_key="b", path_style=True), "b")
with snapshot_of(address) as source, ThreadPoolExecutor(2) as closer, ThreadPoolExecutor(2) as pool:
    # No chunk of a thousand is left out: as many pieces as there are GiB.
    made = [Made(source.tables[0], 1 << 30, number) for number in range(size)]
    class Queue(PieceQueue):
        def take(self):
            return made.pop() if made else None
    ready, earlier = Future(), Future()
    ready.set_result(None)
    earlier.set_result(Earlier())
    run = Run(store, "f", earlier, source, lambda _: None, closer, threading.Semaphore(2), ready)
    reading = Future()
    reading.set_result(Reading(source, Queue(source.tables), run.sink))
    for job in [pool.submit(copy_out, address, reading) for _ in range(2)]: job.result()
assert sum(table.bytes for table in run.tables.values()) > size * 0.9 * (1 << 30)
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024)
'''


def run() -> None:
    """Back up each amount by two readers in a process of its own; keep the peaks and draw them."""
    kind = "official" if docker_engine.has_image(OFFICIAL_IMAGE) else "debian"
    with tempfile.TemporaryDirectory(prefix="lcdb-bench-") as name, running(kind, Path(name)) as server:
        with server.admin.connect() as connection:
            connection.execute("CREATE TABLE public.one (n int)")
        address = json.dumps(server.admin.to_dict())
        peaks = {str(size): [_peak(size, address) for _ in range(ROUNDS)] for size in SIZES}
    runs = keep_run("backup_memory", TITLE, {"peak_mib": peaks}, figures)
    draw({size: figure.median for size, figure in zip(SIZES, figures(runs), strict=True)})


def figures(runs: Sequence[Run]) -> list[Figure]:
    """The peak of each amount of data, whose goal is to stay below the limit."""
    return [Figure(f"peak memory, {size} GiB of rows", [peak for run in runs for peak in run["peak_mib"][size]],
                   unit="MiB", at_most=LIMIT_MIB) for size in runs[0]["peak_mib"]]


def _peak(size: int, address: str) -> int:
    with subprocess.Popen([sys.executable, "-c", FLOW, str(size), str(free_port())], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(address)
        process.stdin.close()
        try:
            peak = int(process.stdout.readline())
        finally:
            os.killpg(process.pid, 9)
    print(f"{size} GiB: {peak} MiB", flush=True)
    return peak


def draw(peaks: Mapping[int, float]) -> None:
    """Draw the peaks by GiB."""
    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    axes.plot(list(peaks), list(peaks.values()), "o-", color="#1f3b57")
    axes.axhline(LIMIT_MIB, color="#a40000", linestyle="--", linewidth=1)
    axes.set(xlabel="GiB of rows, by two readers", ylabel="peak MiB", xscale="log", ylim=(0, LIMIT_MIB * 1.2))
    axes.set_xticks(list(peaks), labels=[str(size) for size in peaks])
    axes.minorticks_off()
    axes.set_title("Peak memory of a backup", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    save("backup_memory", figure)
