"""What only our server is asked: cold start, memory, probes under load, gRPC beside REST, latency at a fixed rate."""
import json
import os
import re
import statistics
import subprocess
import threading
import time
import urllib.request

from bodies import body, check, tensors
from measuring import wrk
from servers import Server

def ready(server, limit=30):
    """-> seconds until /readyz answers 200"""
    begin = time.time()
    while time.time() - begin < limit:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port + 2}/readyz", timeout=1) as r:
                if r.status == 200:
                    return time.time() - begin
        except OSError:
            time.sleep(0.005)
    raise RuntimeError(f"{server.name} was not ready in {limit} s")


def rss_mb(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024


def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def grpc_message(model, x):
    """a ModelInferRequest with its 5-byte gRPC frame: model_name 1, inputs 5 {name 1, datatype 2, shape 3}, raw_input_contents 7"""
    shape = b"".join(varint(n) for n in x.shape)
    tensor = field(1, b"x") + field(2, b"FP32") + field(3, shape)
    message = field(1, model.encode()) + field(5, tensor) + field(7, x.tobytes())
    return b"\0" + len(message).to_bytes(4, "big") + message


def files(work, model):
    """-> file of the REST binary body, its header length, file of the framed gRPC message"""
    x, _ = tensors(work, model)[0]
    data, _, hlen = body("bin", x)
    path = os.path.join(work, f"ours-{model}")
    with open(path + ".bin", "wb") as f:
        f.write(data)
    with open(path + ".grpc", "wb") as f:
        f.write(grpc_message(model, x))
    return path + ".bin", hlen, path + ".grpc"


def h2load(url, path, seconds, cpus, *options):
    """-> requests/s; every answer counted, a failed one is an error. The same generator for both protocols."""
    cmd = (["taskset", "-c", cpus] if cpus else []) + ["h2load", "-t1", f"-D{seconds}", "--warm-up-time=1", "-d", path, *options, url]
    out = subprocess.run(cmd, capture_output=True, text=True, timeout=seconds + 60).stdout
    found = re.search(r"finished in .*?, ([\d.]+) req/s", out)
    bad = re.search(r"(\d+) failed, (\d+) errored, (\d+) timeout", out)
    if not found or not bad or any(int(n) for n in bad.groups()):
        raise RuntimeError(f"h2load said: {out[-600:]}")
    return float(found.group(1))


GRPC = ["-H", "content-type: application/grpc", "-H", "te: trailers"]


def grpc_beside_rest(server, model, path, hlen, message, seconds, cpus):
    """64 under way in both protocols: 64 connections of REST; 8 connections with 8 streams each of gRPC"""
    rest = h2load(f"{server.url}/v2/models/{model}/infer", path, seconds, cpus, "--h1", "-c64",
                  "-H", f"Inference-Header-Content-Length: {hlen}", "-H", "content-type: application/octet-stream")
    window = ["-w24", "-W24"]
    grpc = h2load(f"http://127.0.0.1:{server.port + 1}/inference.GRPCInferenceService/ModelInfer", message, seconds, cpus,
                  "-c8", "-m8", *window, *GRPC)
    return rest, grpc


def answered(server, protocol):
    """model requests answered well so far, as the server counts them"""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port + 2}/metrics", timeout=10) as r:
        text = r.read().decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.startswith("slipway_requests_total{") and 'outcome="ok"' in line and f'protocol="{protocol}"' in line)


def fixed_rate(work, url, path, hlen, rate, seconds):
    """-> p50, p99 in ms from the moment a request was due, not from when it could be sent (coordinated omission), and success"""
    out = subprocess.run([os.path.join(work, "bin", "oha"), "--no-tui", "--output-format", "json", "-z", f"{seconds}s", "-c", "64",
                          "-q", str(max(1, round(rate))), "--latency-correction", "-m", "POST", "-D", path,
                          "-T", "application/octet-stream", "-H", f"Inference-Header-Content-Length: {hlen}", url],
                         capture_output=True, text=True, timeout=seconds + 60)
    r = json.loads(out.stdout)
    return r["latencyPercentiles"]["p50"] * 1000, r["latencyPercentiles"]["p99"] * 1000, r["summary"]["successRate"]


def probe_p99(server, stop):
    times = []
    while not stop.is_set():
        t = time.perf_counter()
        urllib.request.urlopen(f"http://127.0.0.1:{server.port + 2}/readyz", timeout=10).read()
        times.append((time.perf_counter() - t) * 1000)
        time.sleep(0.01)
    times.sort()
    return times[int(0.99 * (len(times) - 1))]


def cold_start(work):
    times = []
    for _ in range(5):
        server = Server("slipway", "mlp", work, 2, None)
        try:
            times.append(ready(server) * 1000)
        finally:
            server.stop()
    return statistics.median(times)


def measure_ours(work, models, seconds, emit):
    say = lambda what, value: emit(dict(kind="ours", what=what, value=value))
    if "mlp" in models:
        say("cold start ms", cold_start(work))
    for model in models:
        server = Server("slipway", model, work, 2, None)
        try:
            ready(server)
            path, hlen, message = files(work, model)
            url = f"{server.url}/v2/models/{model}/infer"
            x, want = tensors(work, model)[0]
            with open(path, "rb") as f:
                check(url, f.read(), "application/octet-stream", hlen, want, "bin")
            rest, grpc = grpc_beside_rest(server, model, path, hlen, message, seconds, None)
            if not answered(server, "grpc"):
                raise RuntimeError("gRPC answered no request well")
            say(f"rest binary {model} rps", rest)
            say(f"grpc {model} rps", grpc)
            if os.path.exists(os.path.join(work, "bin", "oha")):
                rps = wrk(url, path, "application/octet-stream", hlen, 64, seconds, None)
                capacity = rps["requests"] / (rps["us"] / 1e6)
                for share in (0.5, 0.8):
                    p50, p99, success = fixed_rate(work, url, path, hlen, capacity * share, seconds)
                    say(f"open loop {model} at {share:.0%} of capacity: p50", p50)
                    say(f"open loop {model} at {share:.0%} of capacity: p99", p99)
                    say(f"success at {share:.0%} of capacity, {model}", success)
            if model == "mlp":
                say("rss mb", rss_mb(server.pid) - os.path.getsize(os.path.join(work, "models", "mlp.onnx")) / 2**20)
            if model == "cnn":
                stop, got = threading.Event(), []
                probe = threading.Thread(target=lambda: got.append(probe_p99(server, stop)))
                probe.start()
                wrk(url, path, "application/octet-stream", hlen, 16, seconds, None)
                stop.set()
                probe.join()
                say("readyz p99 ms", got[0])
            if model == "wide":
                say("wide rss mb after load", rss_mb(server.pid))
        finally:
            server.stop()
