#!/bin/sh
# The password of the sessions between hosts: goes before calico.sh, which has `bird_answers` and `reason`, and where its files are, and is given
#   PASSWORD, LABEL (of it; empty for the first one)
folder=""
unit=""

# Newer ones say that they were not told which kind of password it is; older ones do not know the word.
password_kind() {
  kind="authentication md5;"
  probe=$(mktemp)
  printf 'protocol bgp { local as 1; neighbor 192.0.2.1 as 1; %s password "x"; }\n' "$kind" >"$probe"
  bird -p -c "$probe" >/dev/null 2>&1 || kind=""
  rm -f "$probe"
  echo "$kind${kind:+ }password"
}

# KIND: as `password_kind` says it. The first password has no label.
password_text() {
  if [ -n "$LABEL" ]; then echo "# rotation $LABEL"; fi
  printf '%s "%s";\n' "$1" "$PASSWORD"
}

password_label() {
  if [ ! -e "$folder/password.conf" ]; then return 0; fi
  sed -n 's/^# rotation //p' "$folder/password.conf" | grep . || echo first
}

# FILE TEXT
put_password() {
  if has_text "$folder/$1" "$2"; then return 0; fi
  make_mark "$folder/pending"
  make_mark "$folder/reload"
  write_file "$folder/$1" 0600 "$2"
}

# A BIRD that ran with another password than the others would lose its sessions: all change at once, by `renew`.
place_password() {
  if has_text "$folder/password.conf" "$1" || [ ! -e "$folder/password.conf" ] || ! bird_answers; then
    rm -f "$folder/password.next"
    put_password password.conf "$1"
  else
    write_file "$folder/password.next" 0600 "$1"
  fi
}

renew() {
  if [ -e "$folder/password.next" ]; then
    mv -f "$folder/password.next" "$folder/password.conf"
    rm -f "$folder/reload"
    systemctl restart "$unit" 2>"$LOG" || die "BIRD does not start: $(reason)"
    until_true 30 bird_answers || die "BIRD does not come up: $(reason)"
  fi
  echo '{}'
}
