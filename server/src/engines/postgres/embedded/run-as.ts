import { readFile, stat } from "node:fs/promises";
import { UnusableDatabase } from "../unusable-database.js";

/** Whom PostgreSQL runs as when that is not ourselves. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. When we are root it runs as the owner of the folder it had before, else as `nobody`.
 * @returns undefined when it simply runs as us
 */
export async function chooseUser(folder: string): Promise<RunAs | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const existing = await stat(folder).catch(() => undefined);
  if (existing !== undefined && existing.uid !== 0) return { uid: existing.uid, gid: existing.gid };
  const passwd = await readFile("/etc/passwd", "utf8").catch(() => "");
  const fields = passwd
    .split("\n")
    .find((line) => line.startsWith("nobody:"))
    ?.split(":");
  const uid = Number(fields?.[2]);
  const gid = Number(fields?.[3]);
  if (Number.isInteger(uid) && Number.isInteger(gid) && uid !== 0) return { uid: uid >>> 0, gid: gid >>> 0 };
  throw new UnusableDatabase(
    "PostgreSQL refuses to run as root, and /etc/passwd has no user nobody to run it as. Start Weir as another user, or set DATABASE_URL.",
  );
}
