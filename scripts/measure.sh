# Sourced by the scripts that measure: medians, clocks and one way to print a result beside its goal.

# The middle one of the numbers on standard input.
median() {
  sort -g | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'
}

# The value below which the given share (0.99) of the numbers on standard input lies.
quantile() {
  sort -g | awk -v share="$1" '{v[NR] = $1} END {i = int(share * NR); print v[i < 1 ? 1 : (i < NR ? i + 1 : NR)]}'
}

# Arithmetic: calculate '3 / 2'
calculate() {
  awk "BEGIN {printf \"%.6g\", $1}"
}

# Now, in seconds with microseconds.
clock() {
  printf '%s' "${EPOCHREALTIME/,/.}"
}

# Runs a command RUNS times (5) and leaves medians: $wall and $cpu in seconds, $memory in MiB.
# Its output goes where the caller sends it; GNU time does the counting.
measure() {
  local counts
  counts=$(mktemp)
  for _ in $(seq "${RUNS:-5}"); do
    local began ended
    began=$(clock)
    command time -f '%U %S %M' -a -o "$counts.cpu" -- "$@"
    ended=$(clock)
    calculate "$ended - $began" >> "$counts.wall"
    echo >> "$counts.wall"
  done
  wall=$(median < "$counts.wall")
  cpu=$(awk 'NF == 3 {print $1 + $2}' "$counts.cpu" | median)
  memory=$(awk 'NF == 3 {print $3 / 1024}' "$counts.cpu" | median)
  rm -f "$counts" "$counts.cpu" "$counts.wall"
}

# Milliseconds that a short command takes from start to end, the median of fifty.
start_up() {
  for _ in $(seq 50); do
    local began ended
    began=$(clock)
    "$@" > /dev/null
    ended=$(clock)
    calculate "($ended - $began) * 1000"
    echo
  done | median
}

# result WHAT VALUE UNIT [RELATION GOAL]: one line; a goal that was not reached is marked.
result() {
  local mark=""
  if [ $# -ge 5 ]; then
    mark="goal $4 $5"
    [ "$(calculate "($2 $4 $5)")" = 1 ] || mark="$mark   MISSED"
  fi
  printf '%-68s %12s %-9s %s\n' "$1" "$(awk -v v="$2" 'BEGIN {printf "%.4g", v}')" "$3" "$mark"
}
