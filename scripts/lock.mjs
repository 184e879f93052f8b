// A lock between processes: one file, linked into place whole, so that whoever sees it sees who holds it. A holder that
// was killed leaves it behind; the next one notices that the process is gone and takes over. Plain Node, no packages.
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";

const poll_ms = 200;
// A take-over is a few system calls long; a file of this age is one that was killed in between.
const takeover_ms_max = 10_000;

/**
 * Runs `work` while this process alone holds the lock, and lets go of it whatever happens.
 * @param {string} file
 * @param {{ wait_seconds_max: number, onWait?: () => void, onTimeout: () => never }} options
 * @param {() => void} work  synchronous
 */
export function withLock(file, options, work) {
  const own = `${file}.${process.pid}`;
  const self = `${process.pid} ${startOf(process.pid)}`;
  const deadline = Date.now() + options.wait_seconds_max * 1000;
  let told = false;
  try {
    writeFileSync(own, self);
    while (!tryLink(own, file)) {
      if (!isHeld(file) && takeOver(own, file)) break;
      if (Date.now() > deadline) options.onTimeout();
      if (!told) options.onWait?.();
      told = true;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, poll_ms);
    }
  } finally {
    rmSync(own, { force: true });
  }
  const release = () => {
    if (read(file) === self) rmSync(file, { force: true });
  };
  // The work may end the process, when a command fails.
  process.once("exit", release);
  try {
    return work();
  } finally {
    process.off("exit", release);
    release();
  }
}

/** Only one at a time removes a lock that is not its own, and looks again first: else it might be a new holder's. */
function takeOver(own, file) {
  const guard = `${file}.takeover`;
  if (!tryLink(own, guard)) {
    if (ageOf(guard) > takeover_ms_max) rmSync(guard, { force: true });
    return false;
  }
  try {
    if (isHeld(file)) return false;
    rmSync(file, { force: true });
    return tryLink(own, file);
  } finally {
    rmSync(guard, { force: true });
  }
}

function tryLink(from, to) {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function isHeld(file) {
  const [pid, start] = (read(file) ?? "").split(" ");
  if (!/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (error.code !== "EPERM") return false;
  }
  // The number may have gone to another process since.
  return start === startOf(Number(pid));
}

/** When a process began, in clock ticks since boot; "?" where the system does not tell. */
function startOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  return stat === undefined ? "?" : (stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "?");
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function ageOf(file) {
  try {
    return Date.now() - statSync(file).mtimeMs;
  } catch {
    return 0;
  }
}
