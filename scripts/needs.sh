# Sourced by the scripts: finds out what is missing on this machine and installs it, or says how to get it.

# '--help' prints what stands at the head of the script, and nothing else happens.
case ${1:-} in
  -h | --help)
    [ -e "$0" ] || cd "$OLDPWD" || exit 74
    sed -n '2,/^[^#]/ s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac

# The five programs.
programs="fake-events kprod dsql anomalies devstack"
# What a build links against.
build_packages="librdkafka-dev libcurl4-openssl-dev libsqlite3-dev libmicrohttpd-dev libsimdjson-dev libpcre2-dev libedit-dev
  zlib1g-dev liblz4-dev libzstd-dev libsnappy-dev pkg-config"
# What the tests start besides: the shells for completions, man for the pages, a Kafka client of another make, TLS servers.
test_packages="jq kcat curl man-db zsh fish docker-compose procps openssl socat python3 python3-yaml shellcheck gpg
  miller sqlite3 dpkg-dev"
# What Swift's own compiler and linker need where Swift is fetched.
swift_packages="binutils gcc g++ libc6-dev libxml2-dev libncurses-dev tzdata git"

complain() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
}

# For scripts that take no options.
no_options() {
  [ $# -gt 0 ] || return 0
  complain "unknown option '$1'"
  complain "hint: scripts/${0##*/} --help"
  exit 64
}

# The version of the tools, from the one place where it is written.
tools_version() {
  sed -n 's/.*static let version = "\([^"]*\)".*/\1/p' Sources/Plumbing/CommandDescription.swift
}

# The commit of the sources, with a + when files were changed since; nothing outside of a clone.
tools_commit() {
  tools_at=$(git rev-parse --short=12 HEAD 2> /dev/null) || return 0
  git diff --quiet HEAD 2> /dev/null || tools_at="$tools_at+"
  printf '%s\n' "$tools_at"
}

# 0 when the Swift compiler is there and new enough; else 1, with what is wrong in $swift_trouble.
find_swift() {
  if ! command -v swift > /dev/null; then
    swift_trouble="Swift is not installed"
    return 1
  fi
  version=$(swift --version 2> /dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  major=${version%%.*}
  minor=${version#*.}
  if [ "${major:-0}" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 3 ]; }; then
    swift_trouble="Swift ${version:-of unknown version} is too old: 6.3 is needed"
    return 1
  fi
}

# Finds the Swift compiler, or fetches it by 'scripts/install-swift' and uses it for this run.
need_swift() {
  find_swift && return 0
  if [ -n "${NO_SWIFT_DOWNLOAD:-}" ]; then
    complain "$swift_trouble"
    complain "hint: https://www.swift.org/install/linux has 6.3 for Debian 12; then put its usr/bin into PATH"
    exit 69
  fi
  complain "$swift_trouble: fetching it (NO_SWIFT_DOWNLOAD=1 stops here instead)"
  # shellcheck disable=SC2086
  need_packages curl gpg ca-certificates $swift_packages
  swift_folder=$(scripts/install-swift) || exit $?
  PATH="$swift_folder:$PATH"
  export PATH
  find_swift || {
    complain "$swift_trouble, although $swift_folder was just unpacked"
    exit 70
  }
}

# Installs those of the named Debian packages that are missing.
need_packages() {
  missing=""
  for package in "$@"; do
    state=$(dpkg-query -W -f '${Status}' "$package" 2> /dev/null || true)
    [ "$state" = "install ok installed" ] || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  if ! command -v apt-get > /dev/null; then
    complain "these Debian packages are missing, and there is no apt-get to install them:$missing"
    exit 69
  fi
  as_root=""
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo > /dev/null; then
      complain "these packages are missing, and only root can install them:$missing"
      complain "hint: as root: apt-get install --no-install-recommends$missing"
      exit 77
    fi
    as_root="sudo"
  fi
  complain "installing$missing"
  # One word per package is meant.
  # shellcheck disable=SC2086
  if ! { $as_root apt-get update -qq \
    && $as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends $missing; } > /dev/null; then
    complain "apt-get could not install:$missing"
    exit 69
  fi
}

# Whether files can be made under the named folders, which need not be there yet: $as_root is empty, or "sudo" when only
# root can. Stops when there is no sudo either.
need_write() {
  as_root=""
  for folder in "$@"; do
    until [ -e "$folder" ]; do
      folder=${folder%/*}
      folder=${folder:-/}
    done
    [ ! -w "$folder" ] || continue
    if [ "$(id -u)" -eq 0 ]; then
      complain "cannot write to $folder, although this is root: is it read-only?"
      exit 74
    fi
    if ! command -v sudo > /dev/null; then
      complain "only root may write to $folder, and there is no sudo"
      complain "hint: PREFIX=$HOME/.local scripts/${0##*/} needs no root"
      exit 77
    fi
    as_root="sudo"
  done
}

# A folder's name as the caller meant it, before the script goes to the project's own folder.
absolute() {
  case $1 in
    "" | /*) printf '%s' "$1" ;;
    *) printf '%s' "$PWD/$1" ;;
  esac
}

# Swift's build of a release, with Swift's own library inside the programs. Without a run path, no library is looked for
# beside the program first.
swift_release() {
  swift build -c release --static-swift-stdlib --disable-local-rpath --scratch-path .build-release "$@"
}

# Builds the commands for release, and says where they are: $commands.
# A folder of programs that are built already can be named by COMMANDS.
build_release() {
  if [ -n "${COMMANDS:-}" ]; then
    for program in $programs; do
      if [ ! -x "$COMMANDS/$program" ]; then
        complain "COMMANDS: $COMMANDS has no program '$program'"
        exit 64
      fi
    done
    commands=$COMMANDS
    return 0
  fi
  # A build knows its folder by name, and fails in a clone that was moved or copied.
  [ "$(cat .build-release/folder 2> /dev/null || pwd)" = "$(pwd)" ] || rm -rf .build-release
  mkdir -p .build-release
  pwd > .build-release/folder
  printf '#define CBUILD_COMMIT "%s"\n' "$(tools_commit)" > .build-release/commit.h
  cmp -s .build-release/commit.h Sources/CBuild/commit.h || cp .build-release/commit.h Sources/CBuild/commit.h
  if ! swift_release > .build-release/log 2>&1; then
    cat .build-release/log >&2
    complain "the release build failed"
    exit 70
  fi
  commands=$(swift_release --show-bin-path)
}
