#!/bin/sh
# What is in etcd: the subnets of the hosts, and who may write which.
#   read      what flannel and its users are told. Result: as etcdctl has it
#   write     ENABLE_AUTH, DROP_USERS, ADD_USERS (name and own key), DROP_KEYS, PUT (key and value): makes it so
# shellcheck disable=SC2154  # common.sh goes before, with the names of files
set -eu

prefix=/coreos.com/network

read_all() {
  keys=$(ctl_or_die get --prefix "$prefix/" -w json)
  if ctl auth status 2>/dev/null | grep -q "Status: true"; then auth=true; else auth=false; fi
  users=$(ctl_or_die user list)
  printf '{"keys":%s,"auth":%s,"users":{' "$keys" "$auth"
  separator=""
  for name in $users; do
    # Root's role is built in: it cannot be shown.
    detail=""
    if [ "$name" != root ]; then detail=$(ctl_or_die user get "$name" --detail); fi
    printf '%s"%s":"%s"' "$separator" "$name" "$(echo "$detail" | text)"
    separator=,
  done
  printf '}}\n'
}

drop_user() {
  ctl user delete "$1" >/dev/null 2>&1 || true
  ctl role delete "$1" >/dev/null 2>&1 || true
}

# Users first: who is not one any more cannot put back what is taken out after.
write() {
  printf '%s\n' "$DROP_USERS" | while read -r name; do if [ -n "$name" ]; then drop_user "$name"; fi; done
  if [ "$ENABLE_AUTH" = true ]; then
    ctl user add root --no-password >/dev/null 2>&1 || true
    ctl_or_die user grant-role root root >/dev/null
    ctl_or_die auth enable >/dev/null
  fi
  # A role of the user's own: it reads everything of flannel, and writes its host's subnet and nothing else.
  printf '%s\n' "$ADD_USERS" | while read -r name key; do
    if [ -z "$name" ]; then continue; fi
    drop_user "$name"
    ctl_or_die role add "$name" >/dev/null
    ctl_or_die role grant-permission "$name" read --prefix=true "$prefix/" >/dev/null
    ctl_or_die role grant-permission "$name" readwrite "$key" >/dev/null
    ctl_or_die user add "$name" --no-password >/dev/null
    ctl_or_die user grant-role "$name" "$name" >/dev/null
  done
  printf '%s\n' "$DROP_KEYS" | while read -r key; do if [ -n "$key" ]; then ctl_or_die del "$key" >/dev/null; fi; done
  # The value by standard input: what stands in an argument can be taken apart.
  printf '%s\n' "$PUT" | while read -r key value; do
    if [ -n "$key" ]; then printf '%s' "$value" | ctl_or_die put "$key" >/dev/null; fi
  done
  echo '{"changed":true}'
}

case "$1" in
  read) read_all ;;
  write) lock; write ;;
  *) die "unknown verb $1" ;;
esac
