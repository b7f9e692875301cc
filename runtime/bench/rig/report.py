"""Tables from the lines that run.py wrote."""
import collections
import json
import statistics


def load(paths):
    rows = []
    for p in paths:
        with open(p) as f:
            rows += [json.loads(line) for line in f if line.strip()]
    return rows


def num(v):
    return f"{v:.0f}" if v >= 100 else f"{v:.1f}" if v >= 10 else f"{v:.2f}"


def report(rows, as_json):
    med = statistics.median
    raws = collections.defaultdict(list)
    for r in rows:
        if r["kind"] == "raw":
            raws[r["pin"], r["model"], r["batch"], r["name"], r["conf"]].append(r["samples_s"])
    cells = collections.defaultdict(list)
    for r in rows:
        if r["kind"] == "server":
            cells[r["pin"], r["model"], r["name"], r["conc"]].append(r)
    out = {"raw": [], "server": [], "memory": []}
    for (pin, model, batch, name, conf), v in sorted(raws.items()):
        out["raw"].append(dict(pin=pin, model=model, batch=batch, name=name, conf=conf, samples_s=round(med(v), 1),
                               low=round(min(v), 1), high=round(max(v), 1), runs=len(v)))
    best = {}       # physical limit with both cores: the best setting of either language
    for r in out["raw"]:
        k = (r["pin"], r["model"], r["batch"])
        best[k] = max(best.get(k, 0), r["samples_s"])
    for (pin, model, name, conc), v in cells.items():
        r = dict(pin=pin, model=model, name=name, conc=conc, rps=round(med([x["rps"] for x in v]), 2),
                 low=round(min(x["rps"] for x in v), 2), high=round(max(x["rps"] for x in v), 2), runs=len(v),
                 errors=sum(x["errors"] for x in v), body=v[0]["body"],
                 other=max((x["other"] or 0) for x in v), load_cpu=round(med([x["load_cpu"] for x in v]), 2))
        for k in ("p50", "p95", "p99", "cpu_ms"):
            vals = [x[k] for x in v if x.get(k) is not None]
            r[k] = round(med(vals), 4) if vals else None
        base = cells.get((pin, model, "fastapi", conc))
        of_base = med([x["rps"] for x in base]) if base else 0      # 0 also where a short cell saw no answer
        r["vs_fastapi"] = round(r["rps"] / of_base, 2) if of_base else None
        top = max((best.get((pin, model, b), 0) for b in (1, 8, 32)), default=0)
        r["of_raw_b1"] = round(r["rps"] / best[pin, model, 1], 5) if (pin, model, 1) in best else None
        r["of_raw_best"] = round(r["rps"] / top, 5) if top else None
        out["server"].append(r)
    mem = collections.defaultdict(list)
    for r in rows:
        if r["kind"] == "memory":
            mem[r["pin"], r["name"], r["model"]].append(r["mb"])
    out["memory"] = [dict(pin=p, name=n, model=m, mb=round(med(v))) for (p, n, m), v in mem.items()]
    if as_json:
        print(json.dumps(out, indent=1))
        return
    order = list(dict.fromkeys(r["name"] for r in out["server"]))
    for pin in (False, True):
        rs = [r for r in out["raw"] if r["pin"] == pin]
        if rs:
            print(f"\n### raw session.run, samples/s ({'one core' if pin else 'both cores'}; median, low-high of the runs)\n")
            heads = sorted({(r["name"], r["conf"]) for r in rs})
            print("| model | batch | " + " | ".join(f"{n} {c}" for n, c in heads) + " |")
            print("|---|---|" + "---|" * len(heads))
            for model in dict.fromkeys(r["model"] for r in rows if r["kind"] == "raw"):
                for b in (1, 8, 32):
                    row = []
                    for h in heads:
                        m = [r for r in rs if (r["model"], r["batch"], r["name"], r["conf"]) == (model, b, *h)]
                        row.append(f"{num(m[0]['samples_s'])} ({num(m[0]['low'])}-{num(m[0]['high'])})" if m else "-")
                    print(f"| {model} | {b} | " + " | ".join(row) + " |")
        ss = [r for r in out["server"] if r["pin"] == pin]
        for model in dict.fromkeys(r["model"] for r in ss):
            ms = [r for r in ss if r["model"] == model]
            print(f"\n### {model}, {'server on one core, load on the other' if pin else 'unpinned'} "
                  f"(bodies: {', '.join(map(str, sorted({r['body'] for r in ms}, reverse=True)))} bytes)\n")
            print("| server | c | req/s (low-high) | p50 ms | p95 | p99 | errors | server cpu ms/req | wrk cpu | "
                  "x fastapi | of raw b1 | of raw best | other load |")
            print("|---|---|---|---|---|---|---|---|---|---|---|---|---|")
            for r in sorted(ms, key=lambda r: (r["conc"], order.index(r["name"]))):
                pct = lambda v: "-" if v is None else f"{100 * v:.0f} %" if v >= 0.1 else f"{100 * v:.2g} %"
                print(f"| {r['name']} | {r['conc']} | {num(r['rps'])} ({num(r['low'])}-{num(r['high'])}) | {num(r['p50'])} | "
                      f"{num(r['p95'])} | {num(r['p99'])} | {r['errors']} | {'-' if r['cpu_ms'] is None else num(r['cpu_ms'])} | "
                      f"{r['load_cpu']:.2f} | {r['vs_fastapi'] if r['vs_fastapi'] is not None else '-'} | "
                      f"{pct(r['of_raw_b1'])} | {pct(r['of_raw_best'])} | {100 * r['other']:.0f} % |")
    if out["memory"]:
        print("\n### memory after the run (PSS of all processes of a server with one model, MB)\n")
        ms = list(dict.fromkeys(m["model"] for m in out["memory"]))
        print("| server | " + " | ".join(ms) + " |\n|---|" + "---|" * len(ms))
        for key in dict.fromkeys((m["pin"], m["name"]) for m in out["memory"]):
            by = {m["model"]: m["mb"] for m in out["memory"] if (m["pin"], m["name"]) == key}
            print(f"| {key[1]}{' (one core)' if key[0] else ''} | " + " | ".join(str(by.get(m, "-")) for m in ms) + " |")
