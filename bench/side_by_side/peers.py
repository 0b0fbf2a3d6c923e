"""The peers: plain SQL and TPC-B through pgbench, and COPY. Their SQL is in bench/peers/."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from . import processes
from .machine import CannotMeasure, postgres_programs

SQL = Path(__file__).resolve().parent.parent / "peers"


@dataclass
class Throughput:
    """Of one pgbench run, whatever one transaction is there."""

    per_second: float
    transactions: int


def percentile(values: list[float], part: float) -> float:
    """The value that this part of all, 0 to 1, does not exceed."""
    ranked = sorted(values)
    return ranked[max(0, math.ceil(part * len(ranked)) - 1)]


def parse_pgbench(said: str) -> Throughput:
    rate = re.search(r"^tps = ([\d.]+) \(without initial connection time\)", said, re.M)
    count = re.search(r"^number of transactions actually processed: (\d+)", said, re.M)
    failed = re.search(r"^number of failed transactions: (\d+)", said, re.M)
    if rate is None or count is None or (failed is not None and int(failed.group(1)) != 0):
        raise CannotMeasure(f"pgbench said something unexpected:\n{said[-1000:]}")
    return Throughput(float(rate.group(1)), int(count.group(1)))


class Database:
    """The cluster that accrued runs, as its peers see it: over its socket, with a schema of their own."""

    def __init__(self, socket: str, scratch: Path) -> None:
        programs = postgres_programs()
        options = ["-h", socket, "-U", "postgres"]
        self._psql: list[str | Path] = [programs / "psql", "-XqAt", *options, "-v", "ON_ERROR_STOP=1"]
        self._pgbench: list[str | Path] = [programs / "pgbench", *options]
        self._scratch = scratch
        self._environment = dict(os.environ) | {
            "PGDATABASE": "postgres",
            "PGOPTIONS": "-c search_path=plain,public -c client_min_messages=warning"}

    def query(self, sql: str) -> str:
        return processes.run([*self._psql, "-c", sql], env=self._environment).strip()

    def run_file(self, file: str, **variables: object) -> str:
        named = [f"--set={name}={value}" for name, value in variables.items()]
        return processes.run([*self._psql, *named, "-f", SQL / file], env=self._environment)

    def _bench(self, clients: int, seconds: float, more: list[str]) -> Throughput:
        command = [*self._pgbench, "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(2, clients)),
                   "-T", str(max(1, round(seconds))), *more]
        return parse_pgbench(processes.run(command, env=self._environment, cwd=self._scratch))

    # The plain SQL ledger.

    def make_ledger(self, accounts: int) -> None:
        """Fresh tables; their statistics are made once there are rows, see `analyze_ledger`."""
        self.run_file("ledger.sql", accounts=accounts)

    def analyze_ledger(self) -> None:
        """Without it plans are made for empty tables, which costs more than half."""
        self.query("vacuum analyze plain.account, plain.transfer, plain.entry")

    def transfers(self, script: str, clients: int, accounts: int, seconds: float) -> Throughput:
        """script: transfer, transfer_each or transfer_set; calls, not transfers, are counted."""
        return self._bench(clients, seconds, ["-f", str(SQL / f"{script}.pgbench"), "-D", f"accounts={accounts}"])

    def bytes_of_schema(self, schema: str) -> int:
        """Tables and their indexes."""
        return int(self.query("select coalesce(sum(pg_total_relation_size(oid)), 0) from pg_class"
                              f" where relkind = 'r' and relnamespace = '{schema}'::regnamespace"))

    def wal_bytes(self) -> int:
        """Written since the cluster was made."""
        return int(self.query("select (pg_current_wal_insert_lsn() - '0/0')::int8"))

    # TPC-B, as pgbench has it.

    def make_tpc_b(self, scale: int) -> None:
        processes.run([*self._pgbench, "-i", "-I", "dtGvp", "-s", str(scale)], env=self._environment)

    def tpc_b(self, clients: int, seconds: float) -> Throughput:
        return self._bench(clients, seconds, ["-b", "tpcb-like"])

    # One durable row, and many.

    def single_row_ms(self, seconds: float) -> list[float]:
        """Latencies of committing one row, one client."""
        self.run_file("single_row.sql")
        for old in self._scratch.glob("single_row.*"):
            old.unlink()
        self._bench(1, seconds, ["-f", str(SQL / "single_row.pgbench"), "-l",
                                 f"--log-prefix={self._scratch / 'single_row'}"])
        (log,) = self._scratch.glob("single_row.*")
        return [int(line.split()[2]) / 1000 for line in log.read_text().splitlines()]

    def copy_journal(self, rows: int, path: Path) -> float:
        """Rows a second of one COPY of so many journal rows, read from a file beside the cluster."""
        said = self.run_file("journal_copy.sql", rows=rows, path=path)
        copied = int(self.query("select count(*) from plain.journal_copy"))
        self.query("drop table plain.journal_copy")
        time_ms = re.search(r"^Time: ([\d.]+) ms", said, re.M)
        if time_ms is None:
            raise CannotMeasure(f"psql told no time:\n{said[-1000:]}")
        return copied / (float(time_ms.group(1)) / 1000)
