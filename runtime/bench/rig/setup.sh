#!/usr/bin/env bash
# usage: setup.sh DIR    makes the peers' environments, the Node floor, the load generators and the models in DIR
# (about 3 GB, some minutes); does nothing twice
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mkdir -p "$1" && cd "$1" && pwd)
mark=$work/complete-$(cat "$here"/requirements/*.txt "$here/make_models.py" "$0" | sha256sum | cut -c1-16)
[ -e "$mark" ] && exit 0
command -v wrk >/dev/null && command -v h2load >/dev/null || apt-get install -y -qq wrk nghttp2-client
for v in fastapi mlserver bento lit triton; do
  echo "· Python environment of $v"
  py=python3
  # PyTriton's backend stub embeds an older CPython 3.11, which cannot run the library of 3.11.6 and later
  if [ "$v" = triton ] && [ -x /usr/bin/python3.11 ]; then py=/usr/bin/python3.11; fi     # needs Debian's python3.11-venv
  [ -x "$work/venv-$v/bin/pip" ] || "$py" -m venv "$work/venv-$v" || { echo "no venv for $v"; continue; }
  "$work/venv-$v/bin/pip" install -q -r "$here/requirements/$v.txt" || echo "could not install $v: leave it out with --peers"
done
echo "· onnxruntime-node, for the floor"
mkdir -p "$work/node"
[ -e "$work/node/package.json" ] || echo '{"private":true}' > "$work/node/package.json"
(cd "$work/node" && ONNXRUNTIME_NODE_INSTALL=skip npm install --no-audit --no-fund --loglevel=error onnxruntime-node@1.30.0)
echo "· load generator for a fixed rate (oha)"
[ -x "$work/bin/oha" ] || cargo install oha@1.16.0 --quiet --locked --root "$work" || echo "no oha: the fixed rates are left out"
"$work/venv-fastapi/bin/python" "$here/make_models.py" "$work/models"
touch "$mark"
