#!/usr/bin/env bash
# Sets up .venv (nothing again when nothing changed), then checks the style and runs the tests.
# Words after it go to pytest: ./test.sh tests/align
set -euo pipefail
cd "$(dirname "$0")"
./install.sh requirements-dev.txt
.venv/bin/ruff check .
exec .venv/bin/python -m pytest "$@"
