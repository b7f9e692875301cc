#!/usr/bin/env python3
"""How much of bare onnxruntime's speed the server keeps: `cnn` at 64 connections beside the raw loops, in short cells by turns.

  beside_raw.py --work DIR [--rounds 5] [--seconds 5] [--settings JSON ...] [--json FILE]

A machine's speed wanders by a tenth within a minute, so each round has all of them once, in turns that shift, and gives one ratio
for each form. The raw side of all rounds is the loop (batch and threads) whose median over the rounds is best. Rates are counted
between two ends of runs, ours (steady.lua) as the raw loops'. Each --settings is a server of its own, in the same rounds.
"""
import argparse
import json
import os
import re
import statistics
import subprocess

from bodies import body, check, check_mixed, tensors
from machine import cpu_of
from ours import ready
from servers import HERE, PEERS_DIR, Server

LOOPS = [(32, 1, 2), (32, 2, 1)]      # rows, processes, threads of each; the others are slower (run.py --raw)
FORMS = {"JSON": "json", "binary": "bin"}


def raw(work, seconds, batch, procs, intra):
    env = dict(os.environ, MODELS=os.path.join(work, "models"), PYTHONPATH=PEERS_DIR)
    out = subprocess.run([os.path.join(work, "venv-fastapi", "bin", "python"), os.path.join(PEERS_DIR, "raw_loop.py"),
                          "cnn", str(batch), str(procs), str(intra), str(seconds)],
                         env=env, capture_output=True, text=True, timeout=seconds + 90, check=True).stdout
    return json.loads(out)["samples_s"]


def ours(server, asked, seconds):
    """-> requests/s, CPU ms of a request"""
    path, ctype, hlen = asked
    env = dict(os.environ, BENCH_RIG=HERE, BENCH_BODY=path, BENCH_TYPE=ctype, **({"BENCH_HDRLEN": str(hlen)} if hlen else {}))
    before = cpu_of(server.pid)
    p = subprocess.run(["wrk", "-t1", "-c64", f"-d{seconds + 1}s", "--timeout", "60s", "-s", os.path.join(HERE, "steady.lua"),
                        f"{server.url}/v2/models/cnn/infer"], env=env, capture_output=True, text=True, timeout=seconds + 90)
    m = re.search(r"^RESULT (.*)$", p.stdout, re.M)
    if not m:
        raise RuntimeError(f"wrk said: {p.stdout[-500:]} {p.stderr[-500:]}")
    r = json.loads(m.group(1))
    if r["errors"] or not r["answers"]:
        raise RuntimeError(f"{r['errors']} errors, {r['answers']} answers counted")
    return r["answers"] / r["seconds"], 1000 * (cpu_of(server.pid) - before) / r["requests"]


def asked(work, server, form, pairs):
    kind = FORMS[form]
    url = f"{server.url}/v2/models/cnn/infer"
    data, ctype, hlen = body(kind, pairs[0][0])
    check(url, data, ctype, hlen, pairs[0][1], kind)
    check_mixed(url, pairs, kind)
    path = os.path.join(work, f"body-{kind}-cnn")
    with open(path, "wb") as f:
        f.write(data)
    return path, ctype, hlen


def shown(label, ratios):
    q = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
    return f"{label}: median {statistics.median(ratios):.3f} of raw ({min(ratios):.3f} to {max(ratios):.3f}, middle half {q[0]:.3f} to {q[2]:.3f})"


def start(work, settings):
    os.environ["SLIPWAY_SETTINGS"] = settings
    server = Server("slipway", "cnn", work, 2, None)
    ready(server)
    return server


def interleaved(servers, bodies, work, rounds, seconds):
    """-> rates and CPU of a request, by cell; a cell is a raw loop, or a server's settings and a form"""
    asking = [(settings, form) for settings in servers for form in FORMS]
    cells = [LOOPS[0], *asking[::2], LOOPS[1], *asking[1::2]]
    rates, cpu = {cell: [] for cell in cells}, {cell: [] for cell in asking}
    for i in range(rounds):
        k = i % len(cells)
        for cell in cells[k:] + cells[:k]:
            if cell in LOOPS:
                rate = raw(work, seconds, *cell)
            else:
                rate, ms = ours(servers[cell[0]], bodies[cell[1]], seconds)
                cpu[cell].append(ms)
            rates[cell].append(rate)
        print(f"round {i + 1}: " + ", ".join(f"{cell} {rates[cell][-1]:.1f}" for cell in cells), flush=True)
    return rates, cpu


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work", required=True)
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--seconds", type=int, default=5)
    ap.add_argument("--settings", action="append")
    ap.add_argument("--json")
    a = ap.parse_args()
    a.work = os.path.abspath(a.work)
    servers = {}
    try:
        for settings in a.settings or ["{}"]:
            servers[settings] = start(a.work, settings)
        pairs = tensors(a.work, "cnn", 32)
        for server in servers.values():
            bodies = {form: asked(a.work, server, form, pairs) for form in FORMS}
            ours(server, bodies["binary"], 2)
        rates, cpu = interleaved(servers, bodies, a.work, a.rounds, a.seconds)
    finally:
        for server in servers.values():
            server.stop()
    best = max(LOOPS, key=lambda loop: statistics.median(rates[loop]))
    print(f"raw: {best[0]} rows, {best[1]} process(es) of {best[2]} thread(s), median {statistics.median(rates[best]):.1f} rows/s")
    ratios = {cell: [x / y for x, y in zip(rates[cell], rates[best])] for cell in cpu}
    for cell, found in ratios.items():
        print(shown(" ".join(cell), found) + f"; CPU of a request {statistics.median(cpu[cell]):.2f} ms")
    if a.json:
        write_json(a.json, ratios)


def write_json(path, ratios):
    """for docs/numbers.md"""
    rows = []
    for (settings, form), found in ratios.items():
        where = "" if settings == "{}" else f" with {settings}"
        what = f"model server{where}, cnn, {form}, 64 connections, beside the raw loops by turns: requests/s over raw onnxruntime at its best batch"
        rows += [dict(what=what + more, value=float(f"{value:.3g}"), unit="") for more, value in
                 ((", median of the rounds", statistics.median(found)), (", least", min(found)), (", most", max(found)))]
    with open(path, "w") as f:
        json.dump(dict(name="runtime-raw", measurements=rows), f, indent=2)


if __name__ == "__main__":
    main()
