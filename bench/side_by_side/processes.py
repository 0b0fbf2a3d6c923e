"""Starting and stopping: accrued with its private cluster and the disk in front of it, and programs that
run for a while. Whatever ends this program ends them too."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import struct
import subprocess
import time
from pathlib import Path

from .machine import CannotMeasure

_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _end_with_parent() -> None:
    """In a child: told to stop when this program dies, however it dies."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def run(command: list[str | Path], accepted: tuple[int, ...] = (0,), **more: object) -> str:
    """Runs a program to its end and gives what it said on stdout. In a session of its own, so that Ctrl-C
    reaches this program first."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          start_new_session=True, preexec_fn=_end_with_parent, **more) as child:
        try:
            out, err = child.communicate()
        except BaseException:
            child.terminate()
            raise
    if child.returncode not in accepted:
        said = (err.strip() or out.strip())[-2000:]
        raise CannotMeasure(f"{Path(command[0]).name} ended with {child.returncode}: {said}")
    return out


class Disk:
    """The delay of each sync, told to PostgreSQL's processes through the preloaded library's file."""

    def __init__(self, library: Path, control: Path) -> None:
        self.library = library
        self._control = control
        control.write_bytes(bytes(128))
        control.chmod(0o666)

    def environment(self) -> dict[str, str]:
        return {"LD_PRELOAD": str(self.library), "ACCRUE_DISK_CONTROL": str(self._control)}

    def delay_ms(self, delay: int) -> None:
        with self._control.open("r+b") as file:
            file.write(struct.pack("<I", delay * 1000))


class Server:
    """accrued on a data directory of its own: `with Server(…) as server`."""

    def __init__(self, programs: Path, directory: Path, disk: Disk | None = None) -> None:
        self._programs = programs
        self._directory = directory
        self._disk = disk
        self._child: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._child is not None
        return self._child.pid

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def database_pid(self) -> int:
        """PostgreSQL's first process; 0 while there is none."""
        try:
            return int((self._directory / "data/postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return 0

    @property
    def database_files(self) -> Path:
        """The cluster's directory, where PostgreSQL's user can write."""
        return self._directory / "data"

    @property
    def database_socket(self) -> str:
        settings = (self._directory / "data/accrue.conf").read_text()
        found = re.search(r"^unix_socket_directories = '(.*)'", settings, re.M)
        assert found is not None
        return found.group(1)

    def start(self) -> float:
        """Starts it and waits until it serves; how many seconds that took."""
        began = time.monotonic()
        log = self._directory.with_suffix(".log")
        environment = dict(os.environ) | (self._disk.environment() if self._disk else {})
        with log.open("wb") as out:
            self._child = subprocess.Popen(
                [self._programs / "accrued", "--data-dir", self._directory, "--listen", "127.0.0.1:0"],
                stdout=out, stderr=out, env=environment, start_new_session=True,
                preexec_fn=_end_with_parent)
        try:
            while True:
                said = log.read_text(errors="replace")
                if found := re.search(r" serves .* on 127\.0\.0\.1:(\d+)", said):
                    self.port = int(found.group(1))
                    return time.monotonic() - began
                if self._child.poll() is not None or time.monotonic() - began > 120:
                    raise CannotMeasure(f"accrued does not start:\n{said[-2000:]}")
                time.sleep(0.005)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """In order; by force when that takes more than a minute."""
        if self._child is None:
            return
        if self._disk is not None:
            self._disk.delay_ms(0)
        child, self._child = self._child, None
        database = self.database_pid
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(60)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
            if database:
                os.kill(database, signal.SIGQUIT)
