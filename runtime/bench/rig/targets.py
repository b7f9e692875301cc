"""The bars we hold ourselves to, as ratios to what the same run measured, and whether each is met."""
import collections
import json
import statistics

PEERS = ["fastapi", "fastapi-tuned", "mlserver", "bentoml", "litserve", "pytriton", "pytriton+bin"]
# like is compared with like: what a request's numbers are written as is most of what some of these servers do
FORMS = {"JSON": ("slipway", [p for p in PEERS if not p.endswith("+bin")]),
         "binary": ("slipway+bin", [p for p in PEERS if p.endswith("+bin")])}


class Cells:
    """medians over the rounds"""

    def __init__(self, rows):
        self.rows, self.raws = collections.defaultdict(list), collections.defaultdict(list)
        self.single = {}
        for r in rows:
            if r["kind"] == "server":
                self.rows[r["pin"], r["model"], r["name"], r["conc"]].append(r)
            elif r["kind"] == "raw":
                self.raws[r["pin"], r["model"], r["batch"], r["conf"]].append(r["samples_s"])
            elif r["kind"] == "ours":
                self.single[r["what"]] = r["value"]

    def of(self, what, name, model, conc, pin=False):
        values = [r[what] for r in self.rows.get((pin, model, name, conc), []) if r.get(what) is not None]
        return statistics.median(values) if values else None

    def raw(self, model, batch=None, conf=None):
        medians = [statistics.median(v) for (pin, m, b, c), v in self.raws.items()
                   if not pin and m == model and batch in (None, b) and conf in (None, c)]
        return max(medians, default=None)

    def best_peer(self, what, model, conc, best=max, peers=PEERS):
        values = [v for v in (self.of(what, p, model, conc) for p in peers) if v is not None]
        return best(values) if values else None


def over(a, b):
    return None if a is None or not b else a / b


def bars(c):
    """-> (what, measured, bar, whether more is better)"""
    ours, fast = "slipway", "fastapi-tuned"
    rps = lambda name, model, conc, pin=False: c.of("rps", name, model, conc, pin)
    raw_ms = over(1000, c.raw("cnn", 1, "1x2"))
    yield "mlp, 64 connections: requests/s over fastapi-tuned", over(rps(ours, "mlp", 64), rps(fast, "mlp", 64)), 5, True
    yield "mlp, 64 connections: requests/s over Triton (PyTriton)", over(rps(ours, "mlp", 64), rps("pytriton", "mlp", 64)), 9, True
    yield "mlp, 64 connections: p99 over fastapi-tuned's", over(c.of("p99", ours, "mlp", 64), c.of("p99", fast, "mlp", 64)), 0.25, False
    yield "mlp, one core, 64 connections: requests/s over fastapi-tuned", over(rps(ours, "mlp", 64, True), rps(fast, "mlp", 64, True)), 4, True
    yield "mlp, 1 connection: requests/s over fastapi-tuned", over(rps(ours, "mlp", 1), rps(fast, "mlp", 1)), 1.1, True
    yield "mlp, 64 connections: CPU of a request, ms", c.of("cpu_ms", ours, "mlp", 64), 0.035, False
    for form, (name, peers) in FORMS.items():
        rate = rps(name, "cnn", 64)
        yield f"cnn, {form}, 64 connections: requests/s over raw onnxruntime at its best batch", over(rate, c.raw("cnn")), 0.95, True
        best = c.best_peer("rps", "cnn", 64, max, peers)
        yield f"cnn, {form}, 64 connections: requests/s over the best peer that is asked in {form}", over(rate, best), 1.03, True
    of_all = over(rps(ours, "cnn", 64), c.best_peer("rps", "cnn", 64))
    yield "cnn, JSON, 64 connections: requests/s over the best peer in whatever form", of_all, 1.03, True
    yield "cnn, 1 connection: p50 over raw onnxruntime's with 2 threads", over(c.of("p50", ours, "cnn", 1), raw_ms), 1.15, False
    yield "cnn, 1 connection: p50 over the best peer's", over(c.of("p50", ours, "cnn", 1), c.best_peer("p50", "cnn", 1, min)), 0.5, False
    yield "cnn, 16 connections: p99 of /readyz meanwhile, ms", c.single.get("readyz p99 ms"), 10, False
    yield "wide, JSON, 16 connections: requests/s over fastapi-tuned", over(rps(ours, "wide", 16), rps(fast, "wide", 16)), 1.2, True
    yield "wide, JSON, 64 connections: requests/s over fastapi-tuned", over(rps(ours, "wide", 64), rps(fast, "wide", 64)), 1.2, True
    yield "wide, binary, 64 connections: requests/s over Triton's binary", over(rps("slipway+bin", "wide", 64), rps("pytriton+bin", "wide", 64)), 1.3, True
    yield "wide, JSON, 64 connections: p99 over p50", over(c.of("p99", ours, "wide", 64), c.of("p50", ours, "wide", 64)), 3, False
    for model in ("mlp", "cnn", "wide"):
        grpc, rest = c.single.get(f"grpc {model} rps"), c.single.get(f"rest binary {model} rps")
        yield f"{model}, gRPC: requests/s over our REST binary, same load generator class", over(grpc, rest), 0.7, True
    yield "cold start to ready with mlp, ms", c.single.get("cold start ms"), 1000, False
    yield "resident memory above the model (mlp, after load), MB", c.single.get("rss mb"), 150, False


def verdicts(rows):
    for what, value, bar, more in bars(Cells(rows)):
        met = None if value is None else (value >= bar if more else value <= bar)
        yield dict(what=what, value=value, bar=bar, more=more, met=met)


def print_verdicts(rows):
    print("\n### the bars\n\n| what | measured | bar | |\n|---|---|---|---|")
    for v in verdicts(rows):
        shown = "-" if v["value"] is None else f"{v['value']:.3g}"
        mark = {None: "not measured", True: "met", False: "MISSED"}[v["met"]]
        print(f"| {v['what']} | {shown} | {'≥' if v['more'] else '≤'} {v['bar']} | {mark} |")


def write_json(rows, path):
    c = Cells(rows)
    measured = [dict(what="model server, " + v["what"], value=float(f"{v['value']:.3g}"), unit="") for v in verdicts(rows)
                if v["value"] is not None]
    for model in ("mlp", "cnn", "wide"):
        for name in ("slipway", "slipway+bin"):
            value = c.of("rps", name, model, 64)
            if value is not None:
                form = "binary" if name.endswith("+bin") else "JSON"
                measured.append(dict(what=f"model server, {model} {form}, 64 connections", value=round(value), unit="requests/s"))
    for what, value in c.single.items():
        if what.startswith("open loop"):
            measured.append(dict(what="model server, " + what, value=float(f"{value:.3g}"), unit="ms"))
    with open(path, "w") as f:
        json.dump(dict(name="runtime", measurements=measured), f, indent=2)
