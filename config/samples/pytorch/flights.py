"""Three million US flights, read as the flights sample reads them: same features, same airport codes, same hold-out."""

import csv
import hashlib
import os
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet

NUMERIC = ["hour", "dayOfWeek", "month", "distance"]
DELAYED_AFTER_MINUTES = 15


def folder() -> str:
    """Where the data lies: a data set of the job named flights, else the copy in this image."""
    mounted = os.path.join(os.environ.get("SLIPWAY_INPUT_DIR", ""), "flights")
    return mounted if os.path.isdir(mounted) else os.environ.get("FLIGHTS_DIR", "/data/flights")


def digest() -> str:
    """What the flights were read from, for the baseline."""
    with open(os.path.join(folder(), "flights-3m.parquet"), "rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def _mix(rows: np.ndarray, seed: int = 0) -> np.ndarray:
    """The finaliser of MurmurHash3 over a row number: what is held out depends on the row alone."""
    h = rows.astype(np.uint32) ^ np.uint32(((seed + 1) * 0x9E3779B9) & 0xFFFFFFFF)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return h ^ (h >> np.uint32(16))


def airports() -> dict[str, int]:
    """Airport codes: 1 is the busiest by route counts, ties go by name; 0 is an airport not listed."""
    traffic: Counter[str] = Counter()
    with open(os.path.join(folder(), "flights-airport.csv"), newline="") as file:
        for row in csv.DictReader(file):
            for name in (row["origin"], row["destination"]):
                traffic[name] += int(row["count"])
    return {name: code for code, (name, _) in enumerate(sorted(traffic.items(), key=lambda a: (-a[1], a[0])), 1)}


@dataclass
class Flights:
    rows: np.ndarray
    numeric: np.ndarray  # float32 [n, 4], raw: the model normalises
    origin: np.ndarray  # int64 [n, 1]
    destination: np.ndarray
    label: np.ndarray  # float32 [n, 1], 1: more than 15 minutes late

    def take(self, index: np.ndarray) -> "Flights":
        return Flights(*(column[index] for column in (self.rows, self.numeric, self.origin, self.destination, self.label)))


def _codes(column, codes: dict[str, int]) -> np.ndarray:
    encoded = column.combine_chunks().dictionary_encode()
    table = np.array([codes.get(name, 0) for name in encoded.dictionary.to_pylist()], dtype=np.int64)
    return table[encoded.indices.to_numpy()][:, None]


def read(training_rows: int, held_out_rows: int, seed: int) -> tuple[Flights, Flights, int]:
    """Draws training and held-out flights by the seed. The third is how many airports there are, the unknown one included."""
    table = pyarrow.parquet.read_table(os.path.join(folder(), "flights-3m.parquet"))
    codes = airports()
    date = table["date"].to_numpy().astype("datetime64[m]")
    day = date.astype("datetime64[D]")
    hour = (date - day).astype(int) // 60
    weekday = (day.astype(int) + 4) % 7  # 1970-01-01 was a Thursday; 0 is Sunday
    month = date.astype("datetime64[M]").astype(int) % 12 + 1
    rows = np.arange(len(date))
    flights = Flights(
        rows,
        np.stack([hour, weekday, month, table["distance"].to_numpy()], axis=1).astype(np.float32),
        _codes(table["origin"], codes),
        _codes(table["destination"], codes),
        (table["delay"].to_numpy() > DELAYED_AFTER_MINUTES).astype(np.float32)[:, None],
    )
    held_out = _mix(rows) % np.uint32(20) == 0
    order = np.argsort(_mix(rows, seed), kind="stable")
    draw = lambda wanted, most: flights.take(order[wanted[order]][:most])  # noqa: E731
    return draw(~held_out, training_rows), draw(held_out, held_out_rows), len(codes) + 1
