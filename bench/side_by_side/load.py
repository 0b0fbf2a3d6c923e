"""Accrue under load: runs accrue-load and accounts for the CPU time of all three programs."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import machine, processes
from .processes import Server

REFUSED = 1  # accrue-load's exit code when something was refused


@dataclass(frozen=True)
class Shape:
    """Of a load: connections, requests in flight on each, customers."""

    connections: int
    in_flight: int
    customers: int = 1000

    @property
    def name(self) -> str:
        who = "1 customer" if self.customers == 1 else f"{self.customers:,} customers"
        return f"{self.connections} × {self.in_flight}, {who}"


@dataclass
class Outcome:
    """One interval of load, with microseconds of CPU a command: engine, PostgreSQL, driver."""

    report: dict[str, Any]
    cpu_us: tuple[float, float, float]

    @property
    def per_second(self) -> float:
        return float(self.report["commands_per_second"])

    def latency_ms(self, percentile: str) -> float:
        return float(self.report["latency_ms"][percentile])


class Driver:
    def __init__(self, programs: Path, server: Server) -> None:
        self._programs = programs
        self._server = server
        self._runs = 0

    def run(self, shape: Shape, seconds: float, warm_up: float, rate: float | None = None,
            more: tuple[str, ...] = ()) -> Outcome:
        """A closed loop, or with a rate an open one. Each run has customers of its own."""
        self._runs += 1
        command: list[str | Path] = [
            self._programs / "accrue-load", "--server", self._server.address, "--json", "-",
            "--connections", str(shape.connections), "--in-flight", str(shape.in_flight),
            "--customers", str(shape.customers), "--duration", f"{round(seconds * 1000)}ms",
            "--warmup", f"{round(warm_up * 1000)}ms", "--prefix", f"r{self._runs}", *more]
        if rate is not None:
            command += ["--rate", f"{rate:.0f}"]
        engine = machine.cpu_seconds(self._server.pid)
        database = machine.cpu_seconds_of_family(self._server.database_pid)
        report = json.loads(processes.run(command, accepted=(0, REFUSED)))
        engine = machine.cpu_seconds(self._server.pid) - engine
        database = machine.cpu_seconds_of_family(self._server.database_pid) - database
        commands = max(1, report["acknowledged"])  # warm-up included, as in the CPU times
        return Outcome(report, (engine * 1e6 / commands, database * 1e6 / commands,
                                float(report["client_cpu_us_per_command"])))

    def make_customers(self, customers: int) -> None:
        """Creates customers with credit, for runs with `--no-setup` and the same prefix."""
        processes.run([self._programs / "accrue-load", "--server", self._server.address, "--customers",
                       str(customers), "--prefix", "stored", "--count", "1"])

    def activate(self, customers: int, commands: int, seed: int) -> float:
        """Commands a second to stored customers of whom nearly each is loaded for it."""
        said = processes.run([
            self._programs / "accrue-load", "--server", self._server.address, "--json", "-", "--customers",
            str(customers), "--prefix", "stored", "--no-setup", "--count", str(commands), "--seed", str(seed)])
        return float(json.loads(said)["commands_per_second"])

    def idle_bytes(self, customers: int) -> float:
        """Memory of an idle customer, by a server that was just started."""
        said = processes.run([self._programs / "bench_idle_memory", str(self._server.port),
                              str(self._server.pid), str(customers)])
        found = re.search(r"([\d.]+) bytes a customer", said)
        if found is None:
            raise machine.CannotMeasure(f"bench_idle_memory said something unexpected: {said}")
        return float(found.group(1))
