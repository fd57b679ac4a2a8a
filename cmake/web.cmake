# The web page lives inside the program: web/* and Debian's Chart.js become one generated source of hg_serve.
find_file(HG_CHART_JS chart.min.js PATHS /usr/share/javascript/chart.js REQUIRED DOC "Chart.js (libjs-chart.js)")
file(GLOB web_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/*.html ${CMAKE_SOURCE_DIR}/web/*.css
     ${CMAKE_SOURCE_DIR}/web/*.js ${CMAKE_SOURCE_DIR}/web/*.svg)
set(web_pairs "/chart.js=${HG_CHART_JS}")
foreach(file ${web_files})
  cmake_path(GET file FILENAME name)
  if(name STREQUAL "index.html")
    string(APPEND web_pairs "|/=${file}")
  else()
    string(APPEND web_pairs "|/${name}=${file}")
  endif()
endforeach()
add_custom_command(
  OUTPUT ${CMAKE_BINARY_DIR}/web_assets.cpp
  COMMAND ${CMAKE_COMMAND} -DOUT=${CMAKE_BINARY_DIR}/web_assets.cpp "-DFILES=${web_pairs}" -P
          ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  DEPENDS ${web_files} ${HG_CHART_JS} ${CMAKE_SOURCE_DIR}/cmake/embed.cmake
  COMMENT "Embedding the web page"
  VERBATIM
)
target_sources(hg_serve PRIVATE ${CMAKE_BINARY_DIR}/web_assets.cpp)
