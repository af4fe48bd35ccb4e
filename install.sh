#!/usr/bin/env bash
# Sets up .venv with the packages of a requirements file; nothing again when nothing changed.
# ./install.sh requirements.txt        (PYTHON=python3.12 ./install.sh ... chooses the Python)
set -euo pipefail
cd "$(dirname "$0")"
file=$1

fail() { echo "install.sh: $*" >&2; exit 1; }

is_good() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }

find_python() {
  for name in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
    if is_good "$name"; then echo "$name"; return; fi
  done
  fail "no Python 3.11, 3.12 or 3.13 was found (looked for ${PYTHON:-python3, python3.13, python3.12, python3.11});" \
       "install one and name it: PYTHON=/path/to/python3.12"
}

stamp=.venv/.installed   # a line for each requirements file that is installed
line() { echo "$(cat requirements.txt "$1" | cksum) $1"; }

if ! is_good .venv/bin/python; then
  python=$(find_python)
  "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$python has no venv module; on Debian and Ubuntu: apt install python3-venv"
  rm -rf .venv
  "$python" -m venv .venv || fail "$python could not make .venv in $PWD; look at the words above"
fi
if ! grep -qxF "$(line "$file")" "$stamp" 2>/dev/null; then
  free=$(df -Pk . | awk 'NR == 2 {print int($4 / 1024)}')
  [ -s "$stamp" ] || [ "$free" -ge 4000 ] || fail "$PWD has $free MB free and the packages take about 4,000; free some"
  echo "install.sh: installing the packages of $file into .venv (once; TensorFlow is large)"
  .venv/bin/python -m pip install --disable-pip-version-check -r "$file" 2>.venv/pip-errors.txt |
    { grep -v "already satisfied" || true; } || {
    case $(cat .venv/pip-errors.txt) in
      *"No space left"*) fail "the disk of $PWD is full; free about 4,000 MB and run it again" ;;
      *"establish a new connection"* | *"timed out"* | *"name resolution"* | *"ProxyError"* | *"Connection "*)
        fail "pip reaches no package index; check the network or proxy, or name a mirror: PIP_INDEX_URL=..." ;;
      *) fail "pip could not install $file: $(grep -m 1 ERROR .venv/pip-errors.txt || true)" \
              "(all its words: .venv/pip-errors.txt)" ;;
    esac
  }
  for each in requirements.txt "$file"; do line "$each"; done | sort -u > "$stamp"
fi
