// npm run test:einvoice: e-invoices of ours in the hands of a validator that is not: the rules of EN 16931 and of Peppol BIS
// Billing 3.0 as their authors publish them, run by Java. It installs nothing; without its parts it says so and skips.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { prepare, root } from "./workspace.mjs";

const validator = path.join(root, "server", "test", "e-invoice", "validator");
const java_version_min = 17;

const missing = [
  ...(javaVersion() >= java_version_min ? [] : [`Java ${java_version_min} or newer (a JDK)`]),
  ...(existsSync(path.join(validator, "lib")) ? [] : ["the validator's libraries"]),
];
if (missing.length > 0) {
  console.log(`SKIPPED: to validate e-invoices, ${missing.join(" and ")} must be there.
Install them and run this again:
  Debian, Ubuntu   apt-get install -y openjdk-17-jdk-headless maven
  Fedora           dnf install -y java-17-openjdk-devel maven
  macOS            brew install openjdk@17 maven
  then             mvn -q -f server/test/e-invoice/validator dependency:copy-dependencies

0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}

prepare();
const folder = mkdtempSync(path.join(os.tmpdir(), "weir-e-invoices-"));
try {
  const main = path.join(root, "server", "test", "e-invoice", "write-samples.ts");
  const written = spawnSync(
    process.execPath,
    [path.join(root, "server", "test", "integration", "run-typescript.mjs"), folder],
    {
      cwd: root,
      input: `import(${JSON.stringify(pathToFileURL(main).href)})`,
      stdio: ["pipe", "inherit", "inherit"],
    },
  );
  const files = readdirSync(folder).length;
  if (written.status !== 0 || files === 0) finish(0, 1, "the e-invoices were not written");
  const checked = spawnSync(
    "java",
    ["-cp", path.join(validator, "lib", "*"), path.join(validator, "Validate.java"), folder],
    {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    },
  );
  // One is broken on purpose: that it is refused is as it should be.
  const told = checked.stdout
    .split("\n")
    .filter((line) => /^(ok|FAIL) /.test(line))
    .map((line) => (line.includes(" broken.xml") ? opposite(line) : line));
  for (const line of told) console.log(line.replaceAll(" | ", "\n  "));
  const failed = told.filter((line) => line.startsWith("FAIL ")).length;
  if (told.length !== files) finish(told.length - failed, failed + files - told.length, checked.stderr);
  finish(told.length - failed, failed);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function finish(passed, failed, why) {
  if (why !== undefined) console.error(why);
  console.log(`\n${passed} passed, ${failed} failed`);
  rmSync(folder, { recursive: true, force: true });
  process.exit(failed === 0 ? 0 : 1);
}

function opposite(line) {
  return line.startsWith("FAIL ")
    ? line.replace("FAIL ", "ok refused: ")
    : line.replace("ok ", "FAIL not refused: ");
}

function javaVersion() {
  const { stderr, status } = spawnSync("java", ["-version"], { encoding: "utf8" });
  return status === 0 ? Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0) : 0;
}
