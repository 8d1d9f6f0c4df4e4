#!/bin/sh
# Pin everything with hashes. The files name no host; `--universal` makes one file serve every platform.
set -eu
uv=$1
cd "$(dirname "$0")/.."
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --custom-compile-command "make requirements" --override requirements/overrides.txt "$@"
}
compile pyproject.toml -o requirements/run.txt
compile --no-deps requirements/bundled.in -o requirements/bundled.txt
compile --no-deps -c requirements/run.txt requirements/bench.in -o requirements/bench.txt
compile requirements/console.in -o requirements/console.txt
compile requirements/dev.in -o requirements/dev.txt
compile requirements/build.in -o requirements/build.txt
compile requirements/uv.in -o requirements/uv.txt
