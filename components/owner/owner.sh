#!/bin/sh
# Whose a part of this host is. A name is kept as the JSON text that it came as.
#   claim    PARTS (words), OWNER, FORMERLY (what the owner was called before, a line each): takes them, all or none.
#            Result: the owners of all of them
#   release  PARTS, OWNER, FORMERLY: gives back those that are this owner's
#   look     PARTS: the owners
set -eu

folder=/etc/pulumi-swarm

owners() {
  list=""
  for part in $PARTS; do list="$list${list:+,}\"$part\":$(cat "$folder/owner.$part" 2>/dev/null || echo null)"; done
  echo "{$list}"
}

# Whether a name is this owner's.
ours() {
  [ "$1" = "$OWNER" ] || printf '%s\n' "$FORMERLY" | grep -qxF -e "$1"
}

claim() {
  for part in $PARTS; do
    name=$(cat "$folder/owner.$part" 2>/dev/null || true)
    if [ -n "$name" ] && ! ours "$name"; then return 0; fi
  done
  install -d -m 0700 "$folder"
  for part in $PARTS; do
    printf '%s' "$OWNER" >"$folder/owner.$part.new"
    mv "$folder/owner.$part.new" "$folder/owner.$part"
  done
}

release() {
  for part in $PARTS; do
    name=$(cat "$folder/owner.$part" 2>/dev/null || true)
    if [ -n "$name" ] && ours "$name"; then rm -f "$folder/owner.$part"; fi
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
