#!/usr/bin/env bash
# The heavy checks before a release: no PCH, all rooms under ASan, TSan, fuzzing. `make check` runs it.
#   tests/check.sh [JOBS] [SECONDS_PER_FUZZ_TARGET]
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${1:-2}
fuzz_seconds=${2:-60}
say() { printf '\n[check] %s\n' "$*"; }

say 'every source and header includes what it uses: a build file by file without the precompiled header'
cmake --preset no-pch >/dev/null
cmake --build build/no-pch -j "$jobs" --target honeyguide all_verify_interface_header_sets

say 'address and undefined sanitizers over all rooms'
cmake --preset asan-full >/dev/null
cmake --build build/asan-full -j "$jobs"
# libtorch keeps what it allocates at start-up; its own leaks are not ours to report.
ASAN_OPTIONS=detect_leaks=0 ctest --test-dir build/asan-full --output-on-failure --no-tests=error -L 'unit|contract|fuzz'

say 'thread sanitizer over the torch-free rooms'
cmake --preset tsan >/dev/null
cmake --build build/tsan -j "$jobs"
TSAN_OPTIONS=suppressions=$PWD/tests/thread_sanitizer_suppressions.txt ctest --test-dir build/tsan --output-on-failure --no-tests=error

say "fuzzing each target for $fuzz_seconds s"
cmake --preset fuzz >/dev/null
cmake --build build/fuzz -j "$jobs"
for source in fuzz/*.cpp; do
    name=$(basename "$source" .cpp)
    [ -x "build/fuzz/fuzz_$name" ] || continue
    found=build/fuzz/found/$name
    mkdir -p "$found"
    "build/fuzz/fuzz_$name" -max_total_time="$fuzz_seconds" -print_final_stats=1 -artifact_prefix="$found/crash-" "$found" "fuzz/corpus/$name"
done
say 'all passed'
