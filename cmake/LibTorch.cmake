# Finds LibTorch and makes semblance::torch of it, for semblance's own build and for all that is built on an installed
# one. Sets Torch_FOUND, Torch_VERSION and TORCH_INSTALL_PREFIX.
if(NOT Torch_DIR AND DEFINED ENV{Torch_DIR})
  set(Torch_DIR $ENV{Torch_DIR})
endif()
# The wheel's package looks its libraries up by name, and would take Debian's libtorch where that is installed:
# its own folder is put in front.
set(semblance_prefix_path ${CMAKE_PREFIX_PATH})
if(Torch_DIR)
  get_filename_component(torch_root ${Torch_DIR}/../../.. ABSOLUTE)
  list(PREPEND CMAKE_PREFIX_PATH ${torch_root})
endif()
find_package(Torch QUIET)
set(CMAKE_PREFIX_PATH ${semblance_prefix_path})
unset(semblance_prefix_path)

if(Torch_FOUND AND NOT TARGET semblance::torch)
  # With OpenMP: LibTorch's parallel_for is serial in code that is compiled without.
  find_package(OpenMP REQUIRED)
  add_library(semblance::torch INTERFACE IMPORTED)
  target_include_directories(semblance::torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
  target_link_libraries(semblance::torch INTERFACE OpenMP::OpenMP_CXX ${TORCH_LIBRARIES})
  separate_arguments(torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
  target_compile_options(semblance::torch INTERFACE ${torch_flags})
endif()
