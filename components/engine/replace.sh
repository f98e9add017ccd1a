#!/bin/sh
# Another version of Docker for a host that has one. packages.sh comes before it. All verbs may be run again at any time.
#   fetch    SOURCE, VERSION, REPOSITORY: that version's packages on the disk, and those of the one that runs; installs nothing
#   replace  the same: installs them
#   hold     apt leaves Docker's packages alone, unattended upgrades too
#   release  apt may change them again, if this package held them
set -eu

fetch() {
  settle_engine
  installed_packages | grep -Eq '^docker(-ce|\.io)=' || is_replacing ||
    die "its Docker was not installed from packages of Debian, Ubuntu or Docker, so it cannot be replaced from here: upgrade it by hand, or leave engine.version out"
  if [ "$SOURCE" = docker ]; then add_repository; fi
  apt update
  wanted=$(wanted_packages)
  before=true
  keep_present || before=false
  say "getting ${wanted%% *}"
  # shellcheck disable=SC2086
  install_packages --download-only $wanted || die "Docker $VERSION cannot be got: $(package_error)"
  printf '{"before":%s}\n' "$before"
}

replace() {
  settle_engine
  apt update
  replace_engine
  hold_packages
  printf '{"version":"%s"}\n' "$(engine_version)"
}

# A run that was cut off may have had no more to do than to say so.
hold() {
  if is_replacing && packages_settle && engine_answers; then end_replacing; fi
  hold_packages
  echo '{}'
}

case "$1" in
  fetch) fetch ;;
  replace) replace ;;
  hold) hold ;;
  release) release_packages; echo '{}' ;;
  *) die "unknown verb $1" ;;
esac
