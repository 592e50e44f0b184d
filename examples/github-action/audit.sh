#!/usr/bin/env bash
# Audits every model once, and tells each report in all formats. Exits with the gravest status: 2 where an audit could
# not be made, else 1 where something is wrong, else 3 where something is undecided.
set -uo pipefail

mkdir -p "$RESULTS"
# Words of a shell, quotes included, and nothing of it is run.
mapfile -t options < <(xargs -n 1 <<<"$OPTIONS")
[ -n "${OPTIONS// /}" ] || options=()

gravest=0
number=0
while IFS= read -r model; do
  [ -n "$model" ] || continue
  number=$((number + 1))
  report="$RESULTS/$number-$(basename "$model" .onnx)"
  dropaudit run "$model" --role "$ROLE" --format json -o "$report.json" ${options[@]+"${options[@]}"}
  status=$?
  for form in junit:xml sarif:sarif html:html markdown:md; do
    dropaudit show "$report.json" --title "$model" --format "${form%:*}" -o "$report.${form#*:}"
  done
  [ ! -f "$report.md" ] || cat "$report.md" >>"${GITHUB_STEP_SUMMARY:-/dev/stdout}"
  case "$status:$gravest" in
    2:* | 1:[03] | 3:0) gravest=$status ;;
  esac
done <<<"$MODELS"
exit "$gravest"
