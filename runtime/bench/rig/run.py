#!/usr/bin/env python3
"""Side-by-side benchmark of inference servers on this machine (loopback only, every loop bounded).

  run.py --work DIR [--peers a,b] [--target name=http://127.0.0.1:PORT ...] [--models mlp,cnn,wide]
         [--concurrency 1,16,64] [--seconds 10] [--rounds 2] [--pin] [--raw] [--out results.jsonl]
  run.py --report results.jsonl [more.jsonl]      prints the tables again, starts nothing

DIR holds what setup.sh made: venv-*/ and node/ and models/. `slipway` is the bundle in dist/server; `+bin` sends binary tensors.
"""
import argparse
import json
import os
import sys
import time

from measuring import measure, raw
from ours import measure_ours
from report import load, report
from targets import print_verdicts, write_json
from servers import Server, Target

PEERS = ["slipway", "slipway+bin", "fastapi", "fastapi-tuned", "mlserver", "bentoml", "litserve", "pytriton", "pytriton+bin"]


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--work")
    ap.add_argument("--peers", default=",".join(PEERS))
    ap.add_argument("--target", action="append", default=[])
    ap.add_argument("--models", default="mlp,cnn,wide")
    ap.add_argument("--concurrency", default="1,16,64")
    ap.add_argument("--seconds", type=int, default=10)
    ap.add_argument("--rounds", type=int, default=2)
    ap.add_argument("--wait", type=int, default=20, help="before a cell wait at most so long for other programs to be quiet")
    ap.add_argument("--tries", type=int, default=3, help="a cell that other programs disturbed is run at most so often, the quietest is kept")
    ap.add_argument("--pin", action="store_true", help="server on cpu 1 (and told so), load generator on cpu 0")
    ap.add_argument("--raw", action="store_true", help="measure the raw loops in each round as well")
    ap.add_argument("--out", default="results.jsonl")
    ap.add_argument("--ours", action="store_true", help="also what only ours is asked: start, memory, gRPC, fixed rates, probes")
    ap.add_argument("--summary", help="write the figures for docs/numbers.md here")
    ap.add_argument("--report", nargs="+")
    ap.add_argument("--json", action="store_true")
    a = ap.parse_args()
    if a.report:
        report(load(a.report), a.json)
        return print_verdicts(load(a.report))
    if not a.work:
        ap.error("--work is needed")
    if not 1 <= a.seconds <= 60 or not 0 <= a.rounds <= 10:
        ap.error("1..60 seconds, at most 10 rounds")
    a.work = os.path.abspath(a.work)
    models = a.models.split(",")
    a.concs = [int(c) for c in a.concurrency.split(",")]
    if max(a.concs) > 512:
        ap.error("at most 512 connections")
    names = [p for p in a.peers.split(",") if p] + a.target
    out = open(a.out, "a")

    def emit(row):
        row = dict(t=round(time.time()), **row)
        out.write(json.dumps(row) + "\n")
        out.flush()
        print(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()}), file=sys.stderr)

    for i in range(a.rounds):
        if a.raw:
            raw(a.work, models, 2, 1 if a.pin else 2, "1" if a.pin else None, a, emit)
        k = i % len(names) if names else 0
        for model in models:
            for name in names[k:] + names[:k]:      # another order in each round
                server = None
                try:
                    if "=" in name:
                        server = Target(*name.split("=", 1))
                    else:
                        server = Server(name, model, a.work, 1 if a.pin else 2, "1" if a.pin else None)
                    measure(server, a.work, model, a, emit)
                except RuntimeError as e:
                    emit(dict(kind="failed", name=name, model=model, pin=a.pin, why=str(e)[:400]))
                finally:
                    if server:
                        server.stop()
    if a.ours:
        measure_ours(a.work, models, a.seconds, emit)
    out.close()
    rows = load([a.out])
    if a.summary:
        write_json(rows, a.summary)      # first: what an hour has measured must not be lost to a fault of the tables
    report(rows, a.json)
    if not a.json:
        print_verdicts(rows)


if __name__ == "__main__":
    main()
