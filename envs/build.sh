#!/usr/bin/env bash
# Builds one environment from its pins: envs/build.sh NAME FOLDER
#
# SOFTMODE_TORCH says which torch it gets:
#   cuda  the CUDA wheel of the pins (it also runs on a CPU, only larger)
#   cpu   a CPU wheel from the folder of pip's configured find-links
#   auto  (default) cpu where such a wheel is and no NVIDIA GPU answers, else cuda
# A CPU wheel cannot pass the pinned hashes, so that it is installed in a second step.
set -euo pipefail
name=$1 folder=$2
here=$(cd "$(dirname "$0")" && pwd)
pins=$here/$name.txt
uv=${UV:-$here/../.envs/uv/bin/uv}

[ -f "$pins" ] || { echo "envs/build.sh: no environment '$name': $pins is missing. There are: $(cd "$here" && ls -- *.in | sed 's/\.in$//' | grep -v '^common$' | tr '\n' ' ')" >&2; exit 2; }
[ -x "$uv" ] || { echo "envs/build.sh: uv is not at $uv; run 'make uv' first or set UV" >&2; exit 2; }

export VIRTUAL_ENV=$folder
# gpaw, the only one that is compiled, is C++ under names of C
[ "$name" = gpaw ] && export CC=g++ GPAW_CONFIG=$here/gpaw_siteconfig.py
unset UV_FIND_LINKS PYTHONPATH
rm -rf "$folder"
"$uv" venv --quiet --python 3.11 --no-python-downloads "$folder"

torch_version=$(sed -n 's/^torch==\([^ ]*\).*/\1/p' "$pins")
torch=cuda
if [ -n "$torch_version" ] && [ "${SOFTMODE_TORCH:-auto}" != cuda ]; then
  links=$(python3 -m pip config get global.find-links 2>/dev/null || true)
  links=${PIP_FIND_LINKS:-$links}
  # pip takes white space for what parts several folders; a single one may have a space in its name
  if [ -d "$links" ]; then folders=("$links"); else read -rd '' -a folders <<<"$links" || true; fi
  options=() wheel=
  for each in "${folders[@]}"; do
    options+=(--find-links "$each")
    ! ls -- "$each"/torch-"$torch_version"+cpu-cp311-*.whl >/dev/null 2>&1 || wheel=$each
  done
  if [ "${SOFTMODE_TORCH:-auto}" = cpu ] || { [ -n "$wheel" ] && ! nvidia-smi -L >/dev/null 2>&1; }; then
    torch=cpu
  fi
fi

if [ "$torch" = cpu ]; then
  "$uv" pip install --quiet --no-deps --require-hashes --excludes "$here/cpu-excludes.txt" -r "$pins"
  "$uv" pip install --quiet --no-deps --no-index "${options[@]}" "torch==$torch_version"
else
  "$uv" pip install --quiet --no-deps --require-hashes -r "$pins"
fi
"$uv" pip install --quiet --no-deps --editable "$here/.."
echo "environment $name: $folder${torch_version:+ (torch $torch_version, $torch)}"
