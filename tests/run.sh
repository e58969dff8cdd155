#!/bin/sh
# Runs every test with the interpreter given as the first argument; further arguments go to pytest.
# Two workers: the suite starts databases, brokers, cameras and browsers of its own and is bound by waiting, not by cores.
set -eu
py=$1
shift
if [ $# -gt 0 ]; then exec "$py" -m pytest "$@"; fi
exec "$py" -m pytest -q -n 2 --dist loadfile -m "not soak" --durations=15
