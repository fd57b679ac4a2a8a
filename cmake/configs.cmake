# configs/ROOM/NAME.toml are part of the program: --config ROOM/NAME finds them wherever it runs.
file(GLOB_RECURSE config_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/configs/*.toml)
set(config_rows "")
foreach(file ${config_files})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  cmake_path(RELATIVE_PATH file BASE_DIRECTORY ${CMAKE_SOURCE_DIR}/configs OUTPUT_VARIABLE name)
  cmake_path(REMOVE_EXTENSION name)
  file(READ ${file} text)
  string(APPEND config_rows "    {\"${name}\", R\"toml(${text})toml\"},\n")
endforeach()
file(
  CONFIGURE
  OUTPUT ${CMAKE_BINARY_DIR}/shipped_configs.cpp
  CONTENT
    "// Made by cmake/configs.cmake from configs/.\n#include \"app/shipped_configs.hpp\"\n\n#include <array>\n\nnamespace hg::app {\nnamespace {\n\nconstexpr auto table = std::to_array<ShippedConfig>({\n@config_rows@});\n\n}  // namespace\n\nstd::span<const ShippedConfig> shipped_configs() { return table; }\n\n}  // namespace hg::app\n"
  @ONLY
)
target_sources(hg_app PRIVATE ${CMAKE_BINARY_DIR}/shipped_configs.cpp)
