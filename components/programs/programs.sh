#!/bin/sh
# Programs that run on a host beside Docker. Every verb may be run again at any time, also after a run that was cut off.
#   install  NAME, ID (names the folder), FILES (a line for each file: its name and, for an image, its path there), and
#            KIND image: IMAGE (what to pull)
#            KIND file: URL or LOCAL (a file of this host), SHA256; the program itself
#            KIND archive: the same, a .tar.gz that holds the files
#   prune    NAME, KEEP (an ID, or nothing): takes the other versions away
# A folder that has its name is whole: files are put together in .new, and renamed when they are known to run here.
set -eu
# Some programs run as users of their own.
umask 022

root=/usr/local/lib/pulumi-swarm

# For a pull or a download, in seconds.
most=600

check_names() {
  for word in "$NAME" "$1"; do
    case "$word" in .* | *[!0-9A-Za-z._-]*) die "\"$word\" is not the name of a program or of its version" ;; esac
  done
  [ -n "$NAME" ] || die "no program is named"
}

# What a killed run started may still be at work, and it may well bring what this one wants.
lock() {
  exec 9>"/run/lock/pulumi-swarm-program-$NAME.lock"
  flock -w $((most + 60)) 9 || die "another run installs $NAME on this host and does not end"
}

names() { echo "$FILES" | cut -d ' ' -f 1; }

is_whole() {
  for name in $(names); do [ -x "$ID/$name" ] || return 1; done
}

# --- from an image

# The pull's last words, as what to do. The engine's own text stays in it: it names the address and the reason.
pull_failed() {
  said=$(tail -n 1 "$LOG")
  case "$said" in
    *"manifest unknown"* | *"name unknown"* | *"not found"*)
      die "there is no image $IMAGE: look for a mistake in the version or the image's name; a mirror must have a copy of it ($said)" ;;
    *"no matching manifest"*) die "$IMAGE is not made for $(uname -m): take an image or a file that is ($said)" ;;
    *"HTTP response to HTTPS client"*)
      die "the registry of $IMAGE has no encryption: add its host and port to engine.settings[\"insecure-registries\"], if that is meant to be ($said)" ;;
    *x509* | *certificate*) die "the certificate of the registry of $IMAGE is not trusted here: put its CA into /etc/docker/certs.d/<host:port>/ca.crt ($said)" ;;
    *unauthorized* | *denied* | *"no basic auth"*)
      die "the registry gives $IMAGE only to those who log in, or has no such image: docker login as root on this host, or take a mirror ($said)" ;;
    *toomanyrequests* | *"rate limit"*) die "the registry gives $IMAGE to this host no more for now: take a mirror (programs.mirror) ($said)" ;;
    *"Cannot connect to the Docker daemon"* | *"Is the docker daemon running"*) die "Docker does not answer on this host ($said)" ;;
    *"no space left"*) die "no space is left on this host for $IMAGE ($said)" ;;
    *"dial "* | *lookup* | *timeout* | *"timed out"* | *"connection refused"* | *"deadline exceeded"* | *proxyconnect* | *"Bad Gateway"* | *Unavailable* | *EOF*)
      die "the registry of $IMAGE cannot be reached from this host: name one that can be (programs.mirror), or a file (url and sha256) ($said)" ;;
    *) die "$IMAGE cannot be pulled: $said" ;;
  esac
}

pull() {
  if timeout 60 docker image inspect "$IMAGE" >/dev/null 2>&1; then return 0; fi
  # Only what was pulled for this is taken away again.
  write_file .pulled 0644 "$IMAGE"
  say "pulling $IMAGE"
  result=0
  timeout -k 10 "$most" docker pull -q "$IMAGE" >"$LOG" 2>&1 </dev/null || result=$?
  case "$result" in
    0) ;;
    124 | 137) die "pulling $IMAGE did not end within $((most / 60)) minutes: look at this host's way to its registry, or name a nearer one (programs.mirror)" ;;
    *) rm -f .pulled; pull_failed ;;
  esac
}

drop_container() { timeout 60 docker rm -f "$container" >/dev/null 2>&1 || true; }

# An image that is in use, or has another name as well, stays: Docker sees to that.
drop_image() {
  if [ -e .pulled ]; then timeout 60 docker image rm "$(cat .pulled)" >/dev/null 2>&1 || true; fi
  rm -f .pulled
}

# PATH
copy_failed() {
  drop_container
  said=$(tail -n 1 "$LOG")
  case "$said" in
    *"ould not find the file"* | *"o such container:path"* | *"o such file"*) die "$IMAGE has no $1: is it the right image for $NAME? ($said)" ;;
    *) die "$1 cannot be taken out of $IMAGE: $said" ;;
  esac
}

from_image() {
  container=pulumi-swarm-$NAME-files
  pull
  drop_container
  # The command is for images that have none; it never runs.
  timeout 60 docker create --name "$container" --network none "$IMAGE" /none >/dev/null 2>"$LOG" || die "$IMAGE: $(tail -n 1 "$LOG")"
  echo "$FILES" | while read -r name path; do
    timeout 120 docker cp -L "$container:$path" ".new/$name" >/dev/null 2>"$LOG" </dev/null || copy_failed "$path"
  done
  drop_container
}

# --- from a file

has_certificates() {
  for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem; do
    if [ -s "$bundle" ]; then return 0; fi
  done
  return 1
}

# RESULT of curl
fetch_failed() {
  said=$(tail -n 1 "$LOG")
  case "$1" in
    22) die "$URL: $said: look for a mistake in the url, and whether the file is still there" ;;
    28 | 124 | 137) die "$URL did not come within $((most / 60)) minutes: name a place that is nearer to this host" ;;
    35 | 51 | 58 | 60 | 77) die "the certificate at $URL is not trusted here: install its CA on this host, or name another place ($said)" ;;
    5 | 6 | 7) die "$URL cannot be reached from this host: name a place that can be, or put the file on the host and use file:// ($said)" ;;
    *) die "$URL cannot be fetched: $said" ;;
  esac
}

# TO
fetch() {
  if [ -n "$LOCAL" ]; then
    [ -f "$LOCAL" ] || die "there is no file $LOCAL on this host: put it there, or name a place to fetch it from"
    cp "$LOCAL" "$1" 2>"$LOG" || die "$LOCAL cannot be read: $(tail -n 1 "$LOG")"
    return 0
  fi
  need curl curl
  case "$URL" in https:*) has_certificates || need update-ca-certificates ca-certificates ;; esac
  say "fetching $URL"
  result=0
  timeout -k 10 "$most" curl -fsSL --connect-timeout 15 --speed-limit 1 --speed-time 60 --retry 3 --retry-delay 1 --retry-connrefused \
    -o "$1" "$URL" >"$LOG" 2>&1 </dev/null || result=$?
  [ "$result" -eq 0 ] || fetch_failed "$result"
}

# FILE
check_sum() {
  sum=$(sha256sum "$1" | cut -d ' ' -f 1)
  [ "$sum" = "$SHA256" ] ||
    die "${URL:-$LOCAL} is not what was asked for: its SHA-256 is $sum, and should be $SHA256. Correct the one that is wrong"
}

from_file() {
  fetch .new/fetched
  check_sum .new/fetched
  mv .new/fetched ".new/$FILES"
}

from_archive() {
  mkdir .new/fetched .new/unpacked
  fetch .new/fetched/archive
  check_sum .new/fetched/archive
  tar -xzf .new/fetched/archive -C .new/unpacked 2>"$LOG" || die "${URL:-$LOCAL} cannot be unpacked: $(tail -n 1 "$LOG")"
  for name in $(names); do
    found=$(find .new/unpacked -type f -name "$name")
    case "$found" in
      "") die "there is no $name in ${URL:-$LOCAL}" ;;
      *"
"*) die "there is more than one $name in ${URL:-$LOCAL}: $(echo "$found" | sed 's:^.new/unpacked/::' | paste -s -d ' ' -)" ;;
    esac
    mv "$found" ".new/$name"
  done
  rm -rf .new/fetched .new/unpacked
}

# --- does it run here?

# FILE FROM COUNT
bytes() { od -An -v -tx1 -j "$2" -N "$3" "$1" | tr -d ' \n'; }

# The machine in a program's header, in its own byte order.
architecture() {
  case "$(bytes "$1" 18 2)" in
    3e00) echo x86_64 ;;
    b700) echo aarch64 ;;
    2800) echo arm ;;
    0300) echo i386 ;;
    f300) echo riscv64 ;;
    1500) echo ppc64le ;;
    0016) echo s390x ;;
    *) echo "machine $(bytes "$1" 18 2)" ;;
  esac
}

# Without running it: a daemon might begin its work. FILE
check_runs_here() {
  name=${1##*/}
  case "$(bytes "$1" 0 4)" in
    2321*) return 0 ;;
    7f454c46) ;;
    *) die "$name is not a program: it begins neither as one of Linux nor as a script" ;;
  esac
  here=$(architecture "$(readlink -f /proc/self/exe)")
  [ "$(architecture "$1")" = "$here" ] || die "$name is for $(architecture "$1"), and this host is $here: take an image or a file for $here"
  command -v ldd >/dev/null 2>&1 || return 0
  # It fails for one that needs no libraries.
  lacking=$(ldd "$1" 2>/dev/null | awk '/not found/ { print $1 }' | sort -u | paste -s -d ' ' -) || true
  [ -z "$lacking" ] || die "$name does not run here: this host lacks the libraries $lacking. Take a build without them, or install them"
}

install() {
  check_names "$ID"
  lock
  mkdir -p "$root/$NAME"
  cd "$root/$NAME"
  if [ ! -e .new ] && [ ! -e .pulled ] && is_whole; then
    echo '{"changed":false}'
    return 0
  fi
  rm -rf .new
  if [ -e .pulled ] && [ "$(cat .pulled)" != "${IMAGE-}" ]; then drop_image; fi
  changed=false
  if ! is_whole; then
    changed=true
    mkdir .new
    case "$KIND" in
      image) from_image ;;
      file) from_file ;;
      archive) from_archive ;;
      *) die "unknown kind $KIND" ;;
    esac
    for name in $(names); do
      [ -f ".new/$name" ] || die "$name is not a file where it comes from"
      chown root:root ".new/$name"
      chmod 0755 ".new/$name"
      check_runs_here ".new/$name"
      # A folder that has its name must be whole also after a power cut.
      sync ".new/$name"
    done
    chmod 0755 .new
    rm -rf "./$ID"
    mv .new "$ID"
    sync .
  fi
  drop_image
  printf '{"changed":%s}\n' "$changed"
}

prune() {
  check_names "$KEEP"
  lock
  changed=false
  if [ -d "$root/$NAME" ]; then
    cd "$root/$NAME"
    drop_image
    for entry in .new *; do
      if [ "$entry" != "$KEEP" ] && [ -e "$entry" ]; then
        changed=true
        rm -rf "./$entry"
      fi
    done
    cd /
    rmdir "$root/$NAME" 2>/dev/null || true
    rmdir "$root" 2>/dev/null || true
  fi
  printf '{"changed":%s}\n' "$changed"
}

case "$1" in
  install) install ;;
  prune) prune ;;
  *) die "unknown verb $1" ;;
esac
