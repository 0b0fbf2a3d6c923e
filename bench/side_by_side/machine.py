"""The machine: what it is, whether it is quiet, how much CPU processes have used.
Nothing is started or measured here beyond that."""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class CannotMeasure(Exception):
    """The run cannot go on; the text says why and what to do."""


def postgres_programs() -> Path:
    """The directory with PostgreSQL 15's programs, looked for where accrued looks."""
    candidates = [Path("/usr/lib/postgresql/15/bin")]
    try:
        said = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True)
        candidates.append(Path(said.stdout.strip()))
    except (OSError, subprocess.CalledProcessError):
        pass
    for place in candidates:
        if (place / "pgbench").exists() and (place / "psql").exists():
            return place
    raise CannotMeasure("no pgbench and psql found: apt-get install postgresql-15 (deploy/install does it)")


def _first(pattern: str, file: str, default: str) -> str:
    found = re.search(pattern, Path(file).read_text(), re.M)
    return found.group(1).strip() if found else default


def sync_time_us(directory: Path) -> float:
    """Median time of writing 8 kB and making it durable, in microseconds."""
    times = []
    with tempfile.NamedTemporaryFile(dir=directory) as file:
        page = bytes(8192)
        for _ in range(200):
            os.pwrite(file.fileno(), page, 0)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1e6)
    return statistics.median(times)


def file_system(directory: Path) -> str:
    said = subprocess.run(["stat", "-f", "-c", "%T", directory], capture_output=True, text=True, check=False)
    return said.stdout.strip() or "unknown"


def describe(repository: Path, directory: Path) -> dict[str, object]:
    """What figures depend on, for the report."""
    version = subprocess.run([postgres_programs() / "postgres", "--version"],
                             capture_output=True, text=True, check=False).stdout
    commit = subprocess.run(["git", "-C", repository, "describe", "--always", "--dirty", "--tags"],
                            capture_output=True, text=True, check=False).stdout
    memory_kb = int(_first(r"^MemTotal:\s*(\d+)", "/proc/meminfo", "0"))
    return {
        "cpu": _first(r"^model name\s*:\s*(.*)$", "/proc/cpuinfo", platform.machine()),
        "cores": os.cpu_count() or 1,
        "memory_gb": round(memory_kb / 1e6, 1),
        "file_system": file_system(directory),
        "fdatasync_us": round(sync_time_us(directory)),
        "kernel": platform.release(),
        "postgresql": version.strip().replace("postgres (PostgreSQL) ", ""),
        "commit": commit.strip() or "unknown",
    }


def _busy_ticks() -> tuple[int, int]:
    """Ticks of all cores that were not idle, and all."""
    fields = [int(f) for f in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)


def why_not_quiet() -> str | None:
    """What would disturb a measurement: other servers, or somebody who computes; None when it is quiet."""
    others = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name = (entry / "comm").read_text().strip()
            except OSError:
                continue
            if name in ("accrued", "accrue-load", "pgbench"):
                others.append(f"{name} ({entry.name})")
    if others:
        return "these are running: " + ", ".join(others)
    busy, everything = _busy_ticks()
    time.sleep(2)
    busy_then, everything_then = _busy_ticks()
    share = (busy_then - busy) / max(1, everything_then - everything)
    if share > 0.1:
        return f"{share:.0%} of the CPU time is used by somebody else (load average {os.getloadavg()[0]:.2f})"
    return None


def _ticks(pid: int, with_reaped: bool) -> tuple[int, int]:
    """Parent and CPU ticks of a process; (0, 0) when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0, 0
    used = int(fields[11]) + int(fields[12])
    if with_reaped:
        used += int(fields[13]) + int(fields[14])
    return int(fields[1]), used


def cpu_seconds(pid: int) -> float:
    """User and system time of one process."""
    return _ticks(pid, with_reaped=False)[1] / TICKS


def cpu_seconds_of_family(pid: int) -> float:
    """The same of a process and its children, those included that have ended."""
    used = _ticks(pid, with_reaped=True)[1]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            parent, ticks = _ticks(int(entry.name), with_reaped=False)
            if parent == pid:
                used += ticks
    return used / TICKS
