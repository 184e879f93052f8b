import type { RunAs } from "./run-as.js";

/**
 * How PostgreSQL is told its data folder, which is its working directory. As another user it may be unable to walk the
 * path (root's home has mode 0700), but a process reaches its own working directory through /proc whatever the folders
 * above it allow: Node enters it as root, then gives root up. initdb, the server and crash recovery work so (18.4).
 */
export function dataArgument(folder: string, runAs: RunAs | undefined): string {
  return runAs !== undefined && process.platform === "linux" ? "/proc/self/cwd" : folder;
}

/** The environment of PostgreSQL's programs: nothing of ours (PGOPTIONS and the like would change what they do). */
export const program_environment = { LC_ALL: "C", TZ: "UTC", PATH: "/usr/bin:/bin" } as const;
