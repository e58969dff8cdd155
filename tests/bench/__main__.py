"""``./run bench [NAME ...]``: every benchmark, or the named ones; the usual way is measured beside ours in one run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def names() -> list[str]:
    """The benchmarks there are, by file name."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__main__")


def main() -> int:
    """Run them one after the other; the exit code is that of the last one that failed."""
    unknown = sorted(set(sys.argv[1:]) - set(names()))
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    code = 0
    for name in sys.argv[1:] or names():
        print(f"== {name}", flush=True)
        code = (
            subprocess.run([sys.executable, "-m", f"tests.bench.{name}"], cwd=FOLDER.parent.parent).returncode or code
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
