// What the commands share: where things are, installing and building what is missing. Plain Node, no packages,
// since it runs before any is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { withLock } from "./lock.mjs";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const node_minimum = [20, 19];
const lock_wait_seconds_max = 900;
const workspaces = ["sdk", "server", "cli", "bench"];
const lockFile = path.join(root, ".weir-prepare.lock");
const installStamp = path.join(root, "node_modules", ".weir-install");
const buildStamp = path.join(root, "server", "dist", ".weir-build");

/** Ends the process, and says what to do, when Node is too old. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > node_minimum[0] || (major === node_minimum[0] && minor >= node_minimum[1])) return;
  console.error(
    `Weir needs Node ${node_minimum.join(".")} or newer, and this is ${process.versions.node}.\n` +
      "Install a newer one (https://nodejs.org, your package manager, or nvm) and try again.",
  );
  process.exit(1);
}

/** Installs packages and builds, each only when something is missing or older than its source; safe side by side. */
export function prepare() {
  requireNode();
  if (isInstalled() && isBuilt()) return;
  const options = {
    wait_seconds_max: lock_wait_seconds_max,
    onWait: () => console.error("Another process is preparing this folder; waiting for it…"),
    onTimeout: () => {
      console.error(
        `Another process has been preparing this folder for ${lock_wait_seconds_max} s. If none is, delete ${lockFile}.`,
      );
      process.exit(1);
    },
  };
  withLock(lockFile, options, () => {
    if (!isInstalled()) install();
    if (!isBuilt()) compile();
  });
}

/** Builds whether or not anything seems to have changed. */
export function build() {
  requireNode();
  const options = { wait_seconds_max: lock_wait_seconds_max, onTimeout: () => process.exit(1) };
  withLock(lockFile, options, () => {
    if (!isInstalled()) install();
    compile();
  });
}

/** Runs a program in the repository's root and ends the process with its code when it fails. */
export function run(command, args) {
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: ["inherit", process.stderr.fd, process.stderr.fd],
  });
  if (result.error) {
    console.error(`${command} could not be started: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function install() {
  console.error("Installing packages (once)…");
  // Not npm ci: it insists on optional packages of other platforms (docs/decisions/0002-npm-workspaces.md).
  run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"]);
  mkdirSync(path.dirname(installStamp), { recursive: true });
  writeFileSync(installStamp, manifestHash());
}

function compile() {
  console.error("Building…");
  const began = new Date();
  const projects = workspaces.filter((name) => existsSync(path.join(root, name, "tsconfig.json")));
  run(process.execPath, [path.join(root, "node_modules", "typescript", "bin", "tsc"), "-b", ...projects]);
  mkdirSync(path.dirname(buildStamp), { recursive: true });
  writeFileSync(buildStamp, "");
  // A source that is saved while the compiler runs is newer than this, so that it is not missed.
  utimesSync(buildStamp, began, began);
}

function isInstalled() {
  return existsSync(installStamp) && readFileSync(installStamp, "utf8") === manifestHash();
}

function manifestHash() {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch} ${process.versions.modules}`);
  for (const folder of ["", ...workspaces]) {
    const file = path.join(root, folder, "package.json");
    if (existsSync(file)) hash.update(readFileSync(file));
  }
  const file = path.join(root, "package-lock.json");
  if (existsSync(file)) hash.update(readFileSync(file));
  return hash.digest("hex");
}

function isBuilt() {
  if (!existsSync(buildStamp)) return false;
  const builtAt = statSync(buildStamp).mtimeMs;
  const inputs = [
    "tsconfig.base.json",
    "node_modules/.weir-install",
    ...workspaces.flatMap((name) => [`${name}/tsconfig.json`, `${name}/src`]),
    "server/simulators/tsconfig.json",
    "server/simulators/stripe",
  ];
  return inputs.every((input) => newestUnder(path.join(root, input)) <= builtAt);
}

/** When a file, or anything in a folder, was last changed; 0 when it is not there. A folder changes by what leaves it. */
function newestUnder(target) {
  const stats = statSync(target, { throwIfNoEntry: false });
  if (stats === undefined) return 0;
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(target).map((name) => newestUnder(path.join(target, name))));
}
