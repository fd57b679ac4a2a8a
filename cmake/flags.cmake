# Warnings, optimisation and sanitizers live on one interface target, never in CMAKE_CXX_FLAGS.
add_library(hg_flags INTERFACE)
target_include_directories(hg_flags INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(hg_flags INTERFACE HG_VERSION="${PROJECT_VERSION}")
target_compile_options(hg_flags INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(HG_UNITY)
  # What a file keeps to itself is seen by those compiled with it; dev and `make check` build with all warnings.
  target_compile_options(hg_flags INTERFACE -Wno-shadow $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()
if(HG_DEVELOPER)
  target_compile_options(hg_flags INTERFACE -Werror)
endif()

# x86-64-v3 (AVX2, FMA) is every server of the last ten years; set HG_ARCH= for older ones.
set(HG_ARCH "x86-64-v3" CACHE STRING "Value of -march, empty for the compiler's default")
if(HG_ARCH AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  target_compile_options(hg_flags INTERFACE -march=${HG_ARCH})
endif()

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # libstdc++ 12 calls its own deprecated get_temporary_buffer in stable_sort.
  target_compile_options(hg_flags INTERFACE -Wno-deprecated-declarations)
endif()

if(HG_SANITIZE)
  target_compile_options(
    hg_flags INTERFACE -fsanitize=${HG_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
  )
  target_link_options(hg_flags INTERFACE -fsanitize=${HG_SANITIZE})
  if(HG_SANITIZE MATCHES "thread")
    # The sanitizer does not know stand-alone fences; asio's only double its locks.
    target_compile_definitions(hg_flags INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
  if(HG_TORCH AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Sanitizers make GCC see uninitialised members in torch's std::optional<Generator> (GCC manual, -fsanitize).
    target_compile_options(hg_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
else()
  target_compile_options(hg_flags INTERFACE -fstack-protector-strong)
  target_link_options(hg_flags INTERFACE -Wl,-z,relro,-z,now)
  target_compile_definitions(hg_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
endif()
target_compile_definitions(hg_flags INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
