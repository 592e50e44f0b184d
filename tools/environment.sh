#!/bin/sh
# Makes a virtual environment with the project and its extras, unless the one that is there was made from the same
# pyproject.toml. What is missing on this machine is said in a sentence.
#
#   tools/environment.sh FOLDER RUNTIME [EXTRAS [PACKAGES...]]
#
# RUNTIME is ONNX Runtime's extra: cpu, gpu or gpu-bare. PYTHON names the interpreter, python3 by default.
set -eu
cd "$(dirname "$0")/.."
folder=$1 runtime=$2 extras=${3:-dev}
if [ $# -gt 3 ]; then shift 3; else shift $#; fi
python=${PYTHON:-python3}

refuse() {
  echo "environment: $1" >&2
  exit 2
}

command -v "$python" >/dev/null 2>&1 ||
  refuse "there is no $python; install Python 3.11 or later, or name one with PYTHON=..."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  refuse "$("$python" --version 2>&1) is too old; name Python 3.11 or later with PYTHON=..."
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  refuse "$python cannot make virtual environments; install its venv module, on Debian and Ubuntu the package python3-venv"

# The newest Python that all packages are known to have wheels for.
newest=$(sed -n 's/.*:: Python :: \(3\.[0-9][0-9]*\)".*/\1/p' pyproject.toml | tail -n 1)
described="$("$python" --version 2>&1)$("$python" -c \
  'import sysconfig; print(" (free-threaded)" * bool(sysconfig.get_config_var("Py_GIL_DISABLED")), end="")')"

# The same content gives the same environment, whenever the file was written.
made_from="$("$python" --version 2>&1) $runtime $extras $* $(cksum <pyproject.toml)"
stamp=$folder/.installed-$runtime
if [ -x "$folder/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$made_from" ]; then
  touch "$stamp"
  exit 0
fi

"$python" -m venv --clear "$folder"
pip() { "$folder/bin/python" -m pip --disable-pip-version-check "$@"; }
"$folder/bin/python" -c 'import pip, sys; sys.exit(int(pip.__version__.split(".")[0]) < 22)' ||
  refuse "$("$folder/bin/python" -m pip --version | cut -d " " -f 1,2) is too old to install this project; upgrade pip to 22 or later"
if ! pip install --quiet -e ".[$extras,$runtime]" "$@"; then
  case $runtime in cpu) wheel=onnxruntime ;; *) wheel=onnxruntime-gpu ;; esac
  try() { pip install --quiet --dry-run --no-deps --only-binary :all: "$1" >/dev/null 2>&1; }
  # Another package can be had: then it is not the network.
  if try msgspec && ! try "$wheel"; then
    refuse "$wheel has no wheel for $described on $(uname -sm); ${newest:+Python 3.11 to $newest have one on Linux and macOS; }name another Python with PYTHON=..."
  fi
  if [ -n "$newest" ] && ! "$python" -c "import sys; sys.exit(sys.version_info[:2] > (3, ${newest#3.}))"; then
    refuse "$described is newer than $newest, the newest that all packages are known to have wheels for; name another Python with PYTHON=..."
  fi
  refuse "the packages could not be installed; what pip said above tells why"
fi
echo "$made_from" >"$stamp"
