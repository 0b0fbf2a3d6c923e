"""Plots of the figures as SVG files, drawn by gnuplot. Without gnuplot there are none."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from . import figures as f
from . import processes
from .figures import Figures

_STYLE = """set encoding utf8
set terminal svg size 860,{height} font 'sans-serif,13' background '#ffffff'
set output '{file}'
set border 3 linecolor '#888888'
set tics nomirror textcolor '#333333'
set grid linecolor '#dddddd' linetype 1
"""


def missing() -> str | None:
    """Why nothing can be plotted; None when it can."""
    if shutil.which("gnuplot"):
        return None
    return "gnuplot is missing, so no plots are written: apt-get install gnuplot-nox"


def _draw(file: Path, height: int, script: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".gnuplot", encoding="utf-8") as whole:
        whole.write(_STYLE.format(file=file, height=height) + script + "\n")
        whole.flush()
        processes.run(["gnuplot", whole.name])


def _throughput(figures: Figures, file: Path) -> bool:
    """Bars of a logarithmic length: the peers, and Accrue in the shapes that are compared with them."""
    names = [f.SQL_1, f.SQL_HOT, f.SQL_16, f.TPC_B, f.SQL_EACH, f.SQL_SET, f.CONSUME_64_1, f.CONSUME_64_16,
             f.CONSUME_HOT, f.COPY]
    rows = [row for row in map(figures.get, names) if row is not None]
    if not rows:
        return False
    bars, labels, tics = [], [], []
    for place, row in enumerate(rows):
        colour = "0x2166ac" if row.name.startswith("consume") else "0xb0b0b0"
        bars.append(f"{row.value} {place} {colour}")
        labels.append(f"set label '{row.value:,.0f}' at {row.value * 1.08},{place} left")
        tics.append(f"'{row.name}' {place}")
    top = max(row.value for row in rows) * 4
    _draw(file, 70 + 34 * len(rows), "\n".join([
        "set logscale x", f"set xrange [100:{top}]", f"set yrange [{len(rows) - 0.3}:-0.7]",
        "set xlabel 'a second, durable'", f"set ytics ({', '.join(tics)})",
        "unset key", "set style fill solid", *labels, "$bars << END", *bars, "END",
        "plot $bars using (100):2:(100):1:($2-0.35):($2+0.35):3 with boxxyerror linecolor rgb variable"]))
    return True


def _latency(figures: Figures, file: Path) -> bool:
    """Percentiles over the offered load, from when a command was due."""
    lines = []
    for percent in range(1, 100):
        row = figures.get(f"p99 at {percent} % of the maximum, 64 connections")
        if row is not None:
            lines.append(" ".join(str(row.note(n)) for n in
                                  ("commands_per_second", "p50_ms", "p90_ms", "p99_ms", "p999_ms")))
    if len(lines) < 2:
        return False
    curves = ", ".join(f"$points using ($1/1000):{column} with linespoints linewidth 2 pointtype 7 "
                       f"pointsize 0.5 title '{title}'"
                       for column, title in enumerate(("p50", "p90", "p99", "p99.9"), start=2))
    _draw(file, 420, "\n".join([
        "set logscale y", "set xlabel 'thousand commands a second, open loop'",
        "set ylabel 'ms from when the command was due'", "set key top left", "set xrange [0:*]",
        "$points << END", *lines, "END", f"plot {curves}"]))
    return True


def _slow_disk(figures: Figures, file: Path) -> bool:
    """What slower syncs leave of it."""
    series = ((f.CONSUME_64_16, "consume, 64 × 16"), (f.TPC_B, f.TPC_B), (f.SQL_16, "plain SQL, 16 clients"))
    blocks, curves = [], []
    for name, title in series:
        points = [(delay, row.value) for delay in (0, 1, 5) if (row := figures.get(f.delayed(name, delay)))]
        if len(points) > 1:
            blocks += [f"$s{len(curves)} << END", *(f"{x} {y}" for x, y in points), "END"]
            curves.append(f"$s{len(curves)} using 1:2 with linespoints linewidth 2 pointtype 7 title '{title}'")
    if not curves:
        return False
    _draw(file, 380, "\n".join([
        "set logscale y", "set xlabel 'added to each fsync, ms'", "set ylabel 'a second'",
        "set xrange [-0.2:5.2]", "set yrange [100:*]", "set key center right", *blocks,
        "plot " + ", ".join(curves)]))
    return True


def write(figures: Figures, folder: Path) -> list[Path]:
    """The files that were written; a plot without enough figures is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    drawers = {"throughput": _throughput, "latency": _latency, "slow_disk": _slow_disk}
    return [file for name, draw in drawers.items()
            if draw(figures, file := folder / f"{name}.svg")]
