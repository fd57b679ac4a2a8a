# One test binary per room (tests/ROOM/*.cpp), so torch-free rooms link no torch and build in seconds.
find_package(GTest CONFIG REQUIRED)
find_package(rapidcheck CONFIG QUIET)
include(GoogleTest)

set(HG_SHARED ${CMAKE_SOURCE_DIR}/../shared)

function(hg_test room)
  cmake_parse_arguments(TEST "TORCH" "LABEL;PARTS" "LINK" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${room}/*.cpp)
  if(NOT HG_TORCH)
    list(FILTER sources EXCLUDE REGEX "_torch_test\\.cpp$")
  endif()
  if(NOT sources)
    return()
  endif()
  if(NOT TEST_LABEL)
    set(TEST_LABEL unit)
  endif()
  hg_prepare(test_${room} plain torch ${sources})
  add_executable(test_${room} ${plain} ${torch})
  # -O1 halves the time the compiler spends on tests; those that name torch must match its header.
  if(CMAKE_BUILD_TYPE STREQUAL "Release" AND plain)
    set_source_files_properties(${plain} PROPERTIES COMPILE_OPTIONS -O1)
  endif()
  target_include_directories(test_${room} PRIVATE ${CMAKE_SOURCE_DIR}/tests)
  target_link_libraries(
    test_${room} PRIVATE ${TEST_LINK} hg_test_support GTest::gmock GTest::gtest_main
  )
  if(TEST_TORCH AND HG_TORCH)
    set_target_properties(test_${room} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(test_${room} PRIVATE -fPIC)  # as the precompiled header was built
    target_precompile_headers(test_${room} REUSE_FROM hg_torch_pch)
  endif()
  set(environment RC_PARAMS=seed=20240607 OMP_NUM_THREADS=1)
  if(TEST_PARTS AND HG_TORCH)
    # Loading libtorch takes a second, longer than most tests: they run in PARTS processes, not one for each.
    math(EXPR last "${TEST_PARTS} - 1")
    foreach(part RANGE ${last})
      set(name ${room}.part_${part}_of_${TEST_PARTS})
      add_test(NAME ${name} COMMAND test_${room})
      set_tests_properties(
        ${name} PROPERTIES LABELS ${TEST_LABEL} TIMEOUT 900
          ENVIRONMENT "${environment};GTEST_TOTAL_SHARDS=${TEST_PARTS};GTEST_SHARD_INDEX=${part}"
      )
    endforeach()
    return()
  endif()
  # PRE_TEST: tests are listed when CTest runs, so a broken test binary does not break the build.
  gtest_discover_tests(
    test_${room}
    TEST_PREFIX ${room}.
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${TEST_LABEL} TIMEOUT 300 ENVIRONMENT "${environment}"
  )
endfunction()

add_library(hg_test_support INTERFACE)
target_include_directories(hg_test_support INTERFACE ${CMAKE_SOURCE_DIR}/tests)
target_compile_definitions(
  hg_test_support
  INTERFACE HG_SOURCE_DIR="${CMAKE_SOURCE_DIR}" HG_SHARED_DIR="${HG_SHARED}"
)
# rapidcheck's and gtest's headers are not written for our warnings; at -O1 GCC 12 sees overlapping copies in
# std::string that are not there (bug 105651).
target_compile_options(
  hg_test_support
  INTERFACE -Wno-conversion -Wno-shadow -Wno-missing-field-initializers
            $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
)

hg_test(core LINK hg_core)
hg_test(data LINK hg_data rapidcheck)
hg_test(http LABEL http LINK hg_http)
hg_test(evaluate LINK hg_evaluate rapidcheck)
hg_test(encode TORCH PARTS 2 LINK hg_encode)
hg_test(simulate LINK hg_simulate)
if(HG_TORCH)
  hg_test(train TORCH PARTS 4 LINK hg_train)
  hg_test(simulate_learned TORCH PARTS 2 LINK hg_learned_worlds)
  hg_test(contract LABEL contract PARTS 4 LINK hg_policy)
  hg_test(policy TORCH PARTS 8 LINK hg_policy)
  hg_test(serve PARTS 4 LINK hg_serve)
  hg_test(app PARTS 2 LINK hg_app)
endif()

# Tests that look at the source tree or drive the built program from outside: plain Python, no packages.
file(GLOB outside CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/tree/*.py ${CMAKE_SOURCE_DIR}/tests/outside/*.py)
file(GLOB torture CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/torture/*.py)
list(FILTER torture EXCLUDE REGEX "/run\\.py$")
# Servers that are asked and killed run alone; the others beside each other, a thread each, the long ones first.
set(alone durability page served_policy server_http server_loop)
set(long shared_checks learned_worlds policy_verbs config_names)
foreach(script ${outside} ${torture})
  cmake_path(GET script STEM stem)
  cmake_path(GET script PARENT_PATH folder)
  cmake_path(GET folder FILENAME label)
  if(NOT label STREQUAL "tree" AND NOT HG_TORCH)
    continue()
  endif()
  set(size)
  if(label STREQUAL "torture")
    set(size --short)  # `make torture` runs them at full size
  endif()
  add_test(
    NAME ${label}.${stem}
    COMMAND ${HG_PYTHON3} ${script} --source ${CMAKE_SOURCE_DIR} --binary ${CMAKE_BINARY_DIR}/honeyguide
            --shared ${HG_SHARED} ${size}
  )
  set_tests_properties(${label}.${stem} PROPERTIES LABELS ${label} TIMEOUT 1800 SKIP_RETURN_CODE 77)
  if(label STREQUAL "torture" OR stem IN_LIST alone)
    set_tests_properties(${label}.${stem} PROPERTIES RUN_SERIAL ON)
  elseif(stem IN_LIST long)
    list(FIND long ${stem} place)
    math(EXPR cost "1000 - ${place}")
    set_tests_properties(${label}.${stem} PROPERTIES COST ${cost} ENVIRONMENT OMP_NUM_THREADS=1)
  endif()
endforeach()
