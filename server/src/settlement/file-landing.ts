import type { Readable } from "node:stream";
import { recordAudit } from "../audit/index.js";
import { ObjectsFull, ObjectTooLarge, type Objects } from "../engines/objects/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import { Arrivals, type ArrivalLimits } from "../kernel/arrivals.js";
import type { Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { findFormat } from "./core/index.js";
import type { FileQueue } from "./file-queue.js";
import { objectKeyOf, objectsOf } from "./file-readings.js";
import { landedElsewhere, refuseSize, tooMany, unknownFormat } from "./file-refusals.js";
import { mustFindAccount } from "./must-find-account.js";
import type { SettlementPayments } from "./payments-port.js";
import type { Reconciliation } from "./reconciliation.js";
import type { SettlementFile, SettlementFiles } from "./settlement-files.js";
import {
  findFile,
  findFileOfContent,
  insertFile,
  listKeptFiles,
  lockAccountFiles,
  sumWaitingFiles,
} from "./store/files.js";

export interface FileLandingOptions {
  readonly postgres: Postgres;
  readonly objects: Objects;
  readonly payments: SettlementPayments;
  readonly files: Pick<SettlementFiles, "asItStands">;
  readonly queue: FileQueue;
  readonly reconciliation: Pick<Reconciliation, "begin">;
  readonly clocks: Clocks;
  /** Names this process's data directory: its objects are read by no other. */
  readonly writer: string;
  readonly limits: ArrivalLimits & { readonly fileBytesMax: number };
}

export interface LandedFile {
  /** Id or key. */
  readonly account: string;
  readonly name: string;
  /** Found by the content when left out. */
  readonly format?: string | undefined;
  readonly body: Readable;
}

/** How files come in: kept as objects, encrypted, and each a row that has it read. */
export class FileLanding {
  readonly #on: FileLandingOptions;
  readonly #arrivals: Arrivals;

  constructor(options: FileLandingOptions) {
    this.#on = options;
    this.#arrivals = new Arrivals(options.limits, tooMany);
  }

  /**
   * Keeps a file, encrypted, and has it read in its turn. The same bytes again are the file that is there.
   * @throws Refusal 400 for an unknown format, 404 for the account, 409 when the file landed for another account, 413 and 429 over
   *         limits, 503 when the disk is full
   */
  async land(
    caller: Caller,
    { account: idOrKey, name, format, body }: LandedFile,
  ): Promise<{ readonly file: SettlementFile; readonly isNew: boolean }> {
    const { organization } = caller;
    const { postgres, objects, payments, clocks, writer } = this.#on;
    if (format !== undefined && findFormat(format) === undefined) throw unknownFormat(format);
    const account = await postgres.inOrganization(organization, (sql) =>
      mustFindAccount(sql, payments, idOrKey),
    );
    const at = clocks.of(organization).now();
    const id = newId("stf", at);
    const arrival = await this.#arrivals.begin(organization, () =>
      postgres.inOrganization(organization, sumWaitingFiles),
    );
    let kept = false;
    try {
      const stored = await objects
        .put(objectKeyOf(organization, { id }), body, {
          bytesMax: this.#on.limits.fileBytesMax,
          onBytes: (bytes) => arrival.add(bytes),
        })
        .catch((error: unknown) => {
          throw refusalOfStore(error);
        });
      const found = await postgres.inOrganization(organization, async (sql) => {
        await lockAccountFiles(sql, account.id);
        const file = { id, account: account.id, name, ...stored, writer, askedFormat: format, landedAt: at };
        if (!(await insertFile(sql, organization, file))) return findFileOfContent(sql, stored.sha256);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "settlement_file.land",
          target: id,
          before: undefined,
          after: { account: account.id, name, ...stored, format: format ?? null },
          at,
        });
        await this.#on.reconciliation.begin(sql, organization);
        await this.#on.queue.startNext(sql, organization, account.id, at);
        return findFile(sql, id);
      });
      if (found === undefined) throw new Error(`file ${id} is not there after it landed`);
      kept = found.id === id;
      if (found.account !== account.id) throw landedElsewhere(found);
      return { file: await this.#on.files.asItStands(organization, found), isNew: kept };
    } finally {
      arrival.end();
      if (!kept) await objects.delete(objectKeyOf(organization, { id }));
    }
  }

  /** Deletes the objects that no file has: a crash came between the two. */
  async sweep(): Promise<void> {
    const { objects, postgres, writer } = this.#on;
    const keys = await objects.list("settlement");
    const byOrganization = new Map<OrganizationId, string[]>();
    for (const key of keys) {
      const organization = key.split("/")[1] as OrganizationId;
      byOrganization.set(organization, [...(byOrganization.get(organization) ?? []), key]);
    }
    for (const [organization, found] of byOrganization) {
      if (this.#arrivals.has(organization)) continue;
      const known = new Set<string>(
        await postgres.inOrganization(organization, (sql) => listKeptFiles(sql, writer)),
      );
      for (const key of found)
        if (!known.has(key.slice(objectsOf(organization).length + 1))) await objects.delete(key);
    }
  }
}

function refusalOfStore(error: unknown): unknown {
  if (error instanceof ObjectTooLarge) return refuseSize(error.bytesMax);
  if (!(error instanceof ObjectsFull)) return error;
  const detail = "The disk of Weir has too little room for a file. Free some of it, then send it again.";
  return new Refusal(
    makeProblem("unavailable", 503, "Temporarily unavailable", detail, {
      reason: "disk_full",
      retryAfterSeconds: 30,
    }),
  );
}
