import { spawn } from "node:child_process";
import { chown, lstat, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Log } from "../../../kernel/log.js";
import { codeOf } from "../store-failure.js";
import { UnusableDatabase } from "../unusable-database.js";
import type { Binaries } from "./binaries.js";
import { dataArgument, program_environment } from "./data-argument.js";
import { isReachableBy } from "./reachable.js";
import type { RunAs } from "./run-as.js";

export interface ClusterOptions {
  readonly folder: string;
  readonly binaries: Binaries;
  readonly runAs: RunAs | undefined;
  readonly log: Log;
}

/** The one role that may do everything; Weir itself works as another. */
export const superuser_name = "postgres";

/** Makes the data folder by initdb, beside its final name and then renamed: a folder of that name is whole. */
export async function createCluster(options: ClusterOptions): Promise<void> {
  const { folder, binaries, runAs, log } = options;
  const found = await readFile(join(folder, "PG_VERSION"), "utf8").catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new UnusableDatabase(
      `PostgreSQL's data in ${folder} cannot be read (${codeOf(error)}): start Weir as the user it belongs to.`,
    );
  });
  if (found !== undefined) {
    checkVersion(folder, found.trim(), binaries);
    if (runAs !== undefined) await takeOver(folder, runAs);
    return;
  }
  const startedAt = performance.now();
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  if (runAs !== undefined) await chown(draft, runAs.uid, runAs.gid);
  await checkReachable(draft, runAs);
  await runInitdb(draft, binaries, runAs);
  await rename(draft, folder);
  await syncFolder(dirname(folder));
  log.info("PostgreSQL's data folder is made", { folder, ms: Math.round(performance.now() - startedAt) });
}

function checkVersion(folder: string, major: string, binaries: Binaries): void {
  if (binaries.version.startsWith(`${major}.`)) return;
  throw new UnusableDatabase(
    `${folder} holds data of PostgreSQL ${major}, this Weir brings ${binaries.version}. Start the Weir that wrote it, dump with pg_dump, ` +
      "and load the dump into a new data directory.",
  );
}

async function checkReachable(folder: string, runAs: RunAs | undefined): Promise<void> {
  if (runAs === undefined || dataArgument(folder, runAs) !== folder || (await isReachableBy(folder, runAs)))
    return;
  throw new UnusableDatabase(
    `As root, PostgreSQL runs as user ${runAs.uid}, who cannot reach ${folder}. Set WEIR_DATA_DIR to a folder whose parents everyone may pass, ` +
      "start Weir as another user, or set DATABASE_URL.",
  );
}

/** A restored backup may have come back as root's. */
async function takeOver(folder: string, runAs: RunAs): Promise<void> {
  if ((await lstat(folder)).uid === runAs.uid) return;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), runAs.uid, runAs.gid);
  }
  await chown(folder, runAs.uid, runAs.gid);
}

function initdbArguments(data: string): string[] {
  const owner = ["-U", superuser_name, "--auth=trust"];
  // The builtin collation is the same on every machine and version of its libraries: indexes stay valid.
  const text = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"];
  return ["-D", data, ...owner, ...text, "--no-instructions"];
}

async function runInitdb(folder: string, binaries: Binaries, runAs: RunAs | undefined): Promise<void> {
  const output: Buffer[] = [];
  const child = spawn(binaries.initdb, initdbArguments(dataArgument(folder, runAs)), {
    cwd: folder,
    env: program_environment,
    stdio: ["ignore", "pipe", "pipe"],
    ...runAs,
  });
  child.stdout.on("data", (chunk: Buffer) => output.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => output.push(chunk));
  const outcome = await new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(error.message));
    child.once("close", (code, signal) => resolve(code === 0 ? undefined : `exit code ${code ?? signal}`));
  });
  if (outcome === undefined) return;
  const tail = Buffer.concat(output).toString("utf8").trim().split("\n").slice(-8).join("\n");
  throw new UnusableDatabase(`PostgreSQL's initdb failed (${outcome}):\n${tail}`);
}

export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
