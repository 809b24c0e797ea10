"""Peak memory of the way from rows to S3, by the amount of data: rows made here, a server that swallows parts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.results import FOLDER

SIZES = [int(word) for word in os.environ.get("BENCH_GIB", "1 4 16").split()]
LIMIT_MIB = 200
FLOW = '''
import os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from backups.dump import _Pipeline
from backups.s3 import S3Login
from backups.store import Store

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

if os.fork() == 0:
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Swallow)
    server.serve_forever()
import time; time.sleep(1)

class Run:
    store = Store(S3Login(endpoint=f"http://127.0.0.1:{sys.argv[2]}", access_key="a", secret_key="b",
                          path_style=True), "b")
    folder, data_key, stopped, ready = "f", b"k" * 32, threading.Event(), None

def flow(number):
    # Hexadecimal noise, longer than zstd's window: it is halved, and so is sent.
    noise = [os.urandom(1 << 19).hex().encode() for _ in range(8)]
    pipeline = _Pipeline(Run, str(number))
    for at in range(int(sys.argv[1]) * 512):
        pipeline.write(noise[at % 8])
    pipeline.finish()

threads = [threading.Thread(target=flow, args=(number,)) for number in range(2)]
for each in threads: each.start()
for each in threads: each.join()
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) // 1024)
'''


def run() -> None:
    """Stream each amount through two workers in a process of its own; keep the peaks and draw them."""
    from infra.processes import free_port

    peaks = {}
    for size in SIZES:
        port = free_port()
        with subprocess.Popen([sys.executable, "-c", FLOW, str(size), str(port)], stdout=subprocess.PIPE, text=True,
                              start_new_session=True) as process:
            assert process.stdout
            peaks[size] = int(process.stdout.readline())
            os.killpg(process.pid, 9)
        print(f"{size} GiB: {peaks[size]} MiB")
    (FOLDER / "backup_memory.json").write_text(json.dumps(
        {"benchmark": "peak memory of a backup by amount of data", "limit_mib": LIMIT_MIB, "peak_mib": peaks},
        indent=2) + "\n")
    _draw(FOLDER / "backup_memory.png", peaks)


def _draw(path: Path, peaks: dict[int, int]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
    axes.plot(list(peaks), list(peaks.values()), "o-", color="#1f3b57")
    axes.axhline(LIMIT_MIB, color="#a40000", linestyle="--", linewidth=1)
    axes.set(xlabel="GiB of rows, through two workers", ylabel="peak MiB", xscale="log", ylim=(0, LIMIT_MIB * 1.2))
    axes.set_title("Peak memory of a backup", loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)
    plt.close(figure)
