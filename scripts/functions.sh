# shellcheck shell=bash disable=SC2034
# What the scripts share; sourced by each of them, from any folder.
set -euo pipefail

root=$(CDPATH='' cd -- "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"

TORCH=2.13.0
TORCH_CPU_INDEX=https://download.pytorch.org/whl/cpu

BUILD_PACKAGES=(g++ cmake ninja-build ccache pkg-config libfmt-dev libcxxopts-dev nlohmann-json3-dev
  libtomlplusplus-dev libutf8proc-dev libxxhash-dev zlib1g-dev libhnswlib-dev libgloo-dev)
TEST_PACKAGES=(libgtest-dev fasttext zsh fish groff-base chromium fonts-dejavu-core)
LINT_PACKAGES=(clang-tidy-19)

# Without these ccache neither keeps nor uses precompiled headers. The base folder lets checkouts share its cache.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-pch_defines,time_macros}
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$root}
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}

# Files and messages are UTF-8, whatever the locale says.
export PYTHONUTF8=1

say() { printf '%s: %s\n' "$(basename "$0")" "$*"; }
fail() {
  printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# part NAME FUNCTION…: runs it and prints NAME, what it left in $did, and how long it took.
part() {
  local name=$1 start=$EPOCHREALTIME
  shift
  did="nothing to do"
  "$@"
  say "$name: $did ($(seconds_since "$start") s)"
}

# In whole numbers: what stands before the decimals, in $EPOCHREALTIME as in printf's, depends on the locale.
seconds_since() {
  local now=$EPOCHREALTIME
  local tenths=$(((${now//[!0-9]/} - ${1//[!0-9]/} + 50000) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

# One script at a time changes this checkout's .venv and build folder; another waits. The lock goes with the process.
lock_checkout() {
  mkdir -p build
  exec {lock_file}>build/.lock
  if ! flock --nonblock "$lock_file"; then
    say "waiting for another script in this checkout"
    flock "$lock_file"
  fi
}

unlock_checkout() { exec {lock_file}>&-; }

# install_packages PACKAGE…: asks apt only for what dpkg does not have.
install_packages() {
  if ! command -v dpkg-query >/dev/null; then
    did="not a Debian: $* are taken to be there"
    return
  fi
  local package missing=() sudo=()
  for package in "$@"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then
    did="all $# there"
    return
  fi
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "missing packages: ${missing[*]}; install them, or run as root or with sudo"
    sudo=(sudo)
  fi
  # apt waits for its own locks only when it installs; the lists are guarded here.
  "${sudo[@]}" flock /var/lib/apt/lists apt-get -qq update
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes apt-get -qq install -y --no-install-recommends \
    -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "${missing[@]}" >/dev/null
  did="installed ${missing[*]}"
}

usable_python() {
  "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null
}

make_venv() {
  local version
  # pip renames what it replaces to ~…, and leaves that where it is stopped half-way.
  if [[ -x .venv/bin/pip ]] && .venv/bin/python -c '' 2>/dev/null && ! compgen -G '.venv/lib/python3*/site-packages/~*' >/dev/null; then
    did="there"
    return
  fi
  local python=${PYTHON:-python3}
  if ! usable_python "$python"; then
    [[ -z ${PYTHON:-} ]] || fail "PYTHON=$PYTHON: expected Python 3.10 or later with venv and ensurepip"
    install_packages python3-venv
    python=/usr/bin/python3
    usable_python "$python" || fail "expected Python 3.10 or later with venv; give one with PYTHON=…"
  fi
  "$python" -m venv --clear .venv
  version=$(.venv/bin/python --version)
  did="made with $version"
}

# installed NAME VERSION: whether .venv holds just that. pip writes RECORD last.
installed() {
  compgen -G ".venv/lib/python3*/site-packages/${1//-/_}-$2.dist-info/RECORD" >/dev/null
}

pip_install() { .venv/bin/python -m pip --disable-pip-version-check install -qq "$@"; }

# install_pins [NAME]: what tests/requirements.txt has, or NAME of it; asks pip only where one is not there, and takes
# only files whose hashes are in that file, which lists whatever they need but torch. No source package: what builds it would come
# unchecked.
install_pins() {
  local file=tests/requirements.txt log=build/requirements.log pin pins missing=() differs
  mapfile -t pins < <(sed -nE "s/^(${1:-[^ =]+}==[^ ;\\]+).*/\1/p" "$file")
  ((${#pins[@]} > 0)) || fail "$file: no requirement ${1:-}"
  for pin in "${pins[@]}"; do
    installed "${pin%%==*}" "${pin##*==}" || missing+=("$pin")
  done
  if ((${#missing[@]} == 0)); then
    did="all ${#pins[@]} there"
    return
  fi
  # NAME's lines go on as long as they end in a backslash.
  if ! sed -n "/^${1:-.*}==/,/[^\\]\$/p" "$file" | pip_install --require-hashes --no-deps --only-binary :all: \
    -r /dev/stdin >"$log" 2>&1; then
    differs=$(sed -nE '/DO NOT MATCH THE HASHES/,$ s/^ +([A-Za-z0-9._-]+==[^ ]+) from .*/\1/p' "$log" | paste -sd ' ')
    [[ -z $differs ]] || fail "$differs: what pip finds is not what $file lists (sha256); see $log"
    cat "$log" >&2
    fail "what $file lists could not be installed"
  fi
  did="installed ${#missing[@]} of ${#pins[@]}"
}

libtorch_given() { [[ -n ${Torch_DIR:-}${CMAKE_PREFIX_PATH:-} ]]; }

# libtorch_there BUILD: whether .venv holds all of it.
libtorch_there() {
  installed torch "$TORCH*" && grep -qs "^__version__ = '$TORCH+$1" .venv/lib/python3*/site-packages/torch/version.py
}

has_gpu() { command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q '^GPU'; }

install_libtorch() {
  if libtorch_given; then
    did="given: ${Torch_DIR:-$CMAKE_PREFIX_PATH}"
  elif has_gpu; then
    install_libtorch_cuda
  elif libtorch_there cpu; then
    did="$TORCH+cpu there"
  else
    install_libtorch_cpu
  fi
}

# By version alone: one index has this build, another of the same version is elsewhere, each in a file for every Python
# and processor. And without what Python's torch needs, which tests/requirements.txt has: LibTorch needs none of it.
install_libtorch_cpu() {
  local wanted=torch==$TORCH+cpu log=build/libtorch.log
  if ! pip_install --no-deps "$wanted" >"$log" 2>&1; then
    say "LibTorch: $wanted is not where pip looks; asking $TORCH_CPU_INDEX"
    if ! pip_install --no-deps --index-url "$TORCH_CPU_INDEX" "$wanted" >>"$log" 2>&1; then
      cat "$log" >&2
      fail "$wanted could not be installed; give a LibTorch with Torch_DIR=…/torch/share/cmake/Torch"
    fi
  fi
  did="installed $wanted"
}

# The wheel's CMake files want a CUDA toolkit of the same release, as an installer lays it out.
install_libtorch_cuda() {
  local toolkit library
  did="$TORCH for CUDA there"
  if ! libtorch_there cu || ! installed nvidia_cuda_nvcc '*'; then
    # Where both builds are offered, pip takes the +cpu one for the newer.
    pip_install "torch==$TORCH,!=$TORCH+cpu" 'cuda-toolkit[nvcc]'
    did="installed torch==$TORCH for CUDA"
  fi
  toolkit=$(cuda_toolkit)
  [[ ! -e $toolkit/lib64 ]] || return 0
  for library in "$toolkit"/lib/lib*.so.[0-9]*; do
    ln -sf "$(basename "$library")" "${library%%.so.*}.so"
  done
  ln -s lib "$toolkit/lib64"
}

cuda_toolkit() { compgen -G "$root/.venv/lib/python3*/site-packages/nvidia/cu[0-9]*" | head -n 1; }

# configure PRESET WITH_TESTS: only where that was not done, or the presets or LibTorch changed; ninja sees to all else.
# A folder that has the tests keeps them.
configure() {
  local preset=$1 with_tests=$2 folder=build/$1 state options=() toolkit
  if grep -qs '^SEMBLANCE_TESTS:BOOL=ON' "$folder/CMakeCache.txt"; then with_tests=yes; fi
  state=$(
    printf '%s\n' "$root" "$with_tests" "${Torch_DIR:-}" "${CMAKE_PREFIX_PATH:-}" \
      .venv/lib/python3*/site-packages/torch-*.dist-info
    cat CMakePresets.json
  )
  if [[ -f $folder/build.ninja && -f $folder/.configured && $state == "$(<"$folder/.configured")" ]]; then
    did="up to date"
    return
  fi
  [[ ! -f $folder/CMakeCache.txt ]] || options+=(--fresh)
  [[ $with_tests == no ]] || options+=(-DSEMBLANCE_TESTS=ON)
  if ! libtorch_given && has_gpu; then
    # Nothing here is compiled for the GPU itself; an architecture by name spares CMake the search for one.
    toolkit=$(cuda_toolkit)
    options+=("-DCUDA_TOOLKIT_ROOT_DIR=$toolkit" "-DCMAKE_CUDA_COMPILER=$toolkit/bin/nvcc" -DTORCH_CUDA_ARCH_LIST=8.0)
  fi
  mkdir -p "$folder"
  rm -f "$folder/.configured"
  if ! cmake --preset "$preset" "${options[@]}" >"$folder/configure.log" 2>&1; then
    cat "$folder/configure.log" >&2
    fail "cmake --preset $preset failed"
  fi
  printf '%s\n' "$state" >"$folder/.configured"
  did=$(grep -o 'LibTorch [0-9][^:]*' "$folder/configure.log" || echo done)
}

# build PRESET WITH_TESTS: a moving line for people, a file for everything else. Without tests the program alone.
build() {
  local log=build/$1/build.log target=semblance
  [[ $2 == no ]] || target=all
  if [[ -t 1 ]]; then
    cmake --build "build/$1" --target "$target"
    did=done
    return
  fi
  if ! cmake --build "build/$1" --target "$target" >"$log" 2>&1; then
    grep -v '^\[[0-9]*/[0-9]*\] Building' "$log" | head -n 200 >&2
    fail "build/$1 could not be built"
  fi
  did="$(grep -c '^\[' "$log" || true) steps"
}
