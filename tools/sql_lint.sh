#!/usr/bin/env bash
# Checks that the SQL keeps to what runs on distributed PostgreSQL too (persistence/migrations/*.sql and
# the string literals of persistence/): no foreign keys, triggers, sequences, advisory locks, LISTEN,
# plpgsql, savepoints; each table with a column `customer` has (namespace, customer) in its primary key.
# Usage: tools/sql_lint.sh [ROOT]; prints every breach, exits 1 if there is one.
set -euo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"
exec python3 - <<'PY'
import pathlib
import re
import sys

BANNED = [
    ("foreign key", r"\bforeign\s+key\b|\breferences\s+[\w.\"]+"),
    ("trigger", r"\btrigger\b"),
    ("sequence", r"\b(create|alter|drop)\s+(temp(orary)?\s+)?sequence\b|\b(nextval|setval|currval)\s*\("
                 r"|\b(small|big)?serial\b|\bas\s+identity\b"),
    ("advisory lock", r"\bpg_(try_)?advisory_"),
    ("LISTEN/NOTIFY", r"\b(un)?listen\s+[\w\"*]|\bnotify\s+[\w\"]|\bpg_notify\b"),
    ("plpgsql", r"\bplpgsql\b|\bdo\s+\$"),
    ("savepoint", r"\bsavepoint\b"),
]
breaches = []


def blank(match):
    """The same number of lines, no text."""
    return "\n" * match.group(0).count("\n") + " "


def without_comments(sql):
    return re.sub(r"--[^\n]*|/\*.*?\*/", blank, sql, flags=re.S)


# A comment, a raw string, a character or a plain string, whichever begins first.
CPP = re.compile(r'//[^\n]*|/\*.*?\*/|R"(?P<d>[^ ()\\\n]*)\((?P<raw>.*?)\)(?P=d)"'
                 r"|'(?:[^'\\\n]|\\.)'"
                 r'|"(?P<plain>(?:[^"\\\n]|\\.)*)"', re.S)
# What a literal that is SQL begins with; the rest is prose.
STATEMENT = re.compile(r"[\s(]*(select|insert|update|delete|with|create|alter|drop|copy|set|do|begin|lock"
                       r"|values|truncate|listen|unlisten|notify|savepoint|rollback|release)\b", re.I)


def literals(text):
    """(line, text) of the string literals; neighbours are one literal, as for the compiler."""
    found, end = [], None
    for match in CPP.finditer(text):
        content = match["raw"] if match["raw"] is not None else match["plain"]
        if content is None:
            continue
        line_start = text.rfind("\n", 0, match.start()) + 1
        if text[line_start:match.start()].lstrip().startswith("#include"):
            continue
        if end is not None and not text[end:match.start()].strip():
            found[-1][1] += content
        else:
            found.append([text.count("\n", 0, match.start()) + 1, content])
        end = match.end()
    return found


def check_words(path, first_line, sql):
    for what, pattern in BANNED:
        for match in re.finditer(pattern, sql, re.I):
            line = first_line + sql.count("\n", 0, match.start())
            breaches.append(f"{path}:{line}: {what}: {' '.join(match.group(0).split())}")


def split_columns(body):
    parts, depth, start = [], 0, 0
    for i, c in enumerate(body):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(body[start:i])
            start = i + 1
    return [p.strip() for p in parts + [body[start:]] if p.strip()]


def closing(sql, opening):
    depth = 0
    for i in range(opening, len(sql)):
        depth += (sql[i] == "(") - (sql[i] == ")")
        if depth == 0:
            return i
    return len(sql)


def check_tables(path, first_line, sql):
    sql = sql.lower()
    table = re.compile(r"\bcreate\s+((?:unlogged|temp|temporary)\s+)?table\s+(?:if\s+not\s+exists\s+)?([\w.\"]+)\s*\(")
    for match in table.finditer(sql):
        if match[1] and match[1].startswith("temp"):
            continue
        body = sql[match.end():closing(sql, match.end() - 1)]
        columns, key = set(), set()
        for part in split_columns(body):
            name = re.match(r'"?(\w+)"?', part)
            constraint = re.search(r"\bprimary\s+key\s*\(([^)]*)\)", part)
            if constraint:
                key |= {c.strip(' "') for c in constraint[1].split(",")}
            elif name and name[1] not in ("constraint", "check", "unique", "exclude", "like", "primary"):
                columns.add(name[1])
                if re.search(r"\bprimary\s+key\b", part):
                    key.add(name[1])
        if "customer" in columns and not {"namespace", "customer"} <= key:
            line = first_line + sql.count("\n", 0, match.start())
            breaches.append(f"{path}:{line}: table {match[2]} has a column customer, its primary key "
                            f"({', '.join(sorted(key)) or 'none'}) lacks namespace or customer (D5)")
    for match in re.finditer(r"\badd\s+(column\s+)?(if\s+not\s+exists\s+)?customer\b", sql):
        line = first_line + sql.count("\n", 0, match.start())
        breaches.append(f"{path}:{line}: a column customer added later is not in the primary key (D5)")


def check(path, first_line, sql):
    check_words(path, first_line, sql)
    check_tables(path, first_line, sql)


root = pathlib.Path("persistence")
for path in sorted(root.rglob("*.sql")):
    check(path, 1, without_comments(path.read_text()))
for path in sorted([*root.rglob("*.cpp"), *root.rglob("*.hpp")]):
    for line, literal in literals(path.read_text()):
        if STATEMENT.match(literal):
            check(path, line, without_comments(literal))

print("\n".join(breaches), end="\n" if breaches else "")
sys.exit(1 if breaches else 0)
PY
