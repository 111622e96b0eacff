#!/usr/bin/env bash
# Look the pinned packages up among known vulnerabilities; skip, and say so, where none can be had.
set -euo pipefail

pip_audit=$1
advisories=https://pypi.org/pypi/pip/json

if ! curl --silent --fail --output /dev/null --max-time 10 "$advisories"; then
  echo "SKIPPED: $advisories cannot be reached, so nothing was looked up."
  exit
fi
"$pip_audit" --require-hashes --disable-pip --progress-spinner off -r requirements-dev.txt
