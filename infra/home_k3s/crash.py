"""Why the model server ended, of all that its log says."""

from __future__ import annotations

import re

LOG_LINES = 400
"""That reach back to the error of vLLM's engine: two tracebacks and the server's own follow it."""
_PREFIX = re.compile(r"^\(\w+ pid=\d+\) (?:ERROR [-\d]+ [:\d]+ \[\S+\] ?)?")
"""vLLM's, of a line that one of its processes wrote."""
_ERROR = re.compile(r"^(?:[\w.]*(?:Error|Exception)(?::|$)|\S+: error: )")
"""Python's last line of a traceback; argparse's of a wrong flag."""
_POINTER = re.compile(r"root cause", re.IGNORECASE)
"""vLLM's server ends with "See root cause above" when it was its engine that failed."""


def error_in(log: str) -> str:
    """The last error, with the indented lines that explain it; empty where the log has none."""
    lines = [_PREFIX.sub("", line.rstrip()) for line in log.splitlines()]
    found = [n for n, line in enumerate(lines) if _ERROR.match(line) and not _POINTER.search(line)]
    if not found:
        return ""
    first = found[-1]
    after = next((n for n in range(first + 1, len(lines)) if lines[n][:1] != " "), len(lines))
    return "\n".join(lines[first:after])


def in_one_line(log: str) -> str:
    """The last error, or the last line of a log without one; empty of an empty log."""
    return " ".join((error_in(log) or log.strip().rpartition("\n")[2]).split())
