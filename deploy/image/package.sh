#!/bin/sh
# Builds the project's packages that lie here, and unpacks them with their metadata.
#
#   package.sh TOOLS FOLDER
#
# TOOLS is where what builds was installed. The command of the client is left out: it is not for a service's image.
set -eu
tools=$1 folder=$2
PYTHONPATH=$tools python -m hatchling build -t wheel -d dist
python -m zipfile -e dist/*.whl "$folder"
rm -f "$folder"/*.dist-info/entry_points.txt
python -m compileall -q --invalidation-mode unchecked-hash "$folder"
