#!/bin/sh
# Docker's packages where dnf installs them, 4 or 5: RHEL and its relatives, Fedora, Amazon Linux. Its functions take the place of those of
# apt.sh, which comes before it; packages.sh comes after it.
set -eu

if [ "${packages_by:-}" = dnf ]; then

# Of Docker's own repository, of Fedora, and of Amazon Linux.
known_packages="docker-ce docker-ce-cli containerd.io moby-engine docker-cli docker containerd runc"

# Those that are there, each as NAME=VERSION-RELEASE. Of one that is there twice after a cut, the one that came last.
installed_packages() {
  for name in $known_packages; do
    rpm -q --qf '%{INSTALLTIME} %{NAME}=%{VERSION}-%{RELEASE}\n' "$name" 2>/dev/null | grep '=' | sort -n | tail -n 1 | sed 's/^[0-9]* //'
  done
}

has_engine_package() { installed_packages | grep -Eq '^(docker-ce|moby-engine|docker)='; }

# Docker's folder for this system. It has none for Amazon Linux, and those that RHEL's relatives share are called centos.
repository_folder() {
  case $(system ID) in
    fedora | rhel) system ID ;;
    centos | rocky | almalinux | ol) echo centos ;;
    *) die "Docker has no repository for $(system ID) $(system VERSION_ID): use engine.source \"distribution\"" ;;
  esac
}

# Docker's repository under REPOSITORY. The system's main number is written out: a machine that is kept at 9.4 calls that its release.
add_repository() {
  folder=$(repository_folder)
  release=$(system VERSION_ID)
  write_file /etc/yum.repos.d/docker-ce.repo 0644 "[docker-ce-stable]
name=Docker CE Stable
baseurl=$REPOSITORY/$folder/${release%%.*}/\$basearch/stable
enabled=1
gpgcheck=1
gpgkey=$REPOSITORY/$folder/gpg"
}

# dnf 5 reads again only what is past its time.
read_repositories() {
  dnf_quietly makecache --refresh || die "the repositories of packages cannot be read: $(dnf_error)"
}

# PACKAGE: its versions, the newest first. dnf 5 ends no line by itself, and dnf 4 each one.
versions_of() { dnf -q repoquery --available --qf '%{evr}\n' "$1" 2>/dev/null | grep . | sort -rVu; }

# The package of the engine, by SOURCE.
engine_package() {
  if [ "$SOURCE" = docker ]; then echo docker-ce; return; fi
  case $(system ID) in
    fedora) echo moby-engine ;;
    amzn) echo docker ;;
    *) die "$(system ID) $(system VERSION_ID) has no package of Docker of its own: use engine.source \"docker\"" ;;
  esac
}

# What to give dnf for VERSION, after its repositories were read. Docker's packages have epochs of their own, which need not be said. Nothing is
# taken off: packages of another source are in the way, and dnf says so.
wanted_packages() {
  package=$(engine_package)
  full=$(newest_of "$package")
  [ -n "$full" ] || die "$(no_such_version "$package")"
  full=${full#*:}
  if [ "$SOURCE" = docker ]; then echo "docker-ce-$full docker-ce-cli-$full containerd.io"; else echo "$package-$full"; fi
}

install_from_distribution() {
  package=$(engine_package)
  read_repositories
  install_packages "$package" || die "dnf install failed: $(dnf_error)"
}

install_from_docker() {
  add_repository
  read_repositories
  packages="docker-ce docker-ce-cli containerd.io"
  if [ -n "$VERSION" ]; then packages=$(wanted_packages); fi
  # shellcheck disable=SC2086
  install_packages $packages || die "dnf install failed: $(dnf_error)"
}

# FLAG… PACKAGE…: also another version than the newest one, and one that is locked. It is locked again afterwards, as it is then; meanwhile
# the mark is gone, so that the next run after a cut does it.
install_packages() {
  packages_error=""
  was_held=false
  if [ -d "${held:?}" ]; then
    was_held=true
    rmdir "$held"
  fi
  # shellcheck disable=SC2086
  unlock_packages $known_packages
  result=0
  dnf_quietly install "$@" || { result=$?; packages_error=$(dnf_error); }
  if $was_held; then hold_packages; fi
  return "$result"
}
download_packages() { install_packages --downloadonly "$@"; }
package_error() { echo "$packages_error"; }

# FOLDER: the packages that are there, as files in it. What its repositories have no more is left out without a failure.
keep_packages() {
  # shellcheck disable=SC2046
  dnf_quietly reinstall --downloadonly --setopt=destdir="$1" $(installed_packages | sed 's/=/-/') || return 1
  [ "$(find "$1" -name '*.rpm' | wc -l)" -eq "$(installed_packages | wc -l)" ]
}

# What they need is there, and the repositories may be out of reach by now.
packages_in() { echo "--disablerepo=*" "$1"/*.rpm; }

# What is there is looked at alone: without this, dnf reads its repositories for it, which may be out of reach.
versionlock() { dnf_quietly --disablerepo='*' versionlock "$@"; }
is_locked() { grep -Eq "^(Package name: )?$1(-[0-9]+:.*)?\$" "$LOG"; }

# PACKAGE…: nothing but this package changes them from now on. What is locked in another version stays so unless it is taken off first.
lock_packages() {
  versionlock list || dnf_quietly install 'dnf-command(versionlock)' || die "dnf has no versionlock, and it cannot be installed: $(dnf_error)"
  unlock_listed "$@"
  versionlock add "$@" || die "dnf versionlock add failed: $(dnf_error)"
}

# Where dnf has no such command, nothing is locked.
unlock_packages() { if versionlock list; then unlock_listed "$@"; fi; }

# PACKAGE…: those of them that were just listed. dnf 5 fails where there is nothing to take off.
unlock_listed() {
  listed=""
  for name in "$@"; do
    if is_locked "$name"; then listed="$listed $name"; fi
  done
  # shellcheck disable=SC2086
  [ -z "$listed" ] || versionlock delete $listed || die "dnf versionlock delete failed: $(dnf_error)"
}

fi
