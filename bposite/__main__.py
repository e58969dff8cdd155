"""``python -m bposite``: the same command as ``bposite``."""

from bposite.cli import main

main()
