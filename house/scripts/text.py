"""A script as logical lines with its variables filled in: shell, Taskfiles, justfiles and Makefiles alike. Knows no kubectl."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from house.files.paths import is_file, is_folder, is_link
from house.files.problems import shown
from house.settings.values import FILL_IN

_LARGEST = 1 << 18
_NAMED = re.compile(r"(?i)(\.sh|\.bash|\.zsh|\.just|\.mk|^taskfile.*\.ya?ml|^\.?justfile|^makefile|^\.?mise\.toml)$")
_TASKS = (".taskfiles", "taskfiles", ".tasks")
_ELSEWHERE = {".git", ".venv", "node_modules", "kubernetes", ".github", ".direnv", ".private"}
_ASSIGNED = (
    re.compile(r"^\s*(?:(?:export|local|readonly|declare|typeset)\s+(?:-\w+\s+)*)?([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|[^\s;&|()]+)\s*;?\s*$"),
    re.compile(r"^\s*-?\s*([A-Za-z_]\w*)\s*:\s+(\"[^\"]*\"|'[^']*'|[^\s{|>\[]\S*)\s*$"),
    re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*[:?]?=\s+?(\"[^\"]*\"|'[^']*'|\S+)\s*$"),
)  # fmt: skip
_VARIABLE = re.compile(
    r"\$\{([A-Za-z_]\w*)(?::?-([^}]*))?\}|\$\(([A-Za-z_]\w*)\)|\$([A-Za-z_]\w*)"
    r"|\{\{-?\s*\.?([A-Za-z_]\w*)(?:\s*\|\s*default\s+[\"']?([^\"'}]*?)[\"']?)?\s*-?\}\}"
)
_OWN_FOLDER = re.compile(r"\{\{-?\s*(?:source|justfile|module|invocation)_dir(?:ectory)?\(\)\s*-?\}\}")
"""just's own words for a folder: the script's, or the root's."""
_SPACED = re.compile(r"\{\{-?[ \t]*(\.?[A-Za-z_]\w*)[ \t]*-?\}\}")
"""A variable that a command line would be cut at."""
_HERE = re.compile(r"<<-?\s*([\"']?)([A-Za-z_]\w*)\1")

_PRINTS = re.compile(r"(?:-[ \t]+|cmd:[ \t]*|[@-])*[\"']?(?:echo|printf|cat[ \t]+<<)")
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|'[^']*'")
_COMMAND = re.compile(r"\b(?:kubectl|helm)\b")
_GOES_ON = re.compile(r"[|>;&]|\$\(|`")


@dataclass(frozen=True)
class Line:
    """One logical line: continuations joined, comments gone. `number` is where it begins; `here` the text of its here-document."""

    number: int
    text: str
    here: str = ""


@dataclass(frozen=True)
class Script:
    """One script of the repository; `name` as messages call it."""

    file: Path
    name: str
    text: str

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Every logical line that is no comment; the lines of here-documents stand for themselves too."""
        return tuple(_lines(_SPACED.sub(r"{{\1}}", _OWN_FOLDER.sub(".", self.text))))

    @cached_property
    def variables(self) -> dict[str, str]:
        """What the script itself says of its variables: the first value of each."""
        found: dict[str, str] = {}
        for line in self.lines:
            for form in _ASSIGNED:
                match = form.match(line.text)
                if match and "$(" not in match[2] and "`" not in match[2]:
                    found.setdefault(match[1], match[2].strip("\"'"))
        return found

    def filled(self, text: str, unknown: str = FILL_IN, depth: int = 4) -> str:
        """The text with its variables' values; `unknown` stands for those that the script does not tell."""

        def value(match: re.Match[str]) -> str:
            name = match[1] or match[3] or match[4] or match[5]
            known = self.variables.get(name, match[2] or match[6])
            return unknown if known is None else self.filled(known, unknown, depth - 1) if depth else known

        return _VARIABLE.sub(value, text)


def scripts_of(root: Path) -> Iterator[Script]:
    """Every script of a repository, by name. What Flux applies is none."""
    for folder in sorted(path for path in (root, *_folders(root))):
        for file in sorted(folder.iterdir()):
            if is_file(file) and not is_link(file) and file.stat().st_size <= _LARGEST and _is_script(file):
                try:
                    yield Script(file, shown(file, root), file.read_text(encoding="utf-8"))
                except (OSError, UnicodeDecodeError):
                    continue


def _folders(folder: Path, depth: int = 4) -> Iterator[Path]:
    for path in folder.iterdir():
        if depth and is_folder(path) and not is_link(path) and path.name not in _ELSEWHERE:
            yield path
            yield from _folders(path, depth - 1)


def _is_script(file: Path) -> bool:
    if _NAMED.search(file.name) or (file.suffix in (".yaml", ".yml") and set(_TASKS) & set(file.parts)):
        return True
    if file.suffix:
        return False
    with file.open("rb") as opened:
        return opened.read(2) == b"#!"


def _lines(text: str) -> Iterator[Line]:
    raw = text.splitlines()
    at = shown_until = 0
    while at < len(raw):
        number, joined = at + 1, raw[at].rstrip()
        at += 1
        if joined.lstrip().startswith(("#", "//")):
            continue
        while joined.endswith("\\") and at < len(raw):
            joined = f"{joined[:-1].rstrip()} {raw[at].strip()}"
            at += 1
        here, end = _here(joined, raw, at)
        prints = _only_prints(joined)
        # A line of what is shown may look like one that shows something itself, and ends nothing of it.
        shown_until = max(shown_until, end) if prints else shown_until
        # What is shown may be handed on by who calls, as a URL or a Secret is; a command that is shown is not run.
        if (prints or number <= shown_until) and _COMMAND.search(joined):
            continue
        yield Line(number, joined.strip(), here)


def _only_prints(line: str) -> bool:
    """Whether a line shows some text, and hands it to no other command of the line."""
    return bool(_PRINTS.match(line.strip())) and not _GOES_ON.search(_QUOTED.sub("", line))


def _here(line: str, raw: list[str], at: int) -> tuple[str, int]:
    """The here-document that begins on this line, and the number of the line that ends it; "" and 0 for none or one without an
    end."""
    match = _HERE.search(line)
    if match is None:
        return "", 0
    for end in range(at, len(raw)):
        if raw[end].strip() == match[2]:
            body = raw[at:end]
            indent = min((len(each) - len(each.lstrip()) for each in body if each.strip()), default=0)
            return "\n".join(each[indent:] for each in body), end + 1
    return "", 0
