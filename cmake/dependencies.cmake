# Everything comes from Debian packages (deps/apt.txt) except libtorch, which is the PyPI wheel in .venv.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(fmt CONFIG REQUIRED)
find_package(spdlog CONFIG REQUIRED)
find_package(nlohmann_json CONFIG REQUIRED)
find_package(tomlplusplus CONFIG REQUIRED)
find_package(CLI11 CONFIG REQUIRED)
find_package(simdjson CONFIG REQUIRED)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
find_package(ZLIB REQUIRED)
find_package(EXPAT REQUIRED)
find_package(boost_headers 1.74 CONFIG REQUIRED)
find_package(Eigen3 CONFIG REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
pkg_check_modules(prometheus REQUIRED IMPORTED_TARGET prometheus-cpp-core)

# Parquet is read by the Arrow C++ inside the wheel pyarrow 26 (deps/parquet.txt); without it the program says
# how to get it.
set(HG_PARQUET auto CACHE STRING "auto: the pyarrow of .venv if it is there; OFF: Parquet is not read")
if(HG_PARQUET STREQUAL "auto")
  file(GLOB hg_arrow CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/.venv/lib/python*/site-packages/pyarrow/libparquet.so.2600)
  if(hg_arrow)
    cmake_path(GET hg_arrow PARENT_PATH hg_arrow)
  endif()
endif()

if(HG_TORCH)
  # The wheel's TorchConfig.cmake wants a CUDA toolkit when the wheel has CUDA, and its include folder
  # carries another fmt; so the headers come last (-idirafter: Debian's win, warnings off) and we link
  # the libraries that are there.
  set(HG_PYTHON ${CMAKE_SOURCE_DIR}/.venv/bin/python CACHE FILEPATH "The Python that has torch")
  execute_process(
    COMMAND ${HG_PYTHON} -c "import importlib.util as u; print(u.find_spec('torch').submodule_search_locations[0])"
    OUTPUT_VARIABLE torch_folder
    OUTPUT_STRIP_TRAILING_WHITESPACE
    RESULT_VARIABLE torch_missing
    ERROR_QUIET
  )
  if(torch_missing)
    message(FATAL_ERROR "no torch in ${HG_PYTHON}: run `make deps` (or configure with -DHG_TORCH=OFF)")
  endif()
  add_library(hg_torch INTERFACE)
  target_compile_options(
    hg_torch
    INTERFACE "SHELL:-idirafter ${torch_folder}/include"
              "SHELL:-idirafter ${torch_folder}/include/torch/csrc/api/include"
  )
  target_link_options(hg_torch INTERFACE -Wl,-rpath,${torch_folder}/lib -Wl,--no-as-needed)
  foreach(library torch torch_cpu c10 torch_cuda c10_cuda)
    if(EXISTS ${torch_folder}/lib/lib${library}.so)
      target_link_libraries(hg_torch INTERFACE ${torch_folder}/lib/lib${library}.so)
    endif()
  endforeach()
endif()
