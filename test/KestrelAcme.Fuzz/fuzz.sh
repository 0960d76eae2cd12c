#!/usr/bin/env bash
# Fuzzes one target or all of them, one after the other, with AFL++ (Debian: afl++):
#   test/KestrelAcme.Fuzz/fuzz.sh SECONDS [TARGET...]
# Builds into artifacts/fuzz, instruments the products there, starts from corpus/ and writes what it finds to artifacts/fuzz/findings.
# Exit code 1 if a target crashed or hung; the inputs are in findings/TARGET/default/crashes and hangs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
seconds=${1:?seconds for each target}
shift
bin=$root/artifacts/fuzz/bin
findings=$root/artifacts/fuzz/findings
dotnet build "$here" -c Release -o "$root/artifacts/fuzz/plain" -v q -nologo
rm -rf "$bin"
cp -r "$root/artifacts/fuzz/plain" "$bin"
fuzz=$root/artifacts/fuzz/plain/KestrelAcme.Fuzz.dll
(
  cd "$here"
  dotnet tool restore > "$root/artifacts/fuzz/tool.log"
  for product in KestrelAcme KestrelAcme.Protocol KestrelAcme.DnsClient; do dotnet sharpfuzz "$bin/$product.dll"; done
)
if [ $# -eq 0 ]; then mapfile -t targets < <(dotnet "$fuzz" list); else targets=("$@"); fi
# The program under test is dotnet, which carries no instrumentation of its own; a crash of it is an exception that came through.
export AFL_SKIP_BIN_CHECK=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1 AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1
export DOTNET_TieredPGO=0
failed=0
for target in "${targets[@]}"; do
  rm -rf "${findings:?}/$target"
  mkdir -p "$findings/$target"
  afl-fuzz -i "$here/corpus/$target" -o "$findings/$target" -V "$seconds" -t 2000 -m none -- dotnet "$bin/KestrelAcme.Fuzz.dll" run "$target" > "$findings/$target/log" 2>&1 || true
  stats=$findings/$target/default/fuzzer_stats
  if [ ! -f "$stats" ]; then echo "$target: did not start"; tail -n 20 "$findings/$target/log"; failed=1; continue; fi
  value() { sed -n "s/^$1 *: //p" "$stats"; }
  echo "$target: $(value execs_done) executions in $(value run_time) s, $(value corpus_count) inputs, $(value bitmap_cvg) of the map, $(value saved_crashes) crashes, $(value saved_hangs) hangs"
  if [ "$(value saved_crashes)" != 0 ] || [ "$(value saved_hangs)" != 0 ]; then failed=1; fi
done
exit $failed
