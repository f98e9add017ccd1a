#!/bin/sh
# Whose a part of this host is. A name is kept as the JSON text that it came as.
#   claim    PARTS (words), OWNER: takes them, all or none. Result: the owners of all of them
#   release  PARTS, OWNER: gives back those that are this owner's
#   look     PARTS: the owners
set -eu

folder=/etc/pulumi-swarm

owners() {
  list=""
  for part in $PARTS; do list="$list${list:+,}\"$part\":$(cat "$folder/owner.$part" 2>/dev/null || echo null)"; done
  echo "{$list}"
}

claim() {
  for part in $PARTS; do
    case $(cat "$folder/owner.$part" 2>/dev/null || true) in "$OWNER" | "") ;; *) return 0 ;; esac
  done
  install -d -m 0700 "$folder"
  for part in $PARTS; do
    printf '%s' "$OWNER" >"$folder/owner.$part.new"
    mv "$folder/owner.$part.new" "$folder/owner.$part"
  done
}

release() {
  for part in $PARTS; do
    if [ "$(cat "$folder/owner.$part" 2>/dev/null || true)" = "$OWNER" ]; then rm -f "$folder/owner.$part"; fi
  done
  rmdir "$folder" 2>/dev/null || true
  echo '{}'
}

case "$1" in
  claim) claim && owners ;;
  release) release ;;
  look) owners ;;
  *) die "unknown verb $1" ;;
esac
