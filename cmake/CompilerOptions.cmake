# Options of our own code; those who use an installed semblance get the language and the headers alone. The two -fno
# flags are what lets loops with a square root vectorise; NaN and infinity keep their meaning, which -ffast-math would
# take away.
add_library(semblance_options INTERFACE)
target_compile_features(semblance_options INTERFACE cxx_std_20)
target_include_directories(semblance_options INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${SEMBLANCE_INSTALL_HEADERS}>)
target_compile_options(semblance_options INTERFACE
  $<BUILD_INTERFACE:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wno-sign-conversion;-Werror>
  $<BUILD_INTERFACE:-fno-math-errno;-fno-trapping-math>)
if(SEMBLANCE_FUZZ)
  target_compile_options(semblance_options INTERFACE -fsanitize=fuzzer-no-link -Wno-error)
  set(SEMBLANCE_SANITIZE address,undefined)
endif()
# What turns an overrun into an end instead of a way in. Fortified calls want optimised code.
target_compile_options(semblance_options INTERFACE
  $<BUILD_INTERFACE:-fstack-protector-strong>
  $<BUILD_INTERFACE:$<$<CONFIG:Release>:-U_FORTIFY_SOURCE$<SEMICOLON>-D_FORTIFY_SOURCE=2>>)
target_link_options(semblance_options INTERFACE $<BUILD_INTERFACE:LINKER:-z,relro,-z,now>)
if(SEMBLANCE_SANITIZE)
  # g++ 12 takes LibTorch's default arguments for uninitialised once its code is instrumented, and warns of a fence in
  # LibTorch's headers that ThreadSanitizer does not see: it counts Python's references, of which there are none.
  target_compile_options(semblance_options INTERFACE
    -fsanitize=${SEMBLANCE_SANITIZE} -fno-omit-frame-pointer "$<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized;-Wno-tsan>")
  target_link_options(semblance_options INTERFACE -fsanitize=${SEMBLANCE_SANITIZE})
  target_compile_definitions(semblance_options INTERFACE SEMBLANCE_SANITIZED)
endif()

# What every library begins with. fmt is compiled once: the wheel's include folder holds another version than Debian's
# library, so it is made of whichever headers the other files see. And what nearly every file includes is parsed once.
add_library(semblance_base STATIC ${PROJECT_SOURCE_DIR}/cmake/fmt.cpp)
target_link_libraries(semblance_base PUBLIC semblance_options semblance::torch nlohmann_json::nlohmann_json)
target_precompile_headers(semblance_base PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled.h)
