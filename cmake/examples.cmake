# examples/*: the C++ ones become example_NAME; every one is a test (label examples).
if(NOT HG_TORCH)
  return()
endif()

set(examples examples.01_your_own_csv examples.02_click_and_see)
file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*.cpp)
foreach(source ${sources})
  cmake_path(GET source STEM stem)
  add_executable(example_${stem} ${source})
  target_link_libraries(example_${stem} PRIVATE hg_policy)
  add_test(NAME examples.${stem} COMMAND example_${stem})
  list(APPEND examples examples.${stem})
endforeach()
add_test(
  NAME examples.01_your_own_csv COMMAND ${CMAKE_SOURCE_DIR}/examples/01_your_own_csv.sh $<TARGET_FILE:honeyguide>
)
add_test(
  NAME examples.02_click_and_see COMMAND ${HG_PYTHON3} ${CMAKE_SOURCE_DIR}/examples/02_click_and_see.py $<TARGET_FILE:honeyguide>
)
set_tests_properties(${examples} PROPERTIES LABELS examples TIMEOUT 120 ENVIRONMENT OMP_NUM_THREADS=1)
