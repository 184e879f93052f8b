import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { RunAs } from "./run-as.js";

/** Whether another user may pass every folder on the way and then read and run the file. Access lists are not looked at. */
export async function isReachableBy(path: string, user: RunAs): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const entry = await stat(at);
    const needed = at === path ? 0o5 : 0o1;
    const shift = entry.uid === user.uid ? 6 : entry.gid === user.gid ? 3 : 0;
    if (((entry.mode >> shift) & needed) !== needed) return false;
    if (at === dirname(at)) return true;
  }
}
