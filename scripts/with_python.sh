#!/bin/sh
# Runs a script of this folder with $PYTHON (python3); on a machine without any Python it gets one, or says how.
set -eu
PYTHON=${PYTHON:-python3}

if ! command -v "$PYTHON" >/dev/null 2>&1; then
    packages="python3 python3-venv"
    command -v git >/dev/null 2>&1 || packages="$packages git"
    [ -x /usr/bin/bwrap ] || packages="$packages bubblewrap"
    if [ "$PYTHON" = python3 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update
        # shellcheck disable=SC2086 # a list of package names
        DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $packages
    else
        echo "There is no $PYTHON here; Python 3.11 or newer is needed (or set PYTHON=/path/to/python)." >&2
        echo "Run: sudo apt-get install -y $packages" >&2
        exit 1
    fi
fi
exec "$PYTHON" "$@"
