"""Starts and stops the peers, each with one model; ours is one of them."""
import glob
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

from machine import free_port, members, proc_table

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS_DIR = os.path.join(HERE, "peers")
SERVER = os.path.join(HERE, "..", "..", "..", "dist", "server", "server.mjs")


class Server:
    def __init__(self, name, model, work, cores, cpus):
        self.name, self.base, self.port = name, name.split("+")[0], free_port()
        self.tmp = tempfile.mkdtemp(prefix="bench-peer-")
        venv = {"fastapi-tuned": "fastapi", "bentoml": "bento", "litserve": "lit", "pytriton": "triton"}
        bin_ = os.path.join(work, "venv-" + venv.get(self.base, self.base), "bin")
        env = dict(os.environ, MODELS=os.path.join(work, "models"), MODEL=model, CORES=str(cores), PORT=str(self.port),
                   PYTHONPATH=PEERS_DIR, PATH=bin_ + ":" + os.environ["PATH"], BENTOML_DO_NOT_TRACK="True",
                   DO_NOT_TRACK="1", PYTHONUNBUFFERED="1")
        if self.base == "slipway":
            shutil.copy(os.path.join(work, "models", model + ".onnx"), self.tmp)
            env.update(SLIPWAY_REST_PORT=str(self.port), SLIPWAY_GRPC_PORT=str(self.port + 1),
                       SLIPWAY_ADMIN_PORT=str(self.port + 2), SLIPWAY_SETTINGS=os.environ.get("SLIPWAY_SETTINGS", "{}"))
        uv = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", str(cores), "--loop", "uvloop",
              "--http", "httptools", "--no-access-log", "--log-level", "warning"]
        py = os.path.join(bin_, "python")
        cmd = {
            "slipway": [os.environ.get("NODE", "node"), SERVER, self.tmp],
            "fastapi": [os.path.join(bin_, "uvicorn"), "fastapi_app:app", *uv],
            "fastapi-tuned": [os.path.join(bin_, "uvicorn"), "fastapi_tuned_app:app", *uv],
            "mlserver": [py, os.path.join(PEERS_DIR, "mlserver_runtime.py"), os.path.join(self.tmp, "m")],
            "bentoml": [os.path.join(bin_, "bentoml"), "serve", "bento_service:Bench", "--host", "127.0.0.1",
                        "--port", str(self.port), "--working-dir", PEERS_DIR],
            "litserve": [py, os.path.join(PEERS_DIR, "litserve_app.py")],
            "pytriton": [py, os.path.join(PEERS_DIR, "pytriton_app.py")],
        }[self.base]
        self.log = open(os.path.join(work, f"log-{self.base}.txt"), "ab")
        self.p = subprocess.Popen((["taskset", "-c", cpus] if cpus else []) + cmd, env=env, cwd=self.tmp,
                                  stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, start_new_session=True)
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def pid(self):
        return self.p.pid

    def stop(self):
        mine = members(self.pid) - {os.getpid()}
        for sig, wait in ((signal.SIGTERM, 8), (signal.SIGKILL, 5)):
            for pid in mine if sig == signal.SIGKILL else [self.pid]:
                try:
                    os.kill(pid, sig)
                except ProcessLookupError:
                    pass
            end = time.time() + wait
            while time.time() < end and any(os.path.exists(f"/proc/{q}") for q in mine):
                self.p.poll()
                time.sleep(0.1)
        self.log.close()
        shutil.rmtree(self.tmp, ignore_errors=True)


class Target:
    """a server that someone else started"""

    def __init__(self, name, url):
        u = urllib.parse.urlsplit(url)
        if u.scheme != "http" or u.hostname not in ("127.0.0.1", "localhost", "::1"):
            raise SystemExit(f"not a loopback address: {url}")
        self.name, self.url, self.pid = name, url.rstrip("/"), listener(u.port or 80)

    def stop(self):
        pass


def listener(port):
    """pid of the process that listens on a loopback port, so that its cpu time can be told; None if not found"""
    inodes = set()
    for f in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(f) as h:
            for line in h.readlines()[1:]:
                w = line.split()
                if w[3] == "0A" and int(w[1].rsplit(":", 1)[1], 16) == port:
                    inodes.add(w[9])
    owners = set()
    for fd in glob.glob("/proc/[0-9]*/fd/*"):
        try:
            m = re.match(r"socket:\[(\d+)\]", os.readlink(fd))
        except OSError:
            continue
        if m and m.group(1) in inodes:
            owners.add(int(fd.split("/")[2]))
    table = proc_table()
    top = [p for p in owners if table.get(p, (0,))[0] not in owners]
    return min(top) if top else None
