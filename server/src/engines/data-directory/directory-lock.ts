import { randomBytes } from "node:crypto";
import { link, readFile, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { isRunning, pidNamespace, startTimeOf } from "./process-status.js";

/** Another process works in the folder. Two at once would corrupt it. */
export class DataDirectoryInUse extends Error {
  override readonly name = "DataDirectoryInUse";
  readonly retry = false;
  readonly folder: string;
  readonly pid: number;

  constructor(folder: string, holder: Holder) {
    const where = holder.host === hostname() ? "" : ` on ${holder.host}`;
    super(
      `The data directory ${folder} is in use by process ${holder.pid}${where}. ` +
        "Stop that process, or give this one another folder by WEIR_DATA_DIR.",
    );
    this.folder = folder;
    this.pid = holder.pid;
  }
}

export interface DirectoryLock {
  release(): Promise<void>;
}

/** Who holds a lock file. `token` is random: it names one holding, so that a file is never taken for an earlier one. */
interface Holder {
  readonly token: string;
  readonly pid: number;
  readonly startTime: string | undefined;
  readonly boot: string | undefined;
  readonly namespace: string | undefined;
  readonly host: string;
}

const heartbeat_ms = 2000;
// Only for a holder whose pid means nothing here (another container or machine over the same folder).
const silence_ms = 10_000;

/**
 * Takes the lock file of a data directory, for this process alone. The file of a process that is gone is taken over.
 *
 * The file appears whole (written beside, then hard-linked, which fails when the name exists). A stale file is removed
 * only by the holder of a claim on that very holding, `lock.claim-<token>`, itself such a lock: of racing processes one
 * removes the stale file, and none removes a fresh one.
 *
 * @throws DataDirectoryInUse naming the process that holds it
 */
export async function lockDirectory(folder: string): Promise<DirectoryLock> {
  const path = `${folder}/lock`;
  const mine = describeSelf();
  await acquire(path, mine, folder);
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
  }, heartbeat_ms).unref();
  return {
    async release() {
      clearInterval(heartbeat);
      await removeOwn(path, mine);
    },
  };
}

async function acquire(path: string, mine: Holder, folder: string): Promise<void> {
  for (;;) {
    if (await createWhole(path, mine)) return;
    const holder = await readHolder(path);
    if (holder === undefined) continue; // released meanwhile
    if (await isHeld(path, holder)) throw new DataDirectoryInUse(folder, holder);
    const claim = `${path}.claim-${holder.token}`;
    const claimant = { ...mine, token: makeToken() };
    await acquire(claim, claimant, folder);
    try {
      if ((await readHolder(path))?.token === holder.token) await unlink(path);
    } finally {
      await removeOwn(claim, claimant);
    }
  }
}

async function createWhole(path: string, holder: Holder): Promise<boolean> {
  const draft = `${path}.draft-${holder.token}`;
  // Synced, as a power cut could otherwise leave a file that names nobody.
  await writeFile(draft, JSON.stringify(holder), { flag: "wx", mode: 0o600, flush: true });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    await unlink(draft);
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  const parsed = parseHolder(text);
  if (parsed === undefined)
    throw new Error(
      `The lock file ${path} is damaged. Make sure that no Weir runs in its folder, then delete it.`,
    );
  return parsed;
}

function parseHolder(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return undefined;
    const { token, pid, startTime, boot, namespace, host } = value as Record<string, unknown>;
    if (
      typeof token !== "string" ||
      !/^[0-9a-f]{16}$/.test(token) ||
      typeof pid !== "number" ||
      typeof host !== "string"
    )
      return undefined;
    const optional = (field: unknown) => (typeof field === "string" ? field : undefined);
    return {
      token,
      pid,
      host,
      startTime: optional(startTime),
      boot: optional(boot),
      namespace: optional(namespace),
    };
  } catch {
    return undefined;
  }
}

async function isHeld(path: string, holder: Holder): Promise<boolean> {
  const here = pidNamespace();
  if (holder.host === hostname() && holder.boot !== here?.boot) return false; // this machine was restarted since
  if (holder.boot === here?.boot && holder.namespace === here?.namespace) {
    if (holder.boot === undefined && holder.host !== hostname()) return keepsBeating(path);
    return (
      isRunning(holder.pid) &&
      (holder.startTime === undefined || startTimeOf(holder.pid) === holder.startTime)
    );
  }
  return keepsBeating(path);
}

/** Whether somebody touches the file while we watch; clocks of different machines are not compared. */
async function keepsBeating(path: string): Promise<boolean> {
  const before = await modifiedAt(path);
  const giveUpAt = performance.now() + silence_ms;
  while (performance.now() < giveUpAt) {
    await sleep(heartbeat_ms / 4);
    if ((await modifiedAt(path)) !== before) return true;
  }
  return false;
}

async function modifiedAt(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.mtimeMs ?? -1;
}

async function removeOwn(path: string, mine: Holder): Promise<void> {
  if ((await readHolder(path))?.token === mine.token) await unlink(path);
}

function describeSelf(): Holder {
  const here = pidNamespace();
  return {
    token: makeToken(),
    pid: process.pid,
    startTime: startTimeOf(process.pid),
    boot: here?.boot,
    namespace: here?.namespace,
    host: hostname(),
  };
}

function makeToken(): string {
  return randomBytes(8).toString("hex");
}
