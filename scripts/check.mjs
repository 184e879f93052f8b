// npm run check: format, lint, import boundaries, the environment's one reader, types, and the GraphQL schema.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { prepare, root } from "./workspace.mjs";

const bin = (name) => path.join(root, "node_modules", ".bin", name);

const testProjects = ["sdk", "server", "cli"].map((workspace) => `${workspace}/tsconfig.test.json`);

const format = "format (npm run format mends it)";
const lint = "lint";
const test_types = "types of tests";
/** Half a minute and more on a slow machine. */
const slow_checks = [format, lint, test_types];

const checks = [
  [format, () => exec(bin("prettier"), ["--check", "--cache", "--log-level", "warn", "."])],
  [lint, () => exec(bin("oxlint"), ["--type-aware", "--deny-warnings", "--quiet"])],
  ["import boundaries", checkBoundaries],
  ["only config.ts reads the environment", checkEnvironmentReaders],
  [test_types, () => testProjects.every((project) => exec(bin("tsc"), ["-p", project, "--noEmit"]))],
  [
    "GraphQL schema (npm run schema prints it)",
    () => exec(process.execPath, ["scripts/print-schema.mjs", "--check"]),
  ],
];

/** All checks; `fast` leaves out the slow ones, which every full run makes. */
export function check({ fast = false } = {}) {
  const failed = [];
  const chosen = fast ? checks.filter(([name]) => !slow_checks.includes(name)) : checks;
  for (const [name, work] of chosen) {
    const began = Date.now();
    const ok = work();
    console.log(`${ok ? "ok  " : "FAIL"} ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
    if (!ok) failed.push(name);
  }
  return { passed: chosen.length - failed.length, failed: failed.length };
}

function exec(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: "inherit" }).status === 0;
}

/** dependency-cruiser passes silently when it understands no module: that is a failure. */
function checkBoundaries() {
  const result = spawnSync(
    bin("depcruise"),
    [
      "server/src",
      "server/simulators/stripe",
      "--config",
      ".dependency-cruiser.cjs",
      "--output-type",
      "json",
    ],
    {
      cwd: root,
      encoding: "utf8",
      maxBuffer: 256 * 1024 * 1024,
    },
  );
  let summary;
  try {
    ({ summary } = JSON.parse(result.stdout));
  } catch {
    console.error(result.stderr || result.stdout);
    return false;
  }
  if (summary.totalCruised < 100) {
    console.error(`only ${summary.totalCruised} modules were seen: the boundaries are not checked`);
    return false;
  }
  const errors = summary.violations.filter((violation) => violation.rule.severity === "error");
  for (const { rule, from, to } of errors) console.error(`${rule.name}: ${from} → ${to}`);
  return errors.length === 0;
}

function checkEnvironmentReaders() {
  const readers = sourcesUnder(path.join(root, "server", "src")).filter(
    (file) =>
      !/(^|\/)(config|main)\.ts$|\.test\.ts$/.test(file) && /process\.env\b/.test(readFileSync(file, "utf8")),
  );
  for (const file of readers)
    console.error(`${path.relative(root, file)} reads process.env; take it from Config instead`);
  return readers.length === 0;
}

function sourcesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const full = path.join(folder, entry.name);
    return entry.isDirectory() ? sourcesUnder(full) : full.endsWith(".ts") ? [full] : [];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  prepare();
  const { passed, failed } = check();
  console.log(`${passed} checks passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
