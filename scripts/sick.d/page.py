# SPDX-License-Identifier: GPL-2.0
"""Documentation/why-slow.rst as scripts/sick reads it: scenes, the commands of each, what they printed, what they must show.

A scene begins at the comment ".. sick: NAME" and ends at the next one or the page's end. A command is a line of a literal
block that begins with the name of a host and "# "; the block's lines behind it are what it printed. The comment
".. shows: PATTERN" below is a regular expression that must be found in what the last command printed, ".. never: PATTERN" one
that must not.
"""
import re
import textwrap

WIDTH = 110
SCENE = re.compile(r"\.\. sick: (\S+)")
COMMAND = re.compile(r"    (near|far)# (.*)")
SHOWS = re.compile(r"\.\. (shows|never): (.*)")


class Command:
    def __init__(self, scene, host, text, line):
        self.scene, self.host, self.text, self.line = scene, host, text, line
        self.end = line + 1     # of what it printed
        self.patterns = {"shows": [], "never": []}

    def wrong(self, output):
        """What is the matter with that output, None: nothing"""
        missing = [text for text in self.patterns["shows"] if not re.search(text, output)]
        found = [text for text in self.patterns["never"] if re.search(text, output)]
        if missing or found:
            return "it does not show %s, and shows %s, which it must not" % (missing, found)
        return None


def read(path):
    """The page's lines and its commands in order"""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    commands, scene, printing = [], None, False
    for at, line in enumerate(lines):
        found = SCENE.match(line), COMMAND.match(line), SHOWS.match(line)
        if found[0]:
            scene = None if found[0].group(1) == "end" else found[0].group(1)
        elif found[1] and scene:
            commands.append(Command(scene, *found[1].groups(), at))
            printing = True
        elif found[2]:
            commands[-1].patterns[found[2].group(1)].append(found[2].group(2))
        elif printing and line.startswith("    "):
            commands[-1].end = at + 1
        elif line:
            printing = False
    return lines, commands


def folded(text):
    """The lines of what was printed, long ones in several"""
    for line in text.rstrip("\n").split("\n"):
        indent = " " * (len(line) - len(line.lstrip()))
        yield from textwrap.wrap(line, WIDTH, subsequent_indent=indent, drop_whitespace=False) or [""]


def write(path, outputs):
    """Put what each command printed (a list in the page's order; None: leave it) below it"""
    lines, commands = read(path)
    for command, output in reversed(list(zip(commands, outputs))):
        if output is not None:
            printed = [("    " + line).rstrip() for line in folded(output)] if output.strip() else []
            lines[command.line + 1:command.end] = printed
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))
