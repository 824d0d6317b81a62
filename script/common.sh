# Sourced by the scripts beside it: the root of the repository, messages, and the right node.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CONCIERGUS_ROOT=$PWD
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
export NINJA_STATUS='[%f/%t %es] '
# Debian 12's own node is too old for the web build; script/bootstrap puts a newer one here.
if [ -x build/node/bin/node ]; then export PATH=$PWD/build/node/bin:$PATH; fi

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}
