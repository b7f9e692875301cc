"""What every client is asked to carry: one array a datatype, with the values at the ends of its range."""
import os

import numpy as np

HTTP = os.environ["SLIPWAY_HTTP"]
GRPC = os.environ["SLIPWAY_GRPC"]

BIG = 2**53 + 1     # the first whole number that a double cannot hold

ARRAYS = {
    "BOOL": np.array([[True, False, True]]),
    "UINT8": np.array([[0, 1, 255]], np.uint8),
    "UINT16": np.array([[0, 1, 2**16 - 1]], np.uint16),
    "UINT32": np.array([[0, 1, 2**32 - 1]], np.uint32),
    "UINT64": np.array([[0, BIG, 2**64 - 1]], np.uint64),
    "INT8": np.array([[-128, 0, 127]], np.int8),
    "INT16": np.array([[-(2**15), 0, 2**15 - 1]], np.int16),
    "INT32": np.array([[-(2**31), 0, 2**31 - 1]], np.int32),
    "INT64": np.array([[-(2**63), BIG, 2**63 - 1]], np.int64),
    "FP16": np.array([[0.5, -65504, 6e-8]], np.float16),
    "FP32": np.array([[0.1, -3.4e38, 1e-45]], np.float32),
    "FP64": np.array([[0.1, -1.7e308, 5e-324]], np.float64),
    "BYTES": np.array([["", "owl", "größer 🦉"]], object),
}

JSON_DATATYPES = [d for d in ARRAYS if d != "FP16"]     # the clients refuse FP16 as JSON


def model_of(datatype):
    return f"identity_{datatype.lower()}"


def text(array):
    """string tensors come back as bytes"""
    return np.array([[e.decode() if isinstance(e, bytes) else e for e in row] for row in array], object)


def same(got, sent):
    if sent.dtype == object:
        assert text(got).tolist() == sent.tolist()
    else:
        assert got.dtype == sent.dtype
        np.testing.assert_array_equal(got, sent)
