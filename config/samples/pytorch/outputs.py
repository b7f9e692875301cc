"""What a Slipway training run leaves behind beside the model: predictions, metrics, baseline and golden requests."""

import json
import os
from collections import Counter

import numpy as np
from flights import NUMERIC, Flights, digest

BINS = 10
CATEGORIES = 20


def write(path: str, text: str) -> None:
    """Whole or not at all: a reader never sees half a file."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.next", "w") as file:
        file.write(text)
    os.replace(f"{path}.next", path)


def lines(documents) -> str:
    return "".join(json.dumps(document) + "\n" for document in documents)


def predictions(flights: Flights, scores: np.ndarray, threshold: float):
    """Every held-out flight, with the columns that gates may slice by."""
    for row, (hour, weekday, *_), label, score in zip(
        flights.rows.tolist(), flights.numeric.tolist(), flights.label[:, 0].tolist(), scores.tolist()
    ):
        slices = {"weekend": int(weekday in (0, 6)), "hour": int(hour)}
        prediction = int(score >= threshold)
        yield {"id": row, "label": int(label), "prediction": prediction, "score": round(score, 6), "slice": slices}


def roc_auc(label: np.ndarray, score: np.ndarray) -> float:
    values, group, count = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(count) - (count - 1) / 2)[group]
    positive = label == 1
    pairs = positive.sum() * (~positive).sum()
    return float((rank[positive].sum() - positive.sum() * (positive.sum() + 1) / 2) / pairs)


def metrics(flights: Flights, scores: np.ndarray, threshold: float, loss: float) -> dict[str, float]:
    label = flights.label[:, 0]
    late = scores >= threshold
    recall = late[label == 1].mean()
    return {
        "accuracy": float((late == label).mean()),
        "balancedAccuracy": float((recall + (~late)[label == 0].mean()) / 2),
        "brier": float(((scores - label) ** 2).mean()),
        "recall": float(recall),
        "rocAuc": roc_auc(label, scores),
        "trainingLoss": loss,
    }


def _numeric(values: np.ndarray) -> dict:
    """Moments and bins of equal shares; counts[i] lies in (edges[i-1], edges[i]]."""
    values = values.astype(np.float64)
    edges = np.unique(np.quantile(values, np.arange(1, BINS) / BINS, method="inverted_cdf"))
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    moments = {"min": values.min(), "max": values.max(), "mean": values.mean(), "m2": ((values - values.mean()) ** 2).sum()}
    return {
        "kind": "numeric",
        "count": len(values),
        **{name: float(value) for name, value in moments.items()},
        "bins": {"edges": edges.tolist(), "counts": counts.tolist()},
    }


def _categorical(codes: np.ndarray) -> dict:
    common = Counter(codes[:, 0].tolist()).most_common(CATEGORIES)
    listed = sum(count for _, count in common)
    categories = [{"value": value, "count": count} for value, count in common]
    return {"kind": "categorical", "count": len(codes), "categories": categories, "other": len(codes) - listed}


def baseline(training: Flights, scores: np.ndarray) -> dict:
    """What the model saw in training, frozen: later traffic is compared with these bins."""
    return {
        "schema": "slipway.dev/baseline/v1",
        "dataset": {"name": "vega-datasets flights-3m.parquet", "digest": digest(), "rows": len(training.rows)},
        "features": [
            *({"name": name, "tensor": "numeric", "index": i, **_numeric(training.numeric[:, i])} for i, name in enumerate(NUMERIC)),
            *({"name": name, "tensor": name, "index": 0, **_categorical(getattr(training, name))} for name in ("origin", "destination")),
        ],
        "predictions": [{"name": "probability", "tensor": "probability", "index": 0, **_numeric(scores)}],
    }


def golden(flights: Flights, scores: np.ndarray, requests: int = 8, batch: int = 4):
    """Held-out flights with the trained model's own answers: whoever loads the export can tell that it is this model."""
    for at in range(0, requests * batch, batch):
        some = flights.take(np.arange(at, at + batch))
        tensors = (("numeric", "FP32", some.numeric), ("origin", "INT64", some.origin), ("destination", "INT64", some.destination))
        answer = {"name": "probability", "datatype": "FP32", "shape": [batch, 1], "data": scores[at : at + batch].tolist()}
        inputs = [{"name": n, "datatype": t, "shape": list(a.shape), "data": a.ravel().tolist()} for n, t, a in tensors]
        yield {"inputs": inputs, "outputs": [answer], "tolerance": 1e-4}
