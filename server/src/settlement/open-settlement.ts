import type { Objects } from "../engines/objects/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Secrets } from "../engines/secrets/index.js";
import type { Workflows } from "../engines/workflow/index.js";
import type { Clocks } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Log } from "../kernel/log.js";
import type { Ledger } from "../ledger/index.js";
import type { Wakes } from "../time/index.js";
import { Exceptions } from "./exceptions.js";
import { FileDecisions } from "./file-decisions.js";
import { FileLanding, type FileLandingOptions } from "./file-landing.js";
import { FileProcessing } from "./file-processing.js";
import { FileQueue } from "./file-queue.js";
import { FileReadings } from "./file-readings.js";
import { registerFileRuns } from "./file-workflow.js";
import { Payers } from "./payers.js";
import type { SettlementAccount, SettlementPayments } from "./payments-port.js";
import { Reconciliation } from "./reconciliation.js";
import { registerReports } from "./report-workflow.js";
import { SettlementFiles } from "./settlement-files.js";

export interface SettlementOptions {
  readonly postgres: Postgres;
  readonly secrets: Secrets;
  readonly objects: Objects;
  readonly ledger: Ledger;
  readonly payments: SettlementPayments;
  readonly workflows: Workflows;
  readonly wakes: Wakes;
  readonly clocks: Clocks;
  readonly log: Log;
  readonly writer: string;
  readonly limits: FileLandingOptions["limits"];
}

/** The settlement domain: what it offers to the rest of Weir. */
export interface Settlement {
  readonly landing: FileLanding;
  readonly files: SettlementFiles;
  readonly fileDecisions: FileDecisions;
  readonly exceptions: Exceptions;
  readonly reconciliation: Reconciliation;
  readonly payers: Payers;
  /** Whose senders report by files. */
  accounts(organization: OrganizationId): Promise<readonly SettlementAccount[]>;
  /** Lets go of files that are read here; their runs go on elsewhere, or after the next start. */
  close(): Promise<void>;
}

const sweep_every_ms = 6 * 3_600_000;

export function openSettlement(options: SettlementOptions): Settlement {
  const { workflows, wakes, log } = options;
  const exceptions = new Exceptions(options);
  const reconciliation = new Reconciliation(options);
  const files = new SettlementFiles(options);
  const queue = new FileQueue(wakes);
  const landing = new FileLanding({ ...options, files, queue, reconciliation });
  const readings = new FileReadings(options.objects);
  const processing = new FileProcessing({ ...options, readings, queue });
  registerFileRuns(processing, { workflows, wakes });
  registerReports(reconciliation, { workflows, wakes });
  let sweeping = Promise.resolve();
  const sweep = () => {
    sweeping = landing
      .sweep()
      .catch((error: unknown) =>
        log.warn("looking for files without a row failed", { error: String(error) }),
      );
  };
  sweep();
  const timer = setInterval(sweep, sweep_every_ms);
  timer.unref();
  return {
    landing,
    files,
    fileDecisions: new FileDecisions({ ...options, files, queue }),
    exceptions,
    reconciliation,
    payers: new Payers(options),
    accounts: (organization) =>
      options.postgres.inOrganization(organization, (sql) => options.payments.listAccounts(sql)),
    async close() {
      clearInterval(timer);
      await sweeping;
      readings.closeAll();
    },
  };
}
