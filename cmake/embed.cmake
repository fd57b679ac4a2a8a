# Writes a C++ file with the bytes of files in it: cmake -DOUT=assets.cpp "-DFILES=/=web/index.html|/app.js=web/app.js" -P embed.cmake
string(REPLACE "|" ";" FILES "${FILES}")
set(arrays "")
set(rows "")
set(index 0)
foreach(pair ${FILES})
  string(REGEX MATCH "^([^=]+)=(.+)$" matched "${pair}")
  set(path "${CMAKE_MATCH_1}")
  set(file "${CMAKE_MATCH_2}")
  get_filename_component(extension "${file}" LAST_EXT)
  if(extension STREQUAL ".html")
    set(type "text/html; charset=utf-8")
  elseif(extension STREQUAL ".css")
    set(type "text/css; charset=utf-8")
  elseif(extension STREQUAL ".js")
    set(type "text/javascript; charset=utf-8")
  elseif(extension STREQUAL ".svg")
    set(type "image/svg+xml")
  else()
    message(FATAL_ERROR "${file}: no content type is known for ${extension}; add it to cmake/embed.cmake")
  endif()
  file(READ "${file}" bytes HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${bytes}")
  string(APPEND arrays "constexpr char file_${index}[] = {${bytes}};\n")
  string(APPEND rows "    {\"${path}\", \"${type}\", {file_${index}, sizeof file_${index}}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(
  WRITE "${OUT}"
  "// Made by cmake/embed.cmake from web/ and Chart.js.\n#include \"serve/assets.hpp\"\n\n#include <array>\n\n"
  "namespace hg::serve {\nnamespace {\n\n${arrays}\nconstexpr auto table = std::to_array<Asset>({\n${rows}});\n\n"
  "}  // namespace\n\nstd::span<const Asset> assets() { return table; }\n\n}  // namespace hg::serve\n"
)
