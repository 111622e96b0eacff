#!/usr/bin/env bash
# Check that this machine has what setup needs, and say the one thing to do when it has not.
# With --python it prints the Python to use.
set -euo pipefail

least_free_mb=2500

# Python 3.13 is what the functions run on in Lambda; others do as well. One that pyenv has installed but
# not switched on counts too.
find_python() {
  local version candidate
  for version in 3.13 3.12 3.11; do
    for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version".*/bin/python3; do
      if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$candidate"
        return
      fi
    done
  done
  for candidate in python3 python3.14; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
}

python=$(find_python)
if [ "${1:-}" = "--python" ]; then
  echo "$python"
  exit
fi
if [ -z "$python" ]; then
  echo "Python 3.11 or later is missing. Install it: https://www.python.org/downloads/" >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  echo "$python has no venv module. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2
  exit 1
fi
if ! command -v node >/dev/null; then
  echo "Node.js 20 or later is missing (the CDK runs on it). Install it: https://nodejs.org/" >&2
  exit 1
fi
major=$(node --version | sed -E 's/^v([0-9]+).*/\1/')
if [ "$major" -lt 20 ]; then
  echo "Node.js $(node --version) is too old. Install 20 or later: https://nodejs.org/" >&2
  exit 1
fi
free_mb=$(df -Pm . | awk 'NR == 2 {print $4}')
if [ "$free_mb" -lt "$least_free_mb" ]; then
  echo "Only $free_mb MB of disk are free here; setup needs $least_free_mb MB. Free some space." >&2
  exit 1
fi
