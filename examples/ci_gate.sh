#!/bin/sh
# Audits every *.onnx of a folder in a CI job, and fails the job when one is wrong.
#
#   examples/ci_gate.sh MODELS RESULTS [ROLE]
#
# RESULTS gets JUnit XML of every model for the list of tests; of those that fail also SARIF for code scanning and a
# page to read. ROLE is train, inference (the default: what is served must not drop anything) or auto. A model whose
# audit is undecided, or could not be made, fails the job too.
set -u
models=$1 results=$2 role=${3:-inference}
mkdir -p "$results" || exit 2

failed=0 audited=0
for model in "$models"/*.onnx; do
  [ -e "$model" ] || break
  audited=$((audited + 1))
  name=$(basename "$model" .onnx)
  dropaudit run "$model" --role "$role" --format junit -o "$results/$name.xml"
  status=$?
  case $status in
    0) echo "ok      $name" && continue ;;
    1) echo "FAIL    $name" ;;
    3) echo "unclear $name" ;;
    *) echo "error   $name" ;;
  esac
  failed=$((failed + 1))
  [ $status -eq 2 ] && continue
  # The same audit again, seed for seed.
  for format in sarif html; do
    dropaudit run "$model" --role "$role" --format "$format" -o "$results/$name.$format"
  done
done

echo "$audited audited, $failed not accepted"
[ "$audited" -gt 0 ] || exit 2
[ "$failed" -eq 0 ]
