import { randomBytes } from "node:crypto";
import { loadConfig } from "../../../server/dist/config.js";
import { createLog } from "../../../server/dist/kernel/log.js";
import { startWeir, type RunningWeir } from "../../../server/dist/wire.js";

/** A Weir in this process, whose services a bench uses to fill stores that no API could fill in a minute. */
export function startOwnWeir(dataDir: string): Promise<RunningWeir> {
  const config = loadConfig({
    WEIR_DATA_DIR: dataDir,
    WEIR_HTTP_PORT: "0",
    WEIR_OTLP_HTTP_PORT: "0",
    WEIR_OTLP_GRPC_PORT: "0",
    WEIR_DEMO: "off",
    WEIR_BOOTSTRAP_KEY: `bench-${randomBytes(18).toString("hex")}`,
    WEIR_LOG_LEVEL: "warn",
  });
  return startWeir(config, createLog("warn"));
}
