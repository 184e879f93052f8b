import { readFileSync, readlinkSync } from "node:fs";

/** Whether a process runs; a zombie that its parent has not collected does not. */
export function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false; // to kill(), 0 and below mean groups of processes, ours included
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EPERM")) return false;
  }
  return statusFields(pid)?.[0] !== "Z";
}

/**
 * When a process started, in clock ticks since boot: with its pid it names one process for good, as pids come again.
 * @returns undefined where /proc does not tell
 */
export function startTimeOf(pid: number): string | undefined {
  return statusFields(pid)?.[19];
}

/** Which boot of which machine this is, and within it which numbering of pids; undefined where /proc does not tell. */
export function pidNamespace(): { readonly boot: string; readonly namespace: string } | undefined {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    return { boot, namespace: readlinkSync("/proc/self/ns/pid") };
  } catch {
    return undefined;
  }
}

/** Fields of /proc/<pid>/stat from the third (state) on; the second, a name in parentheses, may hold anything. */
function statusFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}
