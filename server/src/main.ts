import { ConfigError, loadConfig } from "./config.js";
import { DataDirectoryInUse } from "./engines/data-directory/index.js";
import { UnusableDatabase } from "./engines/postgres/index.js";
import { AddressUnavailable } from "./http/listen.js";
import { MasterKeyUnusable } from "./engines/secrets/index.js";
import { createLog } from "./kernel/log.js";
import { printWelcome } from "./welcome.js";
import { startWeir } from "./wire.js";

/** The process: configuration, start, signals. Exit codes: 0 stopped, 1 failed, 2 bad configuration. */
async function main(): Promise<void> {
  let config;
  try {
    config = loadConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
    return;
  }
  const log = createLog(config.logLevel);
  const weir = await startWeir(config, log);

  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) {
      log.warn("already stopping; the second signal is ignored", { signal });
      return;
    }
    stopping = true;
    log.info("stopping", { signal });
    weir.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error("stopping failed", { error: String(error) });
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
  // Whoever reads that it is ready may stop it at once.
  printWelcome(config, weir);
}

main().catch((error: unknown) => {
  // What the user can mend is told in its own words; anything else with where it came from.
  const told =
    error instanceof DataDirectoryInUse ||
    error instanceof UnusableDatabase ||
    error instanceof MasterKeyUnusable ||
    error instanceof AddressUnavailable;
  console.error(
    error instanceof Error ? (told ? error.message : (error.stack ?? error.message)) : String(error),
  );
  process.exit(1);
});
