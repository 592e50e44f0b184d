#!/bin/sh
# Makes the virtual environment of an image from a list of versions and hashes, without what never runs.
#
#   dependencies.sh ROLE LIST FOLDER
#
# It runs before any source is copied, so that an edited line installs nothing again.
set -eu
# Of the base image nothing is compiled.
export PYTHONDONTWRITEBYTECODE=1
here=$(dirname "$0")
role=$1 list=$2 folder=$3
python -m venv --without-pip "$folder"
# The list is complete, or leaves out on purpose. Wheels alone: nothing that is downloaded runs while it is installed.
python -m pip --python "$folder/bin/python" install --no-cache-dir --no-compile --no-deps --only-binary :all: \
  --require-hashes -r "$list"
site=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# The project's own packages lie beside this environment, in a layer that changes more often.
echo "$(dirname "$folder")/package" >"$site/dropaudit.pth"
"$folder/bin/python" "$here/slim.py" "$site" "$here/$role.modules"
