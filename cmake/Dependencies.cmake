# LibTorch first: pip's wheel in .venv unless another is given (Torch_DIR, CMAKE_PREFIX_PATH). pip gives a
# CMAKE_PREFIX_PATH of its own, which is looked through before .venv.
if(NOT Torch_DIR AND NOT DEFINED ENV{CMAKE_PREFIX_PATH} AND NOT DEFINED ENV{Torch_DIR})
  file(GLOB wheel ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
  list(APPEND CMAKE_PREFIX_PATH ${wheel})
endif()
include(cmake/LibTorch.cmake)
if(NOT Torch_FOUND)
  message(FATAL_ERROR "LibTorch was not found. Run scripts/setup, or give -DTorch_DIR=…/torch/share/cmake/Torch.")
endif()
if(Torch_VERSION VERSION_LESS 2.6)
  message(FATAL_ERROR "LibTorch ${Torch_VERSION} is too old: semblance needs 2.6 or later (${Torch_DIR}).")
endif()
message(STATUS "LibTorch ${Torch_VERSION}: ${TORCH_INSTALL_PREFIX}")

# What the libraries need is found again by cmake/semblanceConfig.cmake.in, for those who link an installed semblance.
list(APPEND CMAKE_MODULE_PATH ${PROJECT_SOURCE_DIR}/cmake)
find_package(nlohmann_json REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET libutf8proc)
# Within the program where there is an archive: machines that run it may lack the library.
find_library(UTF8PROC_ARCHIVE libutf8proc.a HINTS ${utf8proc_LIBRARY_DIRS})
if(UTF8PROC_ARCHIVE)
  set_property(TARGET PkgConfig::utf8proc PROPERTY INTERFACE_LINK_LIBRARIES ${UTF8PROC_ARCHIVE})
endif()
# The program's and the compiler's alone.
find_package(fmt REQUIRED)
find_package(cxxopts REQUIRED)
find_path(XXHASH_INCLUDE xxhash.h REQUIRED)
find_path(TOML_INCLUDE toml++/toml.h REQUIRED)  # headers alone
find_path(HNSWLIB_INCLUDE hnswlib/hnswlib.h REQUIRED)
