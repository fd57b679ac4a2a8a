# Load generators and benchmarks: built on request (`cmake --build build/release --target bench_load`), never by a plain build.
add_executable(bench_load EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/load/load.cpp)
target_link_libraries(bench_load PRIVATE hg_core)
