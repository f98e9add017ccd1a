#!/bin/sh
# Tags the Go package of a release: tools/release/tag-go.sh VERSION
# Go gets a module out of a repository by its tag. The package is generated and not in main, so the tag is on a commit of its own, which has
# the files of sdk/go beside those of HEAD. Neither HEAD nor the index is changed, and nothing is pushed.
set -eu

version=$1
folder=sdk/go
tag="$folder/v$version"

[ -f "$folder/go.mod" ] || {
  echo "There is no $folder/go.mod. Fix: write the package first: pulumi package gen-sdk SCHEMA --language go --out sdk" >&2
  exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
GIT_INDEX_FILE="$work/index"
export GIT_INDEX_FILE
git read-tree HEAD
git add --force -- "$folder"
commit=$(git commit-tree -p HEAD -m "Go package $version" "$(git write-tree)")
git tag "$tag" "$commit"
echo "$tag"
