// npm test: installs and builds what is missing, then checks and tests everything that needs nothing else.
//   --fast   under a minute: unit and property tests, and ingest and billing on the real engines
//   --soak   the long versions of the fault tests
//   --junit FILE, and whatever else, goes to vitest
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { check } from "./check.mjs";
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
const folder = mkdtempSync(path.join(os.tmpdir(), "weir-test-"));
const report = path.join(folder, "report.json");
const vitest = spawnSync(
  path.join(root, "node_modules", ".bin", "vitest"),
  [
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...(fast ? fastFiles : []),
    ...passedOn,
  ],
  { cwd: root, stdio: "inherit", env: { ...process.env, ...(soak ? { WEIR_SOAK: "1" } : {}) } },
);

let counts = { passed: 0, failed: 1, skipped: 0 };
try {
  const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites, success } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  // A file that fails to load has no failed test of its own.
  const failed = numFailedTests === 0 && (!success || numFailedTestSuites > 0) ? 1 : numFailedTests;
  counts = { passed: numPassedTests, failed, skipped: numPendingTests };
} catch (error) {
  console.error(`vitest left no report: ${error.message}`);
}
rmSync(folder, { recursive: true, force: true });
const passed = counts.passed + checks.passed;
const failed = counts.failed + checks.failed + (vitest.status !== 0 && counts.failed === 0 ? 1 : 0);
console.log(`\n${passed} passed, ${failed} failed, ${counts.skipped} skipped`);
process.exit(failed === 0 ? 0 : 1);
