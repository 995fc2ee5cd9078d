#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Check that Documentation/textbook.rst names tests that exist.

In its paragraphs "Shown by:" stand, in double backquotes, test files, "file: case", and further cases of the file named
last; * stands for the rest of a name. What else is quoted there (a command, a counter) is told by KNOWN.
"""
import glob
import os
import re
import sys

TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KNOWN = re.compile(r"make run|scripts/\S+ .*|Drop\w+")


def source(test):
    """The text of a test, "": there is none of that name"""
    names = [test + ".c", test + ".sh", re.sub("^wire_", "wire/test_", test) + ".c", test + "/*.c"]
    files = [file for name in names for file in glob.glob(os.path.join(TREE, "selftests", name))]
    return "".join(open(file, encoding="utf-8").read() for file in files)


def has_case(text, case):
    """"case", or "fixture.case" as the packet-level tests have it"""
    return re.search(r"\b%s\b" % re.escape(case).replace(r"\*", r"\w*").replace(r"\.", ", "), text)


def faults(paragraph):
    text = ""
    for name in re.findall(r"``([^`]+)``", re.sub(r"\s+", " ", paragraph)):
        test, _, case = name.rpartition(": ")
        if not test and source(name):
            test, case = name, ""
        text = source(test) if test else text
        if case and not KNOWN.fullmatch(name) and not has_case(text, case):
            yield "Documentation/textbook.rst names ``%s``, which is no test" % name


def main():
    with open(os.path.join(TREE, "Documentation", "textbook.rst"), encoding="utf-8") as page:
        paragraphs = re.findall(r"\| Shown by:(.*?)(?:\n\n|\Z)", page.read(), re.S)
    found = [fault for paragraph in paragraphs for fault in faults(paragraph)]
    print("\n".join(found), end="\n" if found else "")
    return bool(found) or not paragraphs


sys.exit(main())
