# Several sources a compiler run: most of a run goes into headers and the templates behind them, torch's above all,
# so twelve files together cost little more than two alone. Off where files are edited one by one (dev) and where
# each must stand alone (no-pch).
option(HG_UNITY "Compile the sources of a room in groups" ON)
set(HG_UNITY_SIZE 12)
find_program(HG_PYTHON3 python3 REQUIRED)

# In ANSWER: one generated source for every group of the remaining arguments (cmake/unity.py says which go
# together); KIND names them. Sources with compile options of their own stay as they are.
function(hg_unite answer kind)
  set(alone)
  set(together)
  foreach(source ${ARGN})
    get_source_file_property(options ${source} COMPILE_OPTIONS)
    get_source_file_property(definitions ${source} COMPILE_DEFINITIONS)
    if(options OR definitions OR NOT HG_UNITY)
      list(APPEND alone ${source})
    else()
      list(APPEND together ${source})
    endif()
  endforeach()
  if(together)
    execute_process(
      COMMAND ${HG_PYTHON3} ${CMAKE_SOURCE_DIR}/cmake/unity.py ${HG_UNITY_SIZE} ${CMAKE_SOURCE_DIR} ${together}
      OUTPUT_VARIABLE groups
      OUTPUT_STRIP_TRAILING_WHITESPACE
      COMMAND_ERROR_IS_FATAL ANY
    )
    string(REPLACE ";" "|" groups "${groups}")
    string(REPLACE "\n" ";" groups "${groups}")
    set(number 0)
    foreach(group ${groups})
      math(EXPR number "${number} + 1")
      string(REPLACE "|" "\"\n#include \"" text "#include \"${group}\"\n")
      set(file ${CMAKE_BINARY_DIR}/unity/${kind}_${number}.cpp)
      file(CONFIGURE OUTPUT ${file} CONTENT "${text}" @ONLY)
      list(APPEND alone ${file})
    endforeach()
  endif()
  set(${answer} ${alone} PARENT_SCOPE)
endfunction()
