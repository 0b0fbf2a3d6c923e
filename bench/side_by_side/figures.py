"""What was measured, by name; and what stands beside what: design targets as data, not as code."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any

# Names of rows that something is compared with, or that are compared.
CONSUME_64_16 = "consume, 64 × 16, 1,000 customers"
CONSUME_64_1 = "consume, 64 × 1, 1,000 customers"
CONSUME_HOT = "consume, 64 × 16, 10 customers"
OPEN_40K = "p99 at 40,000 commands/s, 64 connections"
OPEN_HALF = "p99 at half of the maximum, 16 connections"
SQL_16 = "plain SQL transfer, 16 clients, 1,000 accounts"
SQL_1 = "plain SQL transfer, 1 client, 1,000 accounts"
SQL_HOT = "plain SQL transfer, 16 clients, 10 accounts"
SQL_EACH = "plain SQL, arrays of 100 transfers"
SQL_SET = "plain SQL, one statement for 100 transfers"
TPC_B = "pgbench TPC-B, 8 clients"
COPY = "COPY of the same journal rows"
COMMIT_P99 = "p99 of one durable commit of one row"
DISK_BYTES = "bytes on disk per consume"
SQL_DISK_BYTES = "bytes on disk per plain SQL transfer"
IDLE_BYTES = "memory of an idle customer with one charge"
ACTIVATIONS = "activations from the database, each with a durable command"
RESTART = "restart to serving with stored customers"


def delayed(name: str, delay_ms: int) -> str:
    """The same row with slower syncs."""
    return f"{name}, fsync + {delay_ms} ms" if delay_ms else name


@dataclass
class Row:
    """One thing that was measured several times."""

    name: str
    unit: str
    runs: list[float] = field(default_factory=list)
    notes: dict[str, list[float]] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.runs)

    @property
    def spread(self) -> float | None:
        """Between the highest and the lowest run, as a part of the median; None for a single run."""
        if len(self.runs) < 2:
            return None
        return (max(self.runs) - min(self.runs)) / self.value if self.value else 0.0

    def note(self, name: str) -> float | None:
        """The median of something that was seen beside it."""
        return statistics.median(self.notes[name]) if name in self.notes else None


class Figures:
    """All rows of a run, in the order in which they were first measured."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}

    def add(self, name: str, unit: str, value: float, **notes: float) -> None:
        row = self._rows.setdefault(name, Row(name, unit))
        row.runs.append(value)
        for note, seen in notes.items():
            row.notes.setdefault(note, []).append(seen)

    def get(self, name: str) -> Row | None:
        return self._rows.get(name)

    def all(self) -> list[Row]:
        return list(self._rows.values())


@dataclass(frozen=True)
class Target:
    """A row, what stands beside it, and the ratios (without a peer: the values) to reach. Below one `dream` is
    lower than `at_least`: less is better."""

    row: str
    beside: str | None
    at_least: float
    dream: float

    @property
    def less_is_better(self) -> bool:
        return self.dream < self.at_least

    def reached(self, ratio: float) -> str:
        """dream, at least, or no."""
        for word, bound in (("dream", self.dream), ("at least", self.at_least)):
            if (ratio <= bound) if self.less_is_better else (ratio >= bound):
                return word
        return "no"


TARGETS = [
    Target(CONSUME_64_16, SQL_16, 15, 40),
    Target(CONSUME_64_1, SQL_16, 6, 12),
    Target(CONSUME_64_16, SQL_EACH, 7, 18),
    Target(delayed(CONSUME_64_16, 1), delayed(SQL_16, 1), 15, 35),
    Target(delayed(CONSUME_64_16, 5), delayed(SQL_16, 5), 20, 45),
    Target(CONSUME_HOT, SQL_HOT, 25, 80),
    Target(CONSUME_64_16, TPC_B, 10, 25),
    Target(OPEN_40K, COMMIT_P99, 20, 8),
    Target(OPEN_HALF, COMMIT_P99, 60, 20),
    Target(DISK_BYTES, None, 300, 160),
    Target(IDLE_BYTES, None, 4096, 2560),
    Target(ACTIVATIONS, None, 20_000, 60_000),
    Target(RESTART, None, 5, 1),
]

# What stands beside a row without a target: less to be proud of, or more.
ALSO_BESIDE = [
    (CONSUME_64_16, SQL_SET),
    (CONSUME_64_16, COPY),
    (DISK_BYTES, SQL_DISK_BYTES),
]


def _entry(row: Row, beside: Row | None) -> dict[str, Any]:
    return {
        "name": row.name,
        "unit": row.unit,
        "value": row.value,
        "spread": row.spread,
        "runs": row.runs,
        "beside": None if beside is None else {"name": beside.name, "value": beside.value},
        "ratio": None if beside is None or not beside.value else row.value / beside.value,
    }


def comparisons(figures: Figures) -> list[dict[str, Any]]:
    """The rows of the design's table that were measured, each with its targets and whether it reached them."""
    entries = []
    for target in TARGETS:
        row = figures.get(target.row)
        beside = figures.get(target.beside) if target.beside else None
        if row is None or (target.beside and beside is None):
            continue
        entry = _entry(row, beside)
        measure = row.value if beside is None else entry["ratio"]
        entry |= {"at_least": target.at_least, "dream": target.dream,
                  "less_is_better": target.less_is_better,
                  "reached": None if measure is None else target.reached(measure)}
        entries.append(entry)
    return entries


def document(machine: dict[str, object], figures: Figures) -> dict[str, Any]:
    """What --json writes: the comparisons, then every row that stands in none of them."""
    rows = comparisons(figures)
    for name, peer in ALSO_BESIDE:
        row, beside = figures.get(name), figures.get(peer)
        if row is not None and beside is not None:
            rows.append(_entry(row, beside))
    compared = {entry["name"] for entry in rows}
    for row in figures.all():
        if row.name not in compared:
            rows.append(_entry(row, None))
    for entry in rows:
        row = figures.get(entry["name"])
        if row is not None and row.notes:
            entry["notes"] = {note: row.note(note) for note in row.notes}
    return {"machine": machine, "rows": rows}
