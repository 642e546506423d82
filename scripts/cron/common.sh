# Sourced by the jobs: one run at a time, failures by mail or by a command, signals passed on.

job=${0##*/}

# Ends with words and a status. NOTIFY names a command that gets the words on standard input (mail, a webhook); without it
# they go to standard error, which cron mails.
fail() {
  if [ -n "${NOTIFY:-}" ]; then
    printf '%s: %s\n' "$job" "$1" | sh -c "$NOTIFY" || printf '%s: %s\n%s: NOTIFY failed\n' "$job" "$1" "$job" >&2
  else
    printf '%s: %s\n' "$job" "$1" >&2
  fi
  exit "$2"
}

# A setting that has to be there.
need() {
  eval "value=\${$1:-}"
  # shellcheck disable=SC2154
  [ -n "$value" ] || fail "$1 is not set: $2" 64
}

# Keeps a second run out while one works. The kernel lets go of the lock however the run ends.
only_one() {
  exec 9> "$1" || fail "cannot write $1" 74
  flock -n 9 || fail "the run before still works: nothing was done" 75
}

# Runs a command, passes a signal on to it, and waits for its end: $status. The lock is not the command's.
run() {
  # A job in the background would read /dev/null instead of standard input.
  exec 8<&0
  "$@" <&8 8<&- 9>&- &
  child=$!
  caught=
  trap 'caught=1; kill -TERM $child 2> /dev/null' TERM INT HUP
  status=0
  wait "$child" || status=$?
  # The status of a wait that a signal ended is not the command's, so it is asked for again. 127: the wait had it already.
  while [ -n "$caught" ]; do
    caught='' ended=0
    wait "$child" || ended=$?
    [ "$ended" -eq 127 ] || status=$ended
  done
  trap - TERM INT HUP
}
