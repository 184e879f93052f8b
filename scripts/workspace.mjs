// What the commands share: where things are, installing and building what is missing. Plain Node, no packages,
// since it runs before any is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const node_minimum = [20, 19];
const lock_wait_seconds_max = 600;
const stamp = path.join(root, "node_modules", ".weir-install");
const buildStamp = path.join(root, "server", "dist", ".weir-build");
const sourceFolders = ["sdk/src", "server/src", "cli/src", "bench/src"];

/** Ends the process with what to do when Node is too old. */
export function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > node_minimum[0] || (major === node_minimum[0] && minor >= node_minimum[1])) return;
  console.error(`Weir needs Node ${node_minimum.join(".")} or newer; this is ${process.versions.node}. Install a newer one from your package manager or with nvm.`);
  process.exit(1);
}

/** Installs packages and builds, each only when something is missing or older than its source; safe side by side. */
export function prepare() {
  requireNode();
  if (isInstalled() && isBuilt()) return;
  withLock(() => {
    if (!isInstalled()) install();
    if (!isBuilt()) build();
  });
}

export function install() {
  console.error("Installing packages (once)…");
  run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"]);
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, lockHash());
}

export function build() {
  console.error("Building…");
  const projects = ["sdk", "server", "cli", "bench"].filter((name) => existsSync(path.join(root, name, "tsconfig.json")));
  run(process.execPath, [path.join(root, "node_modules", "typescript", "bin", "tsc"), "-b", ...projects]);
  mkdirSync(path.dirname(buildStamp), { recursive: true });
  writeFileSync(buildStamp, new Date().toISOString());
}

/** Runs a program and ends the process with its code when it fails. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    if (options.tolerate) return result.status ?? 1;
    process.exit(result.status ?? 1);
  }
  return 0;
}

function isInstalled() {
  return existsSync(stamp) && readFileSync(stamp, "utf8") === lockHash();
}

function lockHash() {
  const hash = createHash("sha256");
  for (const file of ["package-lock.json", "package.json"]) {
    const full = path.join(root, file);
    if (existsSync(full)) hash.update(readFileSync(full));
  }
  return hash.digest("hex");
}

function isBuilt() {
  if (!existsSync(buildStamp)) return false;
  const builtAt = statSync(buildStamp).mtimeMs;
  return sourceFolders.every((folder) => newest(path.join(root, folder)) <= builtAt);
}

function newest(folder) {
  if (!existsSync(folder)) return 0;
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(full) : statSync(full).mtimeMs);
  }
  return latest;
}

/** One process at a time installs and builds; a lock whose holder is gone is taken over. */
function withLock(work) {
  const file = path.join(root, ".weir-prepare.lock");
  const deadline = Date.now() + lock_wait_seconds_max * 1000;
  let told = false;
  for (;;) {
    try {
      const handle = openSync(file, "wx");
      writeSync(handle, String(process.pid));
      closeSync(handle);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      if (!isHeld(file)) {
        rmSync(file, { force: true });
        continue;
      }
      if (Date.now() > deadline) {
        console.error(`Another process is preparing this folder for over ${lock_wait_seconds_max} s. If none is, delete ${file}.`);
        process.exit(1);
      }
      if (!told) console.error("Another process is preparing this folder; waiting…");
      told = true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    }
  }
  process.on("exit", () => rmSync(file, { force: true }));
  try {
    work();
  } finally {
    rmSync(file, { force: true });
  }
}

function isHeld(file) {
  let pid;
  try {
    pid = Number(readFileSync(file, "utf8"));
    // Written a moment after it was created.
    if (!pid) return Date.now() - statSync(file).mtimeMs < 5000;
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}
