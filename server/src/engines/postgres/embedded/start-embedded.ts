import { resolve } from "node:path";
import type { Log } from "../../../kernel/log.js";
import type { ConnectionTarget } from "../connection-target.js";
import { findBinaries } from "./binaries.js";
import { createCluster } from "./create-cluster.js";
import { Postmaster } from "./postmaster.js";
import { prepareDatabase } from "./prepare-database.js";
import { chooseUser } from "./run-as.js";

export interface EmbeddedServer {
  readonly target: ConnectionTarget;
  /** Fast shutdown: running transactions are undone, everything committed is on disk. */
  stop(): Promise<void>;
}

/** Sees to a running PostgreSQL over dataDir/postgres: made when new, adopted when a killed process left it running. */
export async function startEmbedded({
  dataDir,
  log,
}: {
  dataDir: string;
  log: Log;
}): Promise<EmbeddedServer> {
  const folder = resolve(dataDir, "postgres");
  const runAs = await chooseUser(folder);
  const binaries = await findBinaries(resolve(dataDir), runAs, log);
  await createCluster({ folder, binaries, runAs, log });
  const postmaster = new Postmaster({ folder, binaries, runAs, log });
  try {
    await postmaster.run();
    const target = await prepareDatabase(postmaster.superuser(), log);
    return { target, stop: () => postmaster.stop() };
  } catch (error) {
    await postmaster.stop();
    throw error;
  }
}
