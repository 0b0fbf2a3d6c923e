"""Medians, comparisons, the JSON document, the page and pgbench's words, without measuring anything.
Numbers are worked out by hand in the comments."""

import json
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from side_by_side import figures as f  # noqa: E402
from side_by_side import page, peers  # noqa: E402
from side_by_side.load import Shape  # noqa: E402
from side_by_side.machine import CannotMeasure  # noqa: E402

MACHINE: dict[str, object] = {
    "cpu": "a CPU", "cores": 2, "memory_gb": 24.0, "file_system": "ext4", "fdatasync_us": 90,
    "kernel": "6.1", "postgresql": "15.1", "commit": "abc"}


def measured() -> f.Figures:
    figures = f.Figures()
    for value in (90_000.0, 120_000.0, 100_000.0):
        figures.add(f.CONSUME_64_16, "commands/s", value, commands_per_second=value, p50_ms=1, p90_ms=2,
                    p99_ms=3, p999_ms=4, engine_us=3, database_us=4, driver_us=1)
    for value in (5_000.0, 4_000.0, 6_000.0):
        figures.add(f.SQL_16, "transfers/s", value)
    for value in (4.0, 2.0, 3.0):
        figures.add(f.OPEN_40K, "ms", value)
    for value in (0.2, 0.1, 0.3):
        figures.add(f.COMMIT_P99, "ms", value)
    figures.add(f.IDLE_BYTES, "bytes", 5_000)
    figures.add(f.COPY, "rows/s", 400_000)
    return figures


class Rows(unittest.TestCase):
    def test_median_and_spread(self) -> None:
        row = measured().get(f.CONSUME_64_16)
        assert row is not None
        self.assertEqual(row.value, 100_000)
        self.assertAlmostEqual(row.spread or 0, 0.3)  # (120 - 90) / 100
        alone = measured().get(f.IDLE_BYTES)
        assert alone is not None
        self.assertIsNone(alone.spread)

    def test_targets(self) -> None:
        found = {(e["name"], (e["beside"] or {}).get("name")): e for e in f.comparisons(measured())}
        more = found[f.CONSUME_64_16, f.SQL_16]
        self.assertAlmostEqual(more["ratio"], 20)  # 100,000 / 5,000: above 15, below 40
        self.assertEqual(more["reached"], "at least")
        less = found[f.OPEN_40K, f.COMMIT_P99]
        self.assertAlmostEqual(less["ratio"], 15)  # 3 / 0.2: below 20, above 8
        self.assertEqual(less["reached"], "at least")
        self.assertEqual(found[f.IDLE_BYTES, None]["reached"], "no")  # 5,000 is more than 4,096
        self.assertNotIn((f.CONSUME_64_16, f.TPC_B), found)  # not measured
        for target in f.TARGETS:
            self.assertEqual(target.reached(target.dream), "dream")
            self.assertEqual(target.reached(target.at_least), "at least")

    def test_names_are_those_of_the_shapes(self) -> None:
        self.assertEqual("consume, " + Shape(64, 16).name, f.CONSUME_64_16)
        self.assertEqual("consume, " + Shape(64, 1).name, f.CONSUME_64_1)
        self.assertEqual("consume, " + Shape(64, 16, 10).name, f.CONSUME_HOT)
        self.assertEqual(Shape(16, 1, 1).name, "16 × 1, 1 customer")


class Document(unittest.TestCase):
    def test_schema(self) -> None:
        document = json.loads(json.dumps(f.document(MACHINE, measured())))
        self.assertEqual(set(document), {"machine", "rows"})
        names = [row["name"] for row in document["rows"]]
        for row in document["rows"]:
            self.assertLessEqual({"name", "unit", "value", "spread", "beside", "ratio"}, set(row))
            self.assertIsInstance(row["value"], float | int)
            self.assertEqual(row["beside"] is None, row["ratio"] is None)
            if row["beside"] is not None:
                self.assertIn(row["beside"]["name"], names)  # a row of its own
                self.assertAlmostEqual(row["ratio"], row["value"] / row["beside"]["value"])
        self.assertEqual(len(names) - len(set(names)), 1)  # consume stands beside SQL and COPY


class Page(unittest.TestCase):
    def test_only_what_is_between_the_markers_changes(self) -> None:
        before = f"# Mine\n\n{page.BEGIN}\nold\n{page.END}\n\nAlso mine.\n"
        text = page.markdown(MACHINE, measured(), "How.", ["benchmarks/latency.svg"])
        after = page.between_markers(before, text)
        self.assertTrue(after.startswith("# Mine\n"))
        self.assertTrue(after.endswith("\n\nAlso mine.\n"))
        self.assertNotIn("old", after)
        self.assertIn("| consume, 64 × 16, 1,000 customers | 100,000 commands/s | 30% |", after)
        self.assertIn("**20 ×**", after)
        self.assertEqual(page.between_markers(after, text), after)
        with self.assertRaises(ValueError):
            page.between_markers("# No markers\n", text)

    def test_numbers(self) -> None:
        for value, text in ((123_456.7, "123,457"), (99.94, "99.9"), (3.14159, "3.14"), (0.105, "0.105"),
                            (2, "2"), (0, "0")):
            self.assertEqual(page.number(value), text)


class Peers(unittest.TestCase):
    def test_percentile(self) -> None:
        values = [float(v) for v in range(100, 0, -1)]
        self.assertEqual(peers.percentile(values, 0.5), 50)
        self.assertEqual(peers.percentile(values, 0.99), 99)
        self.assertEqual(peers.percentile([7.0], 0.99), 7)

    def test_pgbench(self) -> None:
        said = ("number of transactions actually processed: 1234\nnumber of failed transactions: 0 (0.000%)\n"
                "tps = 617.25 (without initial connection time)\n")
        self.assertEqual(peers.parse_pgbench(said), peers.Throughput(617.25, 1234))
        for broken in ("", said.replace("failed transactions: 0", "failed transactions: 3")):
            with self.assertRaises(CannotMeasure):
                peers.parse_pgbench(broken)


if __name__ == "__main__":
    unittest.main()
