"""The requests and the answers they must get."""
import concurrent.futures
import json
import os
import urllib.request

SHAPES = {"mlp": [30], "cnn": [3, 32, 32], "wide": [150528]}


def tensors(work, model, count=1):
    """-> count pairs of an input and the answer that onnxruntime gives here; every pair is another"""
    import numpy as np
    import onnxruntime as ort
    s = ort.InferenceSession(os.path.join(work, "models", model + ".onnx"), providers=["CPUExecutionProvider"])
    xs = [(np.random.default_rng(11 + i).random((1, *SHAPES[model]), dtype=np.float32) * (1 + i % 7)) for i in range(count)]
    return [(x, s.run(None, {"x": x})[0]) for x in xs]


def body(kind, x):
    """-> bytes, content type, length of the JSON header (binary only)"""
    if kind == "bento":
        return json.dumps({"x": x.tolist()}, separators=(",", ":")).encode(), "application/json", None
    t = {"name": "x", "shape": list(x.shape), "datatype": "FP32"}
    if kind == "json":
        t["data"] = x.ravel().tolist()
        return json.dumps({"inputs": [t]}, separators=(",", ":")).encode(), "application/json", None
    t["parameters"] = {"binary_data_size": x.nbytes}
    head = json.dumps({"inputs": [t], "outputs": [{"name": "y", "parameters": {"binary_data": True}}]}).encode()
    return head + x.tobytes(), "application/octet-stream", len(head)


def check(url, data, ctype, hlen, want, kind):
    import numpy as np
    h = {"Content-Type": ctype}
    if hlen:
        h["Inference-Header-Content-Length"] = str(hlen)
    with urllib.request.urlopen(urllib.request.Request(url, data=data, headers=h), timeout=60) as r:
        raw, rl = r.read(), r.headers.get("Inference-Header-Content-Length")
    if kind == "bento":
        got = np.array(json.loads(raw), dtype=np.float32)
    elif rl:
        got = np.frombuffer(raw[int(rl):], dtype=np.float32)
    else:
        got = np.array(json.loads(raw)["outputs"][0]["data"], dtype=np.float32)
    if not np.allclose(got.ravel(), want.ravel(), atol=1e-4):
        raise SystemExit(f"wrong answer from {url}: {got.ravel()[:5]} instead of {want.ravel()[:5]}")


def check_mixed(url, pairs, kind):
    """different inputs at the same time: a batcher that hands out the wrong row is found here, not by the load"""
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for f in [pool.submit(check, url, *body(kind, x), y, kind) for x, y in pairs]:
            f.result(timeout=90)
