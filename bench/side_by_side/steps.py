"""What is measured, in which order, and for how long: three rounds, each on a fresh cluster, so that a slow
minute of the machine does not fall on one row alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from . import figures as f
from .figures import Figures
from .load import Driver, Outcome, Shape
from .peers import Database, percentile
from .processes import Disk, Server

DELAYS_MS = (1, 5)
TPC_B_SCALE = 10
IN_FLIGHT_MAX = 4096  # of a connection, by the server's limits

MAIN = [Shape(64, 16), Shape(64, 1), Shape(64, 16, 10)]
FURTHER = [Shape(connections, in_flight, customers)
           for connections, in_flight in ((64, 16), (64, 1), (16, 16), (16, 1))
           for customers in (1000, 10, 1)
           if Shape(connections, in_flight, customers) not in MAIN]


@dataclass(frozen=True)
class Extent:
    """How long and how much; seconds are of one run."""

    seconds: float
    warm_up: float
    rounds: int
    sweep: tuple[int, ...]      # percent of the maximum
    further_in_each_round: bool  # rows that no target concerns
    idle_customers: int
    copied_rows: int


FULL = Extent(5, 1, 3, tuple(range(10, 100, 10)), True, 20_000, 500_000)
QUICK = Extent(1, 0.4, 3, (10, 30, 50, 70, 90), False, 5_000, 200_000)


@dataclass
class Step:
    name: str
    seconds: float  # expected
    do: Callable[[], str | None]  # says what came out, in a few words
    prepares: bool = False  # measures nothing


@dataclass
class Place:
    """Where things are."""

    programs: Path
    directory: Path  # for clusters, readable by all
    disk_library: Path


class Rounds:
    """Makes the steps. They have to be done in their order, within the `with` that made them."""

    def __init__(self, place: Place, extent: Extent, into: Figures, stack: ExitStack) -> None:
        self._place = place
        self._extent = extent
        self._into = into
        self._stack = stack
        self._disk = Disk(place.disk_library, place.directory / "disk")
        self._server: Server | None = None
        self._driver: Driver | None = None
        self._database: Database | None = None
        self._maximum = 0.0  # commands/s of the first round's closed loop, which all rounds share

    # Parts that each step stands on.

    def _fresh_server(self, name: str) -> str:
        """A new cluster; the one before is gone with its data."""
        self._stack.close()
        directory = self._place.directory / name
        self._stack.callback(_remove, directory)
        self._server = self._stack.enter_context(Server(self._place.programs, directory, self._disk))
        self._driver = Driver(self._place.programs, self._server)
        self._database = Database(self._server.database_socket, self._place.directory)
        return "ready"

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server

    @property
    def driver(self) -> Driver:
        assert self._driver is not None
        return self._driver

    @property
    def database(self) -> Database:
        assert self._database is not None
        return self._database

    # Peers.

    def _transfers(self, name: str, script: str, clients: int, accounts: int, a_call: int) -> str:
        """Fresh tables, a warm-up, statistics, and then a run."""
        self.database.make_ledger(accounts)
        before = self.database.bytes_of_schema("plain")
        warm = self.database.transfers(script, clients, accounts, self._extent.warm_up)
        self.database.analyze_ledger()
        run = self.database.transfers(script, clients, accounts, self._extent.seconds)
        self._into.add(name, "transfers/s", run.per_second * a_call)
        if name == f.SQL_16:
            used = self.database.bytes_of_schema("plain") - before
            self._into.add(f.SQL_DISK_BYTES, "bytes", used / (warm.transactions + run.transactions))
        return f"{run.per_second * a_call:,.0f} transfers/s"

    def _tpc_b(self, name: str) -> str:
        self.database.tpc_b(8, self._extent.warm_up)
        run = self.database.tpc_b(8, self._extent.seconds)
        self._into.add(name, "transactions/s", run.per_second)
        return f"{run.per_second:,.0f} transactions/s"

    def _commit(self, name: str) -> str:
        times = self.database.single_row_ms(self._extent.seconds)
        p99 = percentile(times, 0.99)
        self._into.add(name, "ms", p99, p50_ms=percentile(times, 0.5), p999_ms=percentile(times, 0.999))
        return f"p99 {p99:.3f} ms"

    def _copy(self) -> str:
        path = self.server.database_files / "journal.copy"
        rate = self.database.copy_journal(self._extent.copied_rows, path)
        self._into.add(f.COPY, "rows/s", rate)
        return f"{rate:,.0f} rows/s"

    # Accrue.

    def _note(self, name: str, unit: str, value: float, outcome: Outcome) -> str:
        engine, database, driver = outcome.cpu_us
        self._into.add(name, unit, value, p50_ms=outcome.latency_ms("p50"), p90_ms=outcome.latency_ms("p90"),
                       p99_ms=outcome.latency_ms("p99"), p999_ms=outcome.latency_ms("p99_9"),
                       commands_per_second=outcome.per_second,
                       engine_us=engine, database_us=database, driver_us=driver)
        return f"{outcome.per_second:,.0f} commands/s, p99 {outcome.latency_ms('p99'):.2f} ms"

    def _closed(self, shape: Shape, delay_ms: int = 0) -> str:
        name = f.delayed("consume, " + shape.name, delay_ms)
        wal = self.database.wal_bytes()
        size = self.database.bytes_of_schema("public")
        outcome = self.driver.run(shape, self._extent.seconds, self._extent.warm_up)
        if name == f.CONSUME_64_16:
            self._maximum = self._maximum or round(outcome.per_second, -3)
            commands = outcome.report["acknowledged"] + 2 * shape.customers  # created, and given credit
            self._into.add(f.DISK_BYTES, "bytes", (self.database.bytes_of_schema("public") - size) / commands,
                           wal_bytes=(self.database.wal_bytes() - wal) / commands)
        return self._note(name, "commands/s", outcome.per_second, outcome)

    def _open(self, name: str, connections: int, rate: float) -> str:
        outcome = self.driver.run(Shape(connections, 1024), self._extent.seconds, self._extent.warm_up, rate)
        return self._note(name, "ms", outcome.latency_ms("p99"), outcome)

    def _overload(self) -> str:
        """Twice what it can do: what is accepted, and how fast the rest is refused."""
        outcome = self.driver.run(Shape(64, IN_FLIGHT_MAX), self._extent.seconds, self._extent.warm_up,
                                  2 * self._maximum)
        report = outcome.report
        self._note("consume, twice the maximum offered, 64 connections", "commands/s", outcome.per_second, outcome)
        self._into.add("offered at twice the maximum", "commands/s", report["offered_per_second"])
        self._into.add("refused at twice the maximum", "commands/s", report["commands_refused"] / report["seconds"])
        for code, latency in report["refused_latency_ms"].items():
            self._into.add(f"p99 of `{code}` at twice the maximum", "ms", latency["p99"], p50_ms=latency["p50"])
        return f"{outcome.per_second:,.0f} accepted/s of {report['offered_per_second']:,.0f}"

    def _idle(self) -> str:
        size = self.driver.idle_bytes(self._extent.idle_customers)
        self._into.add(f.IDLE_BYTES, "bytes", size)
        return f"{size:,.0f} bytes"

    # The order.

    def run(self, step: Step) -> str | None:
        """Each row begins after a checkpoint: none pays for what the one before it left to be written, and
        the log's segments of all rows before are there to be used again, as in a cluster that is not new."""
        if not step.prepares:
            self.database.query("checkpoint")
        return step.do()

    def steps(self, number: int) -> Iterator[Step]:
        """Of round `number`, from 0."""
        e = self._extent
        sql, load = round(max(1, e.seconds)) + max(1, round(e.warm_up)) + 0.5, e.seconds + e.warm_up + 0.5
        all_rows = e.further_in_each_round or number == 0
        yield Step("a fresh cluster", 3, lambda: self._fresh_server(f"round-{number + 1}"), True)
        yield Step(f.SQL_16, sql, lambda: self._transfers(f.SQL_16, "transfer", 16, 1000, 1))
        yield Step(f.SQL_HOT, sql, lambda: self._transfers(f.SQL_HOT, "transfer", 16, 10, 1))
        yield Step(f.SQL_EACH, sql, lambda: self._transfers(f.SQL_EACH, "transfer_each", 2, 1000, 100))
        if all_rows:
            yield Step(f.SQL_1, sql, lambda: self._transfers(f.SQL_1, "transfer", 1, 1000, 1))
            yield Step(f.SQL_SET, sql, lambda: self._transfers(f.SQL_SET, "transfer_set", 2, 1000, 100))
        yield Step("TPC-B, fresh tables", 3, lambda: self.database.make_tpc_b(TPC_B_SCALE), True)
        yield Step(f.TPC_B, sql, lambda: self._tpc_b(f.TPC_B))
        yield Step(f.COMMIT_P99, e.seconds, lambda: self._commit(f.COMMIT_P99))
        for shape in MAIN + (FURTHER if all_rows else []):
            yield Step("consume, " + shape.name, load, lambda s=shape: self._closed(s))
        yield Step(f.OPEN_40K, load, lambda: self._open(f.OPEN_40K, 64, 40_000))
        yield Step(f.OPEN_HALF, load, lambda: self._open(f.OPEN_HALF, 16, self._maximum / 2))
        if all_rows:
            yield Step(f.COPY, 4, self._copy)
            for percent in e.sweep:
                yield Step(f"open loop at {percent} %", load, lambda p=percent: self._open(
                    f"p99 at {p} % of the maximum, 64 connections", 64, self._maximum * p / 100))
            yield Step("twice the maximum", load + 1, self._overload)
        for delay in DELAYS_MS:
            yield from self._delayed_steps(delay, sql, load, all_rows)
        yield Step("a fresh cluster", 3, lambda: self._fresh_server(f"idle-{number + 1}"), True)
        yield Step(f.IDLE_BYTES, e.idle_customers / 4000, self._idle)

    def _delayed_steps(self, delay: int, sql: float, load: float, all_rows: bool) -> Iterator[Step]:
        def slowed(do: Callable[[], str | None]) -> Callable[[], str | None]:
            def slow() -> str | None:
                self._disk.delay_ms(delay)
                try:
                    return do()
                finally:
                    self._disk.delay_ms(0)
            return slow

        name = f.delayed(f.SQL_16, delay)
        yield Step(name, sql, slowed(lambda: self._transfers(name, "transfer", 16, 1000, 1)))
        yield Step(f.delayed(f.CONSUME_64_16, delay), load,
                   slowed(lambda: self._closed(Shape(64, 16), delay)))
        if all_rows:
            tpc_b, commit = f.delayed(f.TPC_B, delay), f.delayed(f.COMMIT_P99, delay)
            yield Step(tpc_b, sql, slowed(lambda: self._tpc_b(tpc_b)))
            yield Step(commit, self._extent.seconds, slowed(lambda: self._commit(commit)))

    def restart_steps(self, customers: int) -> Iterator[Step]:
        """Stored customers, three restarts, and after each one the activation of some of them."""
        yield Step("a fresh cluster", 3, lambda: self._fresh_server("restart"), True)
        yield Step(f"{customers:,} customers", customers / 20_000,
                   lambda: self.driver.make_customers(customers))
        for seed in range(1, 4):
            yield Step(f.RESTART, 3, lambda: self._restart(customers))
            yield Step(f.ACTIVATIONS, 3, lambda s=seed: self._activate(customers, s))

    def _restart(self, customers: int) -> str:
        self.server.stop()
        seconds = self.server.start()
        self._into.add(f.RESTART, "s", seconds, customers=customers)
        return f"{seconds:.2f} s"

    def _activate(self, customers: int, seed: int) -> str:
        commands = customers // 10  # random ones: about 95 % of the commands load a customer
        loaded = customers * (1 - (1 - 1 / customers) ** commands)
        rate = self.driver.activate(customers, commands, seed) * loaded / commands
        self._into.add(f.ACTIVATIONS, "customers/s", rate, customers=customers)
        return f"{rate:,.0f} customers/s"


def _remove(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.with_suffix(".log").unlink(missing_ok=True)
