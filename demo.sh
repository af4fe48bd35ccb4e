#!/usr/bin/env bash
# The whole job with drawn faces, no download of data: sets up .venv, draws people, aligns, trains, evaluates, reports.
# Words after it go to the program: ./demo.sh --output runs/demo
set -euo pipefail
cd "$(dirname "$0")"
./install.sh requirements.txt
exec .venv/bin/python -m demo "$@"
