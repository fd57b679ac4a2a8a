# One static library per room; the links are the ladder of rooms. Sources are globbed: add a file, done.
function(hg_names_torch source answer)
  file(STRINGS ${source} torch_lines REGEX "#include (<(torch|ATen|c10)/|\".*_net\\.hpp\")")
  set(${answer} "${torch_lines}" PARENT_SCOPE)
endfunction()

# In PLAIN and TORCH: the sources without and with torch, united (cmake/unity.cmake). Loading the torch header costs
# 3 s a file: the plain ones go without.
function(hg_prepare kind plain torch)
  set(plain_sources)
  set(torch_sources)
  foreach(source ${ARGN})
    hg_names_torch(${source} names_torch)
    if(names_torch)
      list(APPEND torch_sources ${source})
    else()
      list(APPEND plain_sources ${source})
    endif()
  endforeach()
  hg_unite(plain_united ${kind} ${plain_sources})
  hg_unite(torch_united ${kind}_torch ${torch_sources})
  if(plain_united)
    set_source_files_properties(${plain_united} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  endif()
  set(${plain} ${plain_united} PARENT_SCOPE)
  set(${torch} ${torch_united} PARENT_SCOPE)
endfunction()

function(hg_room name)
  # FOLDER: where it is not the name. EXCLUDE: a subfolder that is a library of its own.
  cmake_parse_arguments(ROOM "TORCH" "FOLDER;EXCLUDE" "LINK" ${ARGN})
  if(NOT ROOM_FOLDER)
    set(ROOM_FOLDER ${name})
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${ROOM_FOLDER}/*.cpp)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${ROOM_FOLDER}/*.hpp)
  if(ROOM_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "/src/${ROOM_EXCLUDE}/")
    list(FILTER headers EXCLUDE REGEX "/src/${ROOM_EXCLUDE}/")
  endif()
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  list(FILTER headers EXCLUDE REGEX "_net\\.hpp$")  # private to the room and full of torch
  if(ROOM_TORCH AND NOT HG_TORCH)
    set(HG_UNITY OFF)  # an object that calls what is left out is then one that nobody pulls out of the archive
  endif()
  hg_prepare(${name} plain torch ${sources})
  if(NOT HG_TORCH)
    set(torch)  # the part of the room that does without (tokenizer, fields, ...)
  endif()
  add_library(hg_${name} STATIC ${plain} ${torch})
  target_sources(
    hg_${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR}/src FILES ${headers}
  )
  set_target_properties(hg_${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  target_link_libraries(hg_${name} PUBLIC hg_flags ${ROOM_LINK})
  if(ROOM_TORCH AND HG_TORCH)
    target_link_libraries(hg_${name} PUBLIC hg_torch)
    target_precompile_headers(hg_${name} REUSE_FROM hg_torch_pch)
  endif()
endfunction()

# Equal to numpy to the last bit: no fused multiply-add.
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/core/numpy_random.cpp PROPERTIES COMPILE_OPTIONS -ffp-contract=off)
hg_room(core LINK fmt::fmt spdlog::spdlog nlohmann_json::nlohmann_json tomlplusplus::tomlplusplus PkgConfig::sodium)
if(hg_arrow)
  set_source_files_properties(
    ${CMAKE_SOURCE_DIR}/src/data/parquet_rows.cpp PROPERTIES COMPILE_DEFINITIONS HG_HAS_PARQUET
      COMPILE_OPTIONS "-isystem;${hg_arrow}/include"
  )
endif()
hg_room(data LINK hg_core PkgConfig::sodium simdjson::simdjson EXPAT::EXPAT ZLIB::ZLIB PkgConfig::sqlite3 Threads::Threads)
if(hg_arrow)
  target_link_libraries(
    hg_data PRIVATE ${hg_arrow}/libparquet.so.2600 ${hg_arrow}/libarrow.so.2600
  )
  target_link_options(hg_data INTERFACE -Wl,-rpath,${hg_arrow})
endif()
hg_room(evaluate LINK hg_core Boost::headers Eigen3::Eigen)
hg_room(simulate EXCLUDE simulate/learned LINK hg_evaluate hg_data)
target_compile_options(hg_simulate PRIVATE -ffp-contract=off)  # worlds repeat their Python originals
# The half of serve that knows no model: torch-free, so that it is fuzzed and run under the sanitizers.
hg_room(http FOLDER serve/http LINK hg_data Boost::headers PkgConfig::sodium)

if(NOT HG_TORCH)
  # For the sanitizers and fuzzers. Objects of the archive that need torch are not pulled by tests
  # that do without.
  hg_room(encode TORCH LINK hg_data PkgConfig::utf8proc Eigen3::Eigen)
else()
  add_library(hg_torch_pch OBJECT ${CMAKE_SOURCE_DIR}/cmake/torch_pch.cpp)
  target_link_libraries(hg_torch_pch PUBLIC hg_flags hg_torch fmt::fmt spdlog::spdlog)
  target_precompile_headers(hg_torch_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/torch_pch.hpp)

  # The commit goes into the manifest of every run; as of the last configure.
  execute_process(
    COMMAND git describe --always --dirty
    WORKING_DIRECTORY ${CMAKE_SOURCE_DIR}
    OUTPUT_VARIABLE hg_git
    OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET
  )
  set_source_files_properties(
    ${CMAKE_SOURCE_DIR}/src/train/run.cpp ${CMAKE_SOURCE_DIR}/src/simulate/learned/fit_world.cpp
    PROPERTIES COMPILE_DEFINITIONS HG_GIT="${hg_git}"
  )
  hg_room(encode TORCH LINK hg_data PkgConfig::utf8proc Eigen3::Eigen)
  hg_room(train TORCH LINK hg_encode hg_evaluate Eigen3::Eigen)
  hg_room(learned_worlds TORCH FOLDER simulate/learned LINK hg_simulate hg_train)
  hg_room(policy TORCH LINK hg_learned_worlds)
  hg_room(serve EXCLUDE serve/http LINK hg_policy hg_http PkgConfig::prometheus)
  include(web)
  hg_room(app LINK hg_serve CLI11::CLI11)
  include(configs)

  # app parses and prints: -O1 builds it in half the time.
  target_compile_options(hg_app PRIVATE $<$<CONFIG:Release>:-O1> -Wno-restrict)  # GCC bug 105651

  add_executable(honeyguide ${CMAKE_SOURCE_DIR}/src/app/main.cpp)
  target_link_libraries(honeyguide PRIVATE hg_app)
  set_target_properties(honeyguide PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
endif()
