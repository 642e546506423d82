# Sourced by the scripts: finds out what is missing on this machine and installs it, or says how to get it.

# What a build links against, and what a person at the prompt uses.
build_packages="librdkafka-dev libcurl4-openssl-dev libsqlite3-dev libmicrohttpd-dev libsimdjson-dev libpcre2-dev libedit-dev
  zlib1g-dev liblz4-dev libzstd-dev libsnappy-dev pkg-config"
# What the tests start besides: the shells for completions, man for the pages, a Kafka client of another make, TLS servers.
test_packages="jq kcat curl man-db zsh fish docker-compose procps openssl socat python3"

complain() {
  printf '%s: %s\n' "${0##*/}" "$1" >&2
}

# Stops unless the Swift compiler is there and new enough.
need_swift() {
  if ! command -v swift > /dev/null; then
    complain "Swift is not installed"
    complain "hint: https://www.swift.org/install/linux has 6.3 for Debian 12; then put its usr/bin into PATH"
    exit 69
  fi
  version=$(swift --version 2> /dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  major=${version%%.*}
  minor=${version#*.}
  if [ "${major:-0}" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 3 ]; }; then
    complain "Swift ${version:-of unknown version} is too old: 6.3 is needed"
    complain "hint: https://www.swift.org/install/linux"
    exit 69
  fi
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

# Builds the commands for release, with Swift's own library inside them, and says where they are: $commands.
build_release() {
  mkdir -p .build-release
  if ! swift build -c release --static-swift-stdlib --scratch-path .build-release > .build-release/log 2>&1; then
    cat .build-release/log >&2
    complain "the release build failed"
    exit 70
  fi
  commands=$(swift build -c release --static-swift-stdlib --scratch-path .build-release --show-bin-path)
}
