// Runs vitest as the test commands do: with a report, of which it tells the counts, and names again at the end what failed.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { root } from "./workspace.mjs";

/** @returns how many tests passed, failed and were skipped; a run that ends badly has at least one that failed */
export function vitest(args, { env = {}, seconds_max } = {}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "weir-test-"));
  const report = path.join(folder, "report.json");
  const { status } = spawnSync(
    path.join(root, "node_modules", ".bin", "vitest"),
    ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...args],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, ...env },
      ...(seconds_max === undefined ? {} : { timeout: seconds_max * 1000 }),
    },
  );
  try {
    const read = JSON.parse(readFileSync(report, "utf8"));
    for (const line of failures(read)) console.log(line);
    // A file that does not load has no failed test of its own.
    const isBad = status !== 0 || !read.success || read.numFailedTestSuites > 0;
    return {
      passed: read.numPassedTests,
      failed: read.numFailedTests === 0 && isBad ? 1 : read.numFailedTests,
      skipped: read.numPendingTests,
    };
  } catch (error) {
    console.error(`vitest left no report: ${error.message}`);
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A line for each test, and each file as a whole, that failed. */
function failures({ testResults }) {
  return testResults
    .filter(({ status }) => status === "failed")
    .flatMap(({ name, message, assertionResults }) => {
      const file = path.relative(root, name);
      const failed = assertionResults.filter((test) => test.status === "failed");
      if (failed.length === 0) return [failure(file, message)];
      return failed.map((test) => failure(`${file} > ${test.fullName}`, test.failureMessages[0]));
    });
}

function failure(where, message = "") {
  const said = message.split("\n", 1)[0].slice(0, 300);
  return `FAILED ${where}: ${said}`;
}
