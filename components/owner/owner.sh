#!/bin/sh
# Whose a part of this host is. A name is kept as the JSON text that it came as.
#   claim    PARTS (words), OWNER, FORMERLY (what the owner was called before, a line each): takes them, all or none.
#            Result: the owners of all of them
#   release  PARTS, OWNER, FORMERLY: gives back those that are this owner's
#   look     PARTS: the owners
#   probe    nothing: its functions `owners` and `claimed` are asked by the script after it
set -eu

folder=/etc/pulumi-swarm

unreadable='{"unreadable":true}'

# What there is of a part when somebody keeps it.
kept() {
  case "$1" in
    firewall) [ -e "$folder/firewall.nft" ] ;;
    overlay) [ -e "$folder/weave" ] || [ -e "$folder/flannel" ] || [ -e "$folder/openvswitch" ] ;;
    *) [ -e "$folder/wireguard" ] ;;
  esac
}

# PART: its owner's name, or nothing. Version 0.1.0 left empty files and beginnings of names on full disks: the beginning of this
# owner's name is its own, and an empty file says nothing where the part is not there.
read_name() {
  name=""
  if [ -r "$folder/owner.$1" ]; then IFS= read -r name <"$folder/owner.$1" || true; fi
  case "$name" in
    '"'*'"') ;;
    "") if [ -e "$folder/owner.$1" ] && kept "$1"; then name=$unreadable; fi ;;
    *) case "$OWNER" in "$name"*) name=$OWNER ;; *) name=$unreadable ;; esac ;;
  esac
}

owners() {
  list=""
  for part in $PARTS; do
    read_name "$part"
    list="$list${list:+,}\"$part\":${name:-null}"
  done
  echo "{$list}"
}

# Whether a name is this owner's.
ours() {
  [ "$1" = "$OWNER" ] || printf '%s\n' "$FORMERLY" | grep -qxF -e "$1"
}

# A list of the parts that carry this owner's present name already: there is nothing to claim of them.
claimed() {
  list=""
  for part in $PARTS; do
    name=""
    # A name that is cut off has no end of its line.
    if [ -r "$folder/owner.$part" ]; then IFS= read -r name <"$folder/owner.$part" || name=""; fi
    if [ "$name" = "$OWNER" ]; then list="$list${list:+,}\"$part\""; fi
  done
  echo "[$list]"
}

claim() {
  for part in $PARTS; do
    read_name "$part"
    if [ -n "$name" ] && ! ours "$name"; then return 0; fi
  done
  install -d -m 0700 "$folder"
  for part in $PARTS; do
    write_file "$folder/owner.$part" 0600 "$OWNER"
  done
}

release() {
  for part in $PARTS; do
    read_name "$part"
    if [ -z "$name" ] || ours "$name"; then rm -f "$folder/owner.$part"; fi
  done
  rmdir "$folder" 2>/dev/null || true
  echo '{}'
}

case "$1" in
  claim)
    claim
    owners
    ;;
  release) release ;;
  look) owners ;;
  probe) ;;
  *) die "unknown verb $1" ;;
esac
