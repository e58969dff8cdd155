#!/bin/sh
# Runs every test with the interpreter given as the first argument; further arguments go to pytest.
# Two workers: the suite starts databases, brokers, cameras and browsers of its own and is bound by waiting, not by cores.
set -eu
py=$1
shift
if [ $# -gt 0 ]; then exec "$py" -m pytest "$@"; fi
# Brokers, cameras and browsers keep real time: on a machine that is busy a wait can run out. Such a test is run once
# more and shows as "rerun" in the summary; one that fails twice fails.
exec "$py" -m pytest -q -n 2 --dist loadfile -m "not soak" --reruns 1 --reruns-delay 2 --durations=15
