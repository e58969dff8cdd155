"""The table of reasons as the contract's README prints it (write it anew: ``python -m tests.contract.table``)."""

from pathlib import Path

from bposite.doors.reasons import REASONS

README = Path(__file__).resolve().parents[2] / "hardware" / "contract" / "README.md"
START, END = "<!-- reasons: made by tests/contract, do not edit by hand -->\n", "<!-- end of reasons -->"


def reasons_table() -> str:
    """Every reason: code, classes, meaning, BACnet name."""
    rows = [f"| `{r.code}` | {', '.join(r.classes)} | {r.meaning} | {r.bacnet} |" for r in REASONS.values()]
    return "\n".join(["", "| reason | class | meaning | BACnet |", "|---|---|---|---|", *rows, "", ""])


def write() -> None:
    """Put the table into the README."""
    text = README.read_text("utf-8")
    head, _, rest = text.partition(START)
    README.write_text(head + START + reasons_table() + END + rest.partition(END)[2], "utf-8")


if __name__ == "__main__":
    write()
