#!/usr/bin/env bash
# Checks who may know whom (STYLE, section 2) by the #include lines, and what domain/ must not use.
# Usage: tools/layers.sh [ROOT]; prints every breach, exits 1 if there is one.
set -uo pipefail
cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}" || exit 2
breaches=$(mktemp) && trap 'rm -f "$breaches"' EXIT

# code FOLDER...: the C++ files below them.
code() {
  local folders=()
  for folder in "$@"; do [ -d "$folder" ] && folders+=("$folder"); done
  [ ${#folders[@]} -eq 0 ] || find "${folders[@]}" -type f \( -name '*.hpp' -o -name '*.cpp' \) | sort
}

# refuse REASON REGEX [EXCEPT]: among the files on standard input, #include lines with a target that
# matches REGEX, and whose "file:line:text" does not match EXCEPT.
refuse() {
  local reason=$1 regex=$2 except=${3:-^$} files
  mapfile -t files
  [ ${#files[@]} -eq 0 ] && return
  grep -HnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*($regex)" "${files[@]}" | grep -vE "$except" |
    sed "s|\$|   <- $reason|" >>"$breaches"
}

# refuse_word REASON REGEX: the same for code, comments and string literals left out.
refuse_word() {
  local reason=$1 regex=$2 file
  while read -r file; do
    sed -E 's/"([^"\\]|\\.)*"/""/g; s@//.*@@; s@/\*.*\*/@@g' "$file" | grep -nE "$regex" |
      sed "s|^|$file:|; s|\$|   <- $reason|" >>"$breaches"
  done
}

quoted() { echo "\"($1)/"; }

code domain | refuse 'domain includes domain only' '"' '"domain/'
code domain | refuse 'domain stands on the standard library, tl/expected and boost/multiprecision' \
  '<[^>]*[/.]' '<tl/expected\.hpp>|<boost/multiprecision/'
code domain | refuse 'wide integers stay inside the few files that compute with them' \
  '<boost/multiprecision/' '^domain/(decimal|money|int128|wide)\.cpp:'
code domain | refuse 'domain has no threads, files, streams or randomness' \
  '<(thread|mutex|shared_mutex|condition_variable|future|stop_token|semaphore|latch|barrier|fstream|iostream|filesystem|random|ctime|csignal)>'
code domain | refuse_word 'domain reads no clock: the instant is an argument (D3)' \
  '(system|steady|high_resolution|utc)_clock::now|\b(std::time|gettimeofday|clock_gettime)[[:space:]]*\('
code domain | refuse_word 'no binary floating point in domain (D2)' '\b(float|double)\b'

code persistence | refuse 'persistence knows domain only' "$(quoted 'protocol|actors|apps|accrue')"
code persistence | refuse 'not for persistence' \
  '<(caf|google|CLI|nlohmann|toml\+\+|prometheus|spdlog|boost/beast)[/.]'
code persistence protocol actors apps | refuse 'only persistence/pg*.{hpp,cpp} includes libpq' \
  '<(postgresql/)?libpq' '^persistence/pg[a-z_]*\.[hc]pp:'

code protocol | refuse 'protocol knows domain only' "$(quoted 'persistence|actors|apps')"
code protocol | refuse 'not for protocol' \
  '<(caf|boost/asio|boost/beast|openssl|CLI|toml\+\+|prometheus|spdlog)[/.]'

code actors | refuse 'actors do not know the programs' "$(quoted apps)"
code domain persistence protocol actors apps | refuse 'the product does not know tests or benchmarks' \
  "$(quoted 'tests|bench')"
code domain persistence protocol actors apps tests bench | grep '\.hpp$' |
  refuse 'costs 1.7 s in every file that includes this header: name what is needed' '<caf/all\.hpp>'

if [ -s "$breaches" ]; then
  cat "$breaches"
  exit 1
fi
