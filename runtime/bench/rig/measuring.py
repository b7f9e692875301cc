"""One cell: right answers before and after, wrk between, the quietest of a few tries."""
import json
import os
import re
import resource
import subprocess
import time

from bodies import body, check, check_mixed, tensors
from machine import cpu_of, machine_busy, mem_of
from servers import HERE, PEERS_DIR

MIXED = {"mlp": 64, "cnn": 32, "wide": 16}      # different inputs sent at once to check the answers
QUIET = 0.10      # a cell in which other programs used more than this share of the machine is run again


def wrk(url, path, ctype, hlen, conc, seconds, cpus):
    env = dict(os.environ, BENCH_BODY=path, BENCH_TYPE=ctype)
    if hlen:
        env["BENCH_HDRLEN"] = str(hlen)
    cmd = (["taskset", "-c", cpus] if cpus else []) + [
        "wrk", "-t1", f"-c{conc}", f"-d{seconds}s", "--timeout", "60s", "-s", os.path.join(HERE, "post.lua"), url]
    p = subprocess.run(cmd, env=env, capture_output=True, text=True, timeout=seconds + 90)
    m = re.search(r"^RESULT (.*)$", p.stdout, re.M)
    if not m:
        raise RuntimeError(f"wrk said: {p.stdout[-500:]} {p.stderr[-500:]}")
    return json.loads(m.group(1))


def child_cpu():
    r = resource.getrusage(resource.RUSAGE_CHILDREN)
    return r.ru_utime + r.ru_stime


def wait_quiet(pid, limit):
    """wait (bounded) until other programs use little of the machine"""
    end = time.time() + limit
    while True:
        b0, c0 = machine_busy()[0], cpu_of(pid) if pid else 0
        time.sleep(1)
        used = machine_busy()[0] - b0 - ((cpu_of(pid) - c0) if pid else 0)
        if used / os.cpu_count() <= QUIET or time.time() >= end:
            return


def quietest(run, pid, a):
    """run() up to a.tries times; keep the attempt in which other programs used the least cpu"""
    best = None
    for _ in range(a.tries):
        wait_quiet(pid, a.wait)
        b0, s0, w0, c0, t0 = *machine_busy(), child_cpu(), cpu_of(pid) if pid else 0, time.time()
        row = run()
        dt = time.time() - t0
        b1, s1 = machine_busy()
        load, srv = child_cpu() - w0, (cpu_of(pid) - c0) if pid else None
        row.update(load_cpu=round(load / dt, 3), server_cpu=round(srv / dt, 3) if pid else None,
                   steal=round((s1 - s0) / dt, 3),
                   other=round(max(0.0, (b1 - b0) - load - (srv or 0)) / dt / os.cpu_count(), 3) if pid else None)
        if best is None or (row["other"] or 0) < best["other"]:
            best = row
        if (row["other"] or 0) <= QUIET:
            break
    return best


def measure(server, work, model, a, emit):
    kind = "bento" if server.name == "bentoml" else "bin" if server.name.endswith("+bin") else "json"
    cpus = "0" if a.pin else None
    pairs = tensors(work, model, MIXED[model])
    x, want = pairs[0]
    data, ctype, hlen = body(kind, x)
    url = server.url + ("/infer" if kind == "bento" else f"/v2/models/{model}/infer")
    end = time.time() + 90
    while True:
        try:
            check(url, data, ctype, hlen, want, kind)
            break
        except OSError as e:      # URLError and HTTPError are OSErrors too: not ready yet
            if time.time() > end:
                raise RuntimeError(f"{server.name} did not answer in 90 s: {e}")
            time.sleep(0.5)
    check_mixed(url, pairs, kind)
    path = os.path.join(work, f"body-{kind}-{model}")
    with open(path, "wb") as f:
        f.write(data)
    wrk(url, path, ctype, hlen, 16, 3, cpus)
    for c in a.concs:
        def one():
            r = wrk(url, path, ctype, hlen, c, a.seconds, cpus)
            return {"rps": r["requests"] / (r["us"] / 1e6), "n": r["requests"], "errors": r["errors"],
                    **{k: round(r[k] / 1000, 3) for k in ("p50", "p95", "p99", "max")}}
        row = quietest(one, server.pid, a)
        if row["server_cpu"] is not None and row["rps"]:
            row["cpu_ms"] = round(1000 * row["server_cpu"] / row["rps"], 4)
        emit(dict(kind="server", name=server.name, model=model, conc=c, pin=a.pin, body=len(data), **row))
    check_mixed(url, pairs, kind)
    if server.pid:
        emit(dict(kind="memory", name=server.name, model=model, pin=a.pin, mb=mem_of(server.pid)))


def raw(work, models, seconds, cores, cpus, a, emit):
    env = dict(os.environ, MODELS=os.path.join(work, "models"), PYTHONPATH=PEERS_DIR,
               NODE_DEPS=os.path.join(work, "node"))
    node = os.path.join(work, "node", "node_modules", ".bin", "node")
    cmds = {"raw-py": [os.path.join(work, "venv-fastapi", "bin", "python"), os.path.join(PEERS_DIR, "raw_loop.py")],
            "raw-node": [node if os.path.exists(node) else "node", os.path.join(PEERS_DIR, "raw_loop.mjs")]}
    for model in models:
        for batch in (1, 8, 32):
            for procs, intra in ([(1, 2), (2, 1)] if cores > 1 else [(1, 1)]):
                for name, cmd in cmds.items():
                    def one():
                        b0, c0, t0 = machine_busy()[0], child_cpu(), time.time()
                        out = subprocess.run((["taskset", "-c", cpus] if cpus else []) + cmd + [
                            model, str(batch), str(procs), str(intra), str(seconds)],
                            env=env, capture_output=True, text=True, timeout=seconds + 90)
                        if out.returncode:
                            raise RuntimeError(out.stderr[-800:])
                        dt = time.time() - t0
                        other = max(0.0, machine_busy()[0] - b0 - (child_cpu() - c0)) / dt / os.cpu_count()
                        return dict(json.loads(out.stdout), other=round(other, 3))
                    rows = []
                    for _ in range(a.tries):
                        wait_quiet(None, a.wait)
                        rows.append(one())
                        if rows[-1]["other"] <= QUIET:
                            break
                    emit(dict(kind="raw", name=name, model=model, batch=batch, conf=f"{procs}x{intra}",
                              pin=bool(cpus), **min(rows, key=lambda r: r["other"])))
