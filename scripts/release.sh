#!/usr/bin/env bash
# Tag a release. Version and changelog are edited before, by hand; this checks that they agree.
set -euo pipefail

version=$(PYTHONPATH=functions "$1" -c 'from flywheel.version import PRODUCT_VERSION as v; print(v)')
tag="v$version"

fail() {
  echo "$1" >&2
  exit 1
}

[ -z "$(git status --porcelain)" ] || fail "There are changes that are not committed. Commit them first."
[ "$(git branch --show-current)" = main ] || fail "This is not the branch main. Releases are made from it."
if git rev-parse --quiet --verify "refs/tags/$tag" >/dev/null; then
  fail "$tag is there already. Raise PRODUCT_VERSION in functions/flywheel/version.py."
fi
grep -qE "^## \[$version\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$" CHANGELOG.md ||
  fail "CHANGELOG.md has no heading '## [$version] - YYYY-MM-DD'. Give what is Unreleased that heading."
git tag --annotate --message "$tag" "$tag"
echo "Tagged $tag. Publish it with: git push origin main $tag"
