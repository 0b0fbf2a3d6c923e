"""The figures for people: Markdown tables, and their place in a page that is written by hand otherwise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .figures import Figures, Row, comparisons

BEGIN = "<!-- written by bench/run from here -->"
END = "<!-- to here -->"


def number(value: float) -> str:
    """Three significant digits or all before the point, thousands separated."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _spread(of: float | None) -> str:
    return "one run" if of is None else f"{of:.0%}"


def _table(head: list[str], lines: list[list[str]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [head, ["---"] * len(head), *lines]) + "\n"


def _bound(entry: dict[str, Any], which: str) -> str:
    sign = "≤ " if entry["less_is_better"] else ""
    return sign + number(entry[which]) + (" ×" if entry["beside"] else f" {entry['unit']}")


def _targets(figures: Figures) -> str:
    lines = []
    for entry in comparisons(figures):
        beside = entry["beside"]
        lines.append([
            entry["name"], f"{number(entry['value'])} {entry['unit']}", _spread(entry["spread"]),
            f"{beside['name']}: {number(beside['value'])}" if beside else "–",
            f"**{number(entry['ratio'])} ×**" if beside else "–",
            _bound(entry, "at_least"), _bound(entry, "dream"), entry["reached"]])
    return _table(["what", "median", "spread", "beside", "ratio", "at least", "dream", "reached"], lines)


def _load_line(row: Row) -> list[str]:
    notes = {name: row.note(name) or 0.0 for name in row.notes}
    return [row.name, number(notes["commands_per_second"]),
            " / ".join(number(notes[p]) for p in ("p50_ms", "p90_ms", "p99_ms", "p999_ms")),
            " / ".join(f"{notes[p]:.1f}" for p in ("engine_us", "database_us", "driver_us")),
            _spread(row.spread)]


def _load(figures: Figures) -> str:
    lines = [_load_line(row) for row in figures.all() if "engine_us" in row.notes]
    return _table(["Accrue", "commands/s", "p50 / p90 / p99 / p99.9 ms",
                   "µs of CPU a command: engine / PostgreSQL / driver", "spread"], lines)


def _others(figures: Figures) -> str:
    lines = []
    for row in figures.all():
        if "engine_us" not in row.notes:
            seen = ", ".join(f"{name.replace('_', ' ')} {number(row.note(name) or 0.0)}" for name in row.notes)
            lines.append([row.name, f"{number(row.value)} {row.unit}", _spread(row.spread), seen or "–"])
    return _table(["peers and sizes", "median", "spread", "with it"], lines)


def markdown(machine: dict[str, object], figures: Figures, how: str, plots: list[str]) -> str:
    """All of it, plots by the names of their files."""
    where = (f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
             f"{machine['file_system']}, fdatasync {machine['fdatasync_us']} µs, Linux {machine['kernel']}, "
             f"PostgreSQL {machine['postgresql']}, Accrue {machine['commit']}.")
    parts = [where + " " + how, "### What it must reach", _targets(figures),
             *(f"![{Path(plot).stem.replace('_', ' ')}]({plot})\n" for plot in plots),
             "### Accrue under load", _load(figures), "### Peers, sizes, times", _others(figures)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def between_markers(page: str, text: str) -> str:
    """The page with the text in place of what stood between the markers."""
    pattern = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.S)
    if len(pattern.findall(page)) != 1:
        raise ValueError(f"the page needs one line '{BEGIN}' and after it one line '{END}'")
    return pattern.sub(lambda _: f"{BEGIN}\n\n{text}\n{END}", page)
