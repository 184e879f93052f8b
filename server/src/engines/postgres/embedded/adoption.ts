import { open, readdir, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log } from "../../../kernel/log.js";
import { connect } from "../connect.js";
import type { ConnectionTarget } from "../connection-target.js";

/** Whether a process is a server over this folder: its working directory says so; where that cannot be read, suppose it. */
export async function isOurs(folder: string, pid: number): Promise<boolean> {
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(folder));
  } catch {
    return true;
  }
}

/**
 * Waits until no process works in the folder: backends outlive a killed postmaster by a moment. PostgreSQL sees them by
 * the shared memory that postmaster.pid names, so this comes before that file is deleted.
 */
export async function awaitEmpty(folder: string, seconds_max: number): Promise<boolean> {
  const path = await realpath(folder);
  const giveUpAt = performance.now() + seconds_max * 1000;
  for (;;) {
    const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
    const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => "")));
    if (!folders.includes(path)) return true;
    if (performance.now() > giveUpAt) return false;
    await sleep(50);
  }
}

/**
 * Whether the server at the socket is the one over this folder, of our version and settings. If so, the sessions of the
 * process that left it are ended, which undoes their transactions and frees their locks.
 */
export async function isAdoptable(
  target: ConnectionTarget,
  folder: string,
  clusterName: string,
  log: Log,
): Promise<boolean> {
  const sql = connect(target, { connectionsMax: 1, log });
  try {
    const expected = await readSystemIdentifier(folder);
    const [found] = await withLimit(
      sql<{ system: string; name: string }[]>`
        SELECT system_identifier::text AS system, current_setting('cluster_name') AS name FROM pg_control_system()`,
    );
    if (found === undefined || found.system !== expected || found.name !== clusterName) return false;
    await withLimit(
      sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    return true;
  } catch (error) {
    log.warn("The PostgreSQL left running does not answer", {
      reason: error instanceof Error ? error.message : String(error),
    });
    return false;
  } finally {
    await sql.end({ timeout: 0 });
  }
}

/** global/pg_control begins with the number that initdb gave the cluster. */
async function readSystemIdentifier(folder: string): Promise<string> {
  const handle = await open(join(folder, "global", "pg_control"), "r");
  try {
    const { buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0);
    return buffer.readBigUInt64LE().toString();
  } finally {
    await handle.close();
  }
}

async function withLimit<T>(query: PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer within 5 s")), 5000);
  });
  try {
    return await Promise.race([query, limit]);
  } finally {
    clearTimeout(timer);
  }
}
