// npm test: installs and builds what is missing, then checks and tests everything that needs nothing else.
//   --fast   under a minute: unit and property tests, and ingest and billing on the real engines
//   --soak   the long versions of the fault tests
//   --junit FILE, and whatever else, goes to vitest
import { readdirSync } from "node:fs";
import path from "node:path";
import { check } from "./check.mjs";
import { vitest } from "./vitest.mjs";
import { prepare, root } from "./workspace.mjs";

const args = process.argv.slice(2);
const fast = args.includes("--fast");
const soak = args.includes("--soak");
const passedOn = args.filter((arg) => arg !== "--fast" && arg !== "--soak");

// Parts of paths, as vitest takes them.
const slowProperties = ["identity-index-model.test.ts", "recomputation.test.ts", "usage-rollups.test.ts"];
const fastFiles = [
  "src/",
  ...readdirSync(path.join(root, "server/test/property"))
    .filter((name) => !slowProperties.includes(name))
    .map((name) => `test/property/${name}`),
  "integration/ingest.test",
  "integration/billing.test",
];

prepare();
const checks = check({ fast });
const counts = vitest([...(fast ? fastFiles : []), ...passedOn], { env: soak ? { WEIR_SOAK: "1" } : {} });
const passed = counts.passed + checks.passed;
const failed = counts.failed + checks.failed;
console.log(`\n${passed} passed, ${failed} failed, ${counts.skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
