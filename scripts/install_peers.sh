#!/usr/bin/env bash
# Install into a virtual environment what the benchmarks need: the product as it is pinned, and beside it
# the peers. A peer that does not install with these pins is left out; its table says so.
set -euo pipefail

install=("$1/bin/python" -m pip install --quiet --disable-pip-version-check)
peers=benchmarks/requirements.txt

"${install[@]}" -r requirements.txt
"${install[@]}" --constraint requirements-dev.txt setuptools
"${install[@]}" --no-deps --no-build-isolation -e .
if ! "${install[@]}" --constraint requirements.txt -r "$peers"; then
  grep '==' "$peers" | while read -r peer; do
    "${install[@]}" --constraint requirements.txt "$peer" || echo "Left out: $peer"
  done
fi
