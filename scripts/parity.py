#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Makes the tables of Documentation/parity.rst of selftests/parity.rows.

The rows are the one source: selftests/parity.c plays every option among them, this writes them out for people, and
makes sure that a call's row names a test that exists.

    scripts/parity.py --check     fail if parity.rst is not what the rows make, or a call's test is not there
    scripts/parity.py --write     write it
"""
import fnmatch
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
ROWS = TOP / "selftests/parity.rows"
PAGE = TOP / "Documentation/parity.rst"
BEGIN, END = ".. rows begin\n", ".. rows end\n"
KINDS = ("stream", "dgram")


class Bad(Exception):
    """What is wrong with a row."""


def cases_of(name):
    """The names of the cases in a test file, with the file's own."""
    for path in (TOP / "selftests" / (name + ".c"), TOP / "selftests" / (name + ".sh")):
        if path.exists():
            text = path.read_text(encoding="utf-8")
            return re.findall(r"\bSITUATION\((\w+)\)|\bTEST_F\w*\(\w+,\s*(\w+)|^TEST\w*\((\w+)|^(\w+)\(\)", text, re.M)
    raise Bad("no test file " + name)


def check_test(where):
    """where: FILE or FILE:CASE, wildcards in CASE."""
    name, _, pattern = where.partition(":")
    cases = ["".join(c) for c in cases_of(name)]
    if pattern and not fnmatch.filter(cases, pattern):
        raise Bad("%s has no case %s" % (name, pattern))


def verdict_text(verdict):
    word, _, rest = verdict.partition(" ")
    if word == "same":
        return "the same"
    if word == "refused":
        return "refused: %s" % rest
    if word == "differs":
        return "differs"
    if word == "newer":
        return "the same, where TCP has it"
    if word == "varies":
        return "differs, by kernel"
    raise Bad("verdict " + verdict)


class Table:
    def __init__(self, title):
        self.title, self.rows = title, []
        self.head = ("Option", "Number", "Values tried", "Verdict", "Note")

    def option(self, fields, verdict, note):
        kind, level, name, number, kind_of_value, values = fields
        if kind not in KINDS:
            raise Bad("kind " + kind)
        both = " (also SOL_HAUL)" if level.endswith("+") else ""
        tried = "read only" if values == "-" else values.replace(",", ", ")
        self.rows.append(("%s%s" % (name, both), number, "%s: %s" % (kind_of_value.rstrip("?"), tried),
                          verdict_text(verdict), "" if note == "-" else note))

    def call(self, name, verdict, tests, note):
        for test in tests.split():
            check_test(test)
        self.head = ("Call", "Tested by", "Verdict", "Note")
        self.rows.append((name, ", ".join(tests.split()), verdict_text(verdict), "" if note == "-" else note))

    def setting(self, name, verdict, note):
        word, _, own = verdict.partition(" ")
        if (word == "haul") != bool(own) or word not in ("haul", "shared", "none"):
            raise Bad("verdict " + verdict)
        here = {"haul": "net.haul." + own, "shared": "the same one", "none": "none"}[word]
        self.head = ("Setting", "Haul's", "Note")
        self.rows.append((name, here, "" if note == "-" else note))

    def text(self):
        out = [self.title, "-" * len(self.title), "", ".. list-table::", "   :header-rows: 1", ""]
        for row in [self.head] + self.rows:
            for i, cell in enumerate(row):
                mark = "   * - " if i == 0 else "     - "
                out.append((mark + re.sub(r"(\*|_(?=[_*\s]|$))", r"\\\1", cell)).rstrip())
        return "\n".join(out) + "\n\n"


def read_rows():
    tables = []
    for number, line in enumerate(ROWS.read_text(encoding="utf-8").splitlines(), 1):
        try:
            if not line or line.startswith("#"):
                continue
            if line.startswith("= "):
                tables.append(Table(line[2:]))
                continue
            columns = [c.strip() for c in line.split("|")]
            if line.startswith("call "):
                if len(columns) != 4:
                    raise Bad("not call NAME | VERDICT | TESTS | note")
                tables[-1].call(columns[0][5:], *columns[1:])
            elif line.startswith("setting "):
                if len(columns) != 3:
                    raise Bad("not setting NAME | VERDICT | note")
                tables[-1].setting(columns[0][8:], *columns[1:])
            else:
                if len(columns) != 3 or len(columns[0].split()) != 6:
                    raise Bad("not KIND LEVEL NAME NUMBER TYPE VALUES | VERDICT | note")
                tables[-1].option(columns[0].split(), *columns[1:])
        except Bad as err:
            sys.exit("%s:%d: %s" % (ROWS.relative_to(TOP), number, err))
    return tables


def main():
    if sys.argv[1:] not in (["--check"], ["--write"]):
        sys.exit(__doc__)
    page = PAGE.read_text(encoding="utf-8")
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    made = before + BEGIN + "\n" + "".join(table.text() for table in read_rows()) + END + after
    if sys.argv[1] == "--write":
        PAGE.write_text(made, encoding="utf-8")
    elif made != page:
        sys.exit("Documentation/parity.rst is not what selftests/parity.rows makes: scripts/parity.py --write")


if __name__ == "__main__":
    main()
