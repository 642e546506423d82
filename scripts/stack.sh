# Sourced by the scripts that handle the real stack: Docker, compose, and requests to Druid's router.

router=${DRUID_URL:-http://localhost:8888}

say() {
  printf '%s: %s\n' "${0##*/}" "$1"
}

# Ends with words, a hint and a status (69).
give_up() {
  complain "$1"
  [ -z "${2:-}" ] || complain "hint: $2"
  exit "${3:-69}"
}

# Finds the engine and compose: $compose.
need_docker() {
  command -v docker > /dev/null \
    || give_up "Docker is not installed" \
      "https://docs.docker.com/engine/install/debian, or try 'devstack', which needs none"
  docker info > /dev/null 2>&1 \
    || give_up "the Docker engine does not answer" "is it running, and may $(id -un) use it? 'docker info' says more"
  if docker compose version > /dev/null 2>&1; then
    compose="docker compose"
  elif command -v docker-compose > /dev/null; then
    compose="docker-compose"
  else
    give_up "neither 'docker compose' nor 'docker-compose' is installed" "apt-get install docker-compose"
  fi
}

# curl to the router, with the credentials of DRUID_USER where they are set; they are on no command line.
ask_druid() {
  druid_path=$1
  shift
  if [ -n "${DRUID_USER:-}" ]; then
    druid_password=${DRUID_PASSWORD:-$(cat "${DRUID_PASSWORD_FILE:-/dev/null}")}
    curl -fsS --max-time 20 -K <(printf 'user = "%s:%s"\n' "$DRUID_USER" "$druid_password") "$@" "$router$druid_path" 2> /dev/null
  else
    curl -fsS --max-time 20 "$@" "$router$druid_path" 2> /dev/null
  fi
}

# Who holds a TCP port of this machine: lines of STATE INODE, from the kernel's own table.
port_holders() {
  hexadecimal=$(printf '%04X' "$1")
  cat "${PROC:-/proc}/net/tcp" "${PROC:-/proc}/net/tcp6" 2> /dev/null \
    | awk -v port=":$hexadecimal" '$2 ~ port "$" { print $4, $10 }'
}

# Says who holds a port, in words; nothing when it is free.
port_trouble() {
  holders=$(port_holders "$1")
  [ -n "$holders" ] || return 0
  inode=$(printf '%s\n' "$holders" | sed -n 's/^0A //p' | head -n 1)
  if [ -n "$inode" ]; then
    descriptor=$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" -print -quit 2> /dev/null || true)
    pid=${descriptor#/proc/}
    pid=${pid%%/*}
    if [ -n "$pid" ]; then
      printf "process %s (%s) listens there" "$pid" "$(cat "/proc/$pid/comm")"
    else
      printf "a process of another user listens there"
    fi
  else
    case $(printf '%s\n' "$holders" | head -n 1) in
      06*) printf "a connection in TIME-WAIT uses it; it is gone after a minute" ;;
      *) printf "an outgoing connection uses it" ;;
    esac
  fi
}
