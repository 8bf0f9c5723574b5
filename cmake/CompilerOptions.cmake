# Options of our own code. The two -fno flags are what lets loops with a square root vectorise; NaN and infinity keep
# their meaning, which -ffast-math would take away.
add_library(semblance_options INTERFACE)
target_include_directories(semblance_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(semblance_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror -fno-math-errno -fno-trapping-math)
if(SEMBLANCE_SANITIZE)
  # g++ 12 takes LibTorch's default arguments for uninitialised once its code is instrumented.
  target_compile_options(semblance_options INTERFACE
    -fsanitize=${SEMBLANCE_SANITIZE} -fno-omit-frame-pointer -Wno-maybe-uninitialized)
  target_link_options(semblance_options INTERFACE -fsanitize=${SEMBLANCE_SANITIZE})
  target_compile_definitions(semblance_options INTERFACE SEMBLANCE_SANITIZED)
endif()

# LibTorch for the targets that use it. Its parallel_for is serial in code that is compiled without OpenMP.
add_library(semblance_torch INTERFACE)
target_link_libraries(semblance_torch INTERFACE semblance_options OpenMP::OpenMP_CXX)
target_include_directories(semblance_torch SYSTEM INTERFACE ${TORCH_INCLUDE_DIRS})
target_link_libraries(semblance_torch INTERFACE ${TORCH_LIBRARIES})
separate_arguments(torch_flags UNIX_COMMAND "${TORCH_CXX_FLAGS}")
target_compile_options(semblance_torch INTERFACE ${torch_flags})

# What every library begins with. fmt is compiled once: the wheel's include folder holds another version than Debian's
# library, so it is made of whichever headers the other files see. And what nearly every file includes is parsed once.
add_library(semblance_base STATIC ${PROJECT_SOURCE_DIR}/cmake/fmt.cpp)
target_link_libraries(semblance_base PUBLIC semblance_torch nlohmann_json::nlohmann_json)
target_precompile_headers(semblance_base PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.h)
