#!/usr/bin/env bash
# Sets up .venv (nothing again when nothing changed), then checks the style and runs the tests.
# Words after it go to pytest: ./test.sh tests/align
set -euo pipefail
cd "$(dirname "$0")"

python=${PYTHON:-python3}
"$python" - <<'PY' || exit 1
import sys
if not (3, 11) <= sys.version_info[:2] <= (3, 13):
    sys.exit(f"test.sh: this is Python {sys.version.split()[0]}, needed is 3.11, 3.12 or 3.13: PYTHON=python3.12 ./test.sh")
PY

stamp=.venv/.installed
wanted=$(cat requirements.txt requirements-dev.txt | sha256sum | cut -d' ' -f1)
if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
  echo "test.sh: installing into .venv"
  "$python" -m venv .venv || { echo "test.sh: python has no venv module; on Debian: apt install python3-venv" >&2; exit 1; }
  .venv/bin/pip install --quiet --upgrade pip
  .venv/bin/pip install --quiet -r requirements-dev.txt
  echo "$wanted" > "$stamp"
fi

.venv/bin/ruff check .
exec .venv/bin/python -m pytest "$@"
