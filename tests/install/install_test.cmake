# Installs the built tree, builds docs/examples/own_task on it and runs that.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(NOT code STREQUAL 0)
    message(FATAL_ERROR "${ARGN}: exit code ${code}\n${out}${err}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

function(expect_match text pattern)
  if(NOT text MATCHES "${pattern}")
    message(FATAL_ERROR "expected '${pattern}', found:\n${text}")
  endif()
endfunction()

file(REMOVE_RECURSE "${WORK}")
set(prefix "${WORK}/prefix")
run(${CMAKE_COMMAND} --install "${BUILD}" --prefix "${prefix}")

# The licences go with what they are about.
foreach(file LICENSE THIRD_PARTY_NOTICES.md)
  if(NOT EXISTS "${prefix}/share/doc/semblance/${file}")
    message(FATAL_ERROR "${file} is not installed")
  endif()
endforeach()

foreach(file man/man1/semblance.1 bash-completion/completions/semblance zsh/site-functions/_semblance
        fish/vendor_completions.d/semblance.fish)
  file(READ "${prefix}/share/${file}" text)
  expect_match("${text}" "semblance")
endforeach()

# The package can be moved: it knows neither the checkout nor where the machine keeps its libraries.
file(GLOB_RECURSE package "${prefix}/*.cmake")
foreach(file ${package})
  file(READ "${file}" text)
  foreach(path "${SOURCE}/" "${prefix}" /usr/)
    string(FIND "${text}" "${path}" position)
    if(NOT position EQUAL -1)
      message(FATAL_ERROR "${file}: names ${path}")
    endif()
  endforeach()
endforeach()

# So can the program: it looks for libraries beside itself alone.
run("${READELF}" -d "${prefix}/bin/semblance-engine")
expect_match("${out}" "R(UN)?PATH[^\n]*\\[.ORIGIN/\\.\\./lib:?\\]")
cmake_path(GET TORCH PARENT_PATH torch_lib)  # …/torch/share/cmake/Torch
cmake_path(SET torch_lib NORMALIZE "${torch_lib}/../../lib")
set(ENV{LD_LIBRARY_PATH} "${torch_lib}:$ENV{LD_LIBRARY_PATH}")
run("${prefix}/bin/semblance" version)
expect_match("${out}" "^semblance  *[0-9.]+\n")

# Overruns of the stack, fortified calls, a table of functions that cannot be written once it is filled.
foreach(program semblance semblance-engine)
  run("${READELF}" -d -l "${prefix}/bin/${program}")
  expect_match("${out}" "BIND_NOW")
  expect_match("${out}" "GNU_RELRO")
  run("${READELF}" --dyn-syms --wide "${prefix}/bin/${program}")
  expect_match("${out}" "__stack_chk_fail")
  expect_match("${out}" "__[a-z]+_chk@")
endforeach()

file(COPY "${SOURCE}/docs/examples/own_task" DESTINATION "${WORK}")
run(${CMAKE_COMMAND} -G ${GENERATOR} -S "${WORK}/own_task" -B "${WORK}/build"
  -DCMAKE_PREFIX_PATH=${prefix} -DTorch_DIR=${TORCH} -DCMAKE_CXX_COMPILER=${COMPILER}
  -DCMAKE_CXX_FLAGS=-O1)
run(${CMAKE_COMMAND} --build "${WORK}/build")

# Eight epochs, and three that are gone on with to eight, end in the same checkpoint.
set(language "${WORK}/build/language")
run("${language}" "${WORK}/straight" 8)
run("${language}" "${WORK}/resumed" 3)
run("${language}" "${WORK}/resumed" 8 "where is the station" "où est la gare" "wo ist der Bahnhof")
expect_match("${out}" "where is the station: English\noù est la gare: French\nwo ist der Bahnhof: German\n$")
foreach(path metrics.tsv LAST)
  file(READ "${WORK}/straight/${path}" expected)
  file(READ "${WORK}/resumed/${path}" found)
  if(NOT found STREQUAL expected)
    message(FATAL_ERROR "${path}: expected\n${expected}found\n${found}")
  endif()
endforeach()
