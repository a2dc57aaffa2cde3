#!/usr/bin/env bash
# What the action runs: verify, the fast path if wanted, the gate; then the step summary, annotations and outputs.
# Reads RINGFENCE_SUITES, _SCOPE, _TIME, _BASELINE, _OUT and _FASTPATH; RINGFENCE_COMMAND replaces the installed command (tests do).
# Ends with the gate's exit code where there is a baseline, and with that of verify where there is none.
set -uo pipefail

out=${RINGFENCE_OUT:-ringfence-report}
baseline=${RINGFENCE_BASELINE:-ringfence-baseline.json}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
outputs=${GITHUB_OUTPUT:-/dev/null}
read -ra ringfence <<<"${RINGFENCE_COMMAND:-npx --no-install ringfence}"
read -ra suites <<<"${RINGFENCE_SUITES:-}"

arguments=(--out "$out" --no-color)
[ -n "${RINGFENCE_SCOPE:-}" ] && arguments+=(--scope "$RINGFENCE_SCOPE")
[ -n "${RINGFENCE_TIME:-}" ] && arguments+=(--time "$RINGFENCE_TIME")

# A report of an earlier run must not pass for this one's.
rm -f "$out/report.json" "$out/summary.md" "$out/fastpath.json"

"${ringfence[@]}" verify "${arguments[@]}" "${suites[@]}"
verify=$?

fastpath=0
if [ "${RINGFENCE_FASTPATH:-false}" = true ]; then
  "${ringfence[@]}" fastpath --out "$out" --no-color "${suites[@]}"
  fastpath=$?
fi

gate=none
code=$verify
[ "$code" -eq 0 ] && code=$fastpath
if [ -f "$out/report.json" ]; then
  if [ -f "$baseline" ]; then
    told=$("${ringfence[@]}" gate --out "$out" --baseline "$baseline" --no-color)
    answer=$?
    printf '%s\n' "$told"
    case $answer in
      0) gate=passed ;;
      *) gate=failed ;;
    esac
    # Known breaches are in the baseline: then the gate decides. A run that did not come about is no pass.
    [ "$verify" -le 1 ] && code=$answer
    [ "$code" -eq 0 ] && code=$fastpath
  else
    echo "::notice title=Ringfence::no baseline at $baseline; make one with 'ringfence gate --update' and commit it"
  fi
  "${ringfence[@]}" report --out "$out" --annotations --no-color
  if [ -f "$out/summary.md" ]; then
    cat "$out/summary.md" >>"$summary"
    if [ "$gate" = failed ]; then
      # Four spaces make it code: nothing in it is taken for markup.
      printf '\n### Gate\n\n' >>"$summary"
      printf '%s\n' "$told" | head -n 100 | sed 's/^/    /' >>"$summary"
    fi
  fi
  verdict=$(node -p 'JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8")).verdict' "$out/report.json")
else
  verdict=none
  printf '## Ringfence: no report\n\nverify ended with exit code %s before it had a report.\n' "$verify" >>"$summary"
  echo "::error title=Ringfence::verify ended with exit code $verify before it had a report"
  [ "$code" -eq 0 ] && code=3
fi

{
  echo "verdict=$verdict"
  echo "gate=$gate"
  echo "report=$out/report.html"
} >>"$outputs"
exit "$code"
