import { readFile } from "node:fs/promises";
import { join } from "node:path";

/** What a running postmaster says of itself in postmaster.pid. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number;
  readonly socketFolder: string;
  readonly status: "starting" | "ready" | "stopping" | "other";
}

/** @returns undefined when there is none, or it is being written */
export async function readPostmasterFile(folder: string): Promise<PostmasterFile | undefined> {
  const text = await readFile(join(folder, "postmaster.pid"), "utf8").catch(() => "");
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  const status = (lines[7] ?? "").trim();
  return {
    pid,
    port: Number(lines[3] ?? "0"),
    socketFolder: lines[4] ?? "",
    status: status === "starting" || status === "ready" || status === "stopping" ? status : "other",
  };
}
