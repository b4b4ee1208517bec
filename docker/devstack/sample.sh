#!/bin/bash
# In the container: build a pretended peer of XQueue and let it serve.
#
#     sample.sh lms_sink|grader PORT
set -euo pipefail
cd "$(dirname "$0")/../.."

tests/tools/build.sh "$BUILD_ROOT/build" "$1"
exec "$BUILD_ROOT/build/tests/$1" 0.0.0.0 "$2"
