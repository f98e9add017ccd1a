#!/bin/sh
# What a run knows of the hosts it works on, kept on a few of them for the next run. It is sealed: this host cannot read it.
#   read    NAME. Result: {"memory": TEXT}, or null where there is none
#   write   NAME, MEMORY (base64): all of it or nothing
#   remove  NAME
set -eu

folder=/etc/pulumi-swarm
file="$folder/memory.${NAME:-}"

read_memory() {
  if [ -s "$file" ]; then printf '{"memory":"%s"}\n' "$(tr -cd 'A-Za-z0-9+/=' <"$file")"; else echo '{"memory":null}'; fi
}

write_memory() {
  install -d -m 0700 "$folder"
  write_file "$file" 0600 "$MEMORY"
  echo '{}'
}

case "$1" in
  read) read_memory ;;
  write) write_memory ;;
  remove)
    rm -f "$file" "$file.new"
    rmdir "$folder" 2>/dev/null || true
    echo '{}'
    ;;
  *) die "unknown verb $1" ;;
esac
