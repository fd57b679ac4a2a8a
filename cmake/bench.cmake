# Load generators and benchmarks: built on request (`make bench`), never by a plain build.
add_executable(bench_load EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/load/load.cpp)
target_link_libraries(bench_load PRIVATE hg_core)

find_package(benchmark CONFIG REQUIRED)
add_executable(bench_belief EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/micro/belief.cpp)
target_link_libraries(bench_belief PRIVATE hg_policy benchmark::benchmark benchmark::benchmark_main)

add_executable(bench_gate EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/gate/gate.cpp)
target_link_libraries(bench_gate PRIVATE hg_evaluate)

add_executable(bench_retrieval EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/micro/retrieval.cpp)
target_link_libraries(bench_retrieval PRIVATE hg_serve benchmark::benchmark benchmark::benchmark_main)

add_executable(bench_sequence EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/micro/sequence.cpp)
target_link_libraries(bench_sequence PRIVATE hg_train benchmark::benchmark benchmark::benchmark_main)
