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
# Lines of the gate that the summary shows, and characters of each: with summary.md they stay below 64 kB.
gate_lines=30
gate_columns=200
# Annotations beside the pull request, all kinds together.
annotations=10

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

# Text of an annotation: a command ends at its line's end.
escaped() { sed -e 's/%/%25/g' -e 's/\r/%0D/g'; }

gate=none
code=$verify
[ "$code" -eq 0 ] && code=$fastpath
if [ -f "$out/report.json" ]; then
  extra=
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
    # What is lost without anything being broken is beside no line of the sources.
    [ "$gate" = failed ] && extra="::error title=Ringfence%3A gate::$(printf '%s\n' "$told" | head -n 1 | escaped)"
  else
    extra="::notice title=Ringfence::no baseline at $baseline; make one with 'ringfence gate --update' and commit it"
  fi
  [ -n "$extra" ] && annotations=$((annotations - 1))
  "${ringfence[@]}" report --out "$out" --annotations --no-color |
    awk -v most="$annotations" '!/^::/ || ++n <= most'
  [ -n "$extra" ] && printf '%s\n' "$extra"
  if [ "$gate" = failed ]; then
    {
      printf '## Ringfence gate: FAILED\n\n'
      # Four spaces make it code: nothing in it is taken for markup.
      printf '%s\n' "$told" | head -n "$gate_lines" | cut -c "1-$gate_columns" | sed 's/^/    /'
      more=$(($(printf '%s\n' "$told" | wc -l) - gate_lines))
      [ "$more" -gt 0 ] && printf '\n**Cut here: %s more lines; ringfence gate prints them.**\n' "$more"
      printf '\n'
    } >>"$summary"
  fi
  [ -f "$out/summary.md" ] && cat "$out/summary.md" >>"$summary"
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
  echo "sarif=$out/report.sarif"
} >>"$outputs"
exit "$code"
