#!/bin/sh
# Keys by which a user of this host is logged in.
#   look     USER, NEW (type and key), BEFORE (keys without a type, a line each): the user's file, whether it has the new key, and how many
#            lines have a former one; changes nothing
#   admit    the same: gives the new key the place and the options of a former one beside it
#   dismiss  the same: takes the lines of former keys out. Never where the new one is in no file
set -eu

# Of sshd's words for a file, what they stand for. Home and user are words without "|".
in_full() { printf '%s\n' "$1" | sed -e "s|%h|$home|g" -e "s|%u|$USER|g" -e 's|%%|%|g'; }

# Those that sshd looks into for this user, in its order.
files() {
  set -f
  for name in $names; do
    name=$(in_full "$name")
    case $name in
      none) continue ;;
      /*) ;;
      *) name=$home/$name ;;
    esac
    # A link stays one.
    readlink -f "$name" || echo "$name"
  done
  set +f
}

# FILE KEY…: how many of its lines have one of these keys.
count() {
  [ -e "$1" ] || { echo 0; return; }
  file=$1
  shift
  awk -v keys="$*" 'BEGIN { split(keys, all, " "); for (i in all) known[all[i]] }
    /^[ \t]*#/ { next }
    { for (i = 1; i <= NF; i++) if ($i in known) { n++; next } }
    END { print n + 0 }' "$file"
}

# FILE: with a line for the new key beside the first that has a former one, and the same options and comment.
admitted() {
  awk -v new="$NEW" -v keys="$former" 'BEGIN { split(keys, all, " "); for (i in all) known[all[i]] }
    { print }
    done || /^[ \t]*#/ { next }
    { for (i = 2; i <= NF; i++) if ($i in known) {
        at = index($0, $i); before = substr($0, 1, at - 1); after = substr($0, at + length($i))
        sub(/[^ \t]+[ \t]+$/, "", before)
        print before new after
        done = 1
        next
      } }' "$1"
}

# FILE: without the lines of former keys.
dismissed() {
  awk -v keys="$former" 'BEGIN { split(keys, all, " "); for (i in all) known[all[i]] }
    /^[ \t]*#/ { print; next }
    { for (i = 1; i <= NF; i++) if ($i in known) next; print }' "$1"
}

# FILE TEXT: the file is its owner's and may be read by whom it was.
rewrite() { write_file "$1" "$(stat -c %a "$1")" "$2" "$(stat -c %U "$1")"; }

look() {
  own=$first
  has=false
  lines=0
  for file in $(files); do
    [ "$(count "$file" "${NEW#* }")" -eq 0 ] || has=true
    # shellcheck disable=SC2086 # a word each
    here=$(count "$file" $former)
    if [ "$here" -gt 0 ] && [ "$lines" -eq 0 ]; then own=$file; fi
    lines=$((lines + here))
  done
}

answer() {
  look
  printf '{"file":"%s","has":%s,"former":%s}\n' "$(printf %s "$own" | tr -d '\042\134')" "$has" "$lines"
}

admit() {
  look
  [ "$has" = false ] || { answer; return; }
  if [ ! -e "$own" ]; then
    folder=${own%/*}
    [ -d "$folder" ] || { mkdir -p "$folder"; chmod 700 "$folder"; chown "$USER:" "$folder"; }
    write_file "$own" 600 "$NEW" "$USER"
  elif [ "$lines" -gt 0 ]; then
    rewrite "$own" "$(admitted "$own")"
  else
    rewrite "$own" "$(cat "$own"; echo "$NEW")"
  fi
  answer
}

dismiss() {
  look
  [ "$has" = true ] || die "the new key of $USER is in none of $(files | paste -s -d ' ' -), so the former one stays"
  for file in $(files); do
    # shellcheck disable=SC2086 # a word each
    if [ "$(count "$file" $former)" -gt 0 ]; then rewrite "$file" "$(dismissed "$file")"; fi
  done
  answer
}

# What the functions above work on.
prepare() {
  home=$(getent passwd "$USER" | cut -d: -f6)
  [ -n "$home" ] || die "this host knows no user $USER"
  former=$(printf '%s' "$BEFORE" | paste -s -d ' ' -)
  sshd=$(command -v sshd || echo /usr/sbin/sshd)
  # Of one that is not OpenSSH's nothing is known but where all of them look.
  names=$("$sshd" -T -C "user=$USER,host=localhost,addr=127.0.0.1" 2>/dev/null | sed -n 's/^authorizedkeysfile //p' || true)
  names=${names:-.ssh/authorized_keys}
  first=$(files | head -n 1)
  [ -n "$first" ] || die "sshd looks for the keys of $USER in no file (AuthorizedKeysFile none). Fix: put the new key where it looks, then run again"
}

case "$1" in
  look) prepare; answer ;;
  admit) prepare; admit ;;
  dismiss) prepare; dismiss ;;
  *) die "unknown verb $1" ;;
esac
