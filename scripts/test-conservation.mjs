// npm run test:conservation: organizations of twenty customers, as seeds decide, whose provider lies and whose Weir dies
// (docs/spec/conservation.md). A seed that fails prints its shortest history, and how to play it again.
//   --seeds 1-200   which; 200 without
//   --soak          also lets Weir die at every await boundary of a small organization, one after the other: an hour
import { vitest } from "./vitest.mjs";
import { prepare } from "./workspace.mjs";

const args = process.argv.slice(2);
const usage = "npm run test:conservation [-- [--seeds 17 | --seeds 1-200] [--soak]]";
let seeds = "1-200";
let soak = false;
for (let index = 0; index < args.length; index += 1) {
  if (args[index] === "--soak") soak = true;
  else if (args[index] === "--seeds" && /^\d+(-\d+)?$/.test(args[index + 1] ?? ""))
    seeds = args[(index += 1)];
  else {
    console.error(`${args[index]} is not understood: ${usage}`);
    process.exit(2);
  }
}

prepare();
const began = performance.now();
const counts = vitest(["--project=server", ...files()], {
  env: { WEIR_SEEDS: seeds, ...(soak ? { WEIR_SOAK: "1" } : {}) },
});
console.log(`Seeds ${seeds} took ${Math.round((performance.now() - began) / 1000)} s`);
console.log(`\n${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 ? 0 : 1);

function files() {
  return soak ? ["test/conservation/"] : ["conservation/quarter-"];
}
