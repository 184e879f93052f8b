import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { runOnce } from "../audit/index.js";
import type { Objects, StoredObject } from "../engines/objects/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clocks } from "../kernel/clock.js";
import type { OrganizationId, PaymentBatchId, ProviderAccountId } from "../kernel/ids.js";
import { formatInstant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Wakes } from "../time/index.js";
import { abilityOf } from "./ability.js";
import type { BatchQueue } from "./batch-queue.js";
import { closeBatch } from "./close-batch.js";
import type { ClosedBatch, OutgoingItem } from "./outgoing.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import { listItems, listSentItems, type BatchItem } from "./store/batch-items.js";
import {
  findBatch,
  findOpenBatch,
  listBatches,
  lockBatches,
  markClosed,
  sumBatch,
  type BatchFile,
  type BatchPage,
  type BatchTotal,
  type PaymentBatch,
} from "./store/batches.js";

export interface BatchesDependencies {
  readonly postgres: Postgres;
  readonly accounts: ProviderAccounts;
  readonly queue: Pick<BatchQueue, "opened">;
  readonly objects: Objects;
  readonly wakes: Pick<Wakes, "wake" | "cancelWake">;
  readonly clocks: Clocks;
  /** Names this process's data directory: its objects are read by no other. */
  readonly writer: string;
}

/** A batch's file. */
export interface BatchContent {
  readonly file: BatchFile;
  readonly mediaType: string;
  read(): Promise<Readable>;
}

const items_page = 1_000;
const file_bytes_max = 512 * 1024 * 1024;

/** Batches of what goes out by files: open until they are closed, then one file each, which never changes. */
export class Batches {
  readonly #on: BatchesDependencies;

  constructor(dependencies: BatchesDependencies) {
    this.#on = dependencies;
  }

  /**
   * Closes the open batch of an account now. Its file is made a moment later.
   * @throws Refusal 404; 409 when nothing waits in it; 422 for a provider that makes no files
   */
  async close(caller: Caller, idOrKey: string, idempotencyKey?: string): Promise<PaymentBatch> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const input = { account: idOrKey };
      const request = { organization, idempotencyKey, action: "payment_batch.close", input };
      const id = await runOnce(sql, request, async () => {
        const { account, provider } = await this.#on.accounts.open(sql, organization, idOrKey);
        abilityOf(provider, "outgoing");
        const closed = await this.#close(sql, organization, account.id, caller);
        if (closed === undefined) throw nothingWaits(account.key);
        return closed;
      });
      return mustFind(sql, id);
    });
  }

  /** When its time has come, in the caller's transaction; one in which nothing waits stays open. */
  async closeDue(sql: Sql, organization: OrganizationId, account: ProviderAccountId): Promise<void> {
    await this.#close(sql, organization, account, "system");
  }

  /** By id, oldest first. */
  async list(organization: OrganizationId, page: BatchPage): Promise<PaymentBatch[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listBatches(sql, page));
  }

  async find(organization: OrganizationId, id: string): Promise<PaymentBatch | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findBatch(sql, id));
  }

  async items(
    organization: OrganizationId,
    batch: PaymentBatchId,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<BatchItem[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listItems(sql, batch, page));
  }

  async totals(organization: OrganizationId, batch: PaymentBatchId): Promise<BatchTotal[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => sumBatch(sql, batch));
  }

  /**
   * A closed batch's file, as it was made.
   * @throws Refusal 404; 409 while it is open or its file is being made, or when the file lies in another data directory
   */
  async content(organization: OrganizationId, id: string): Promise<BatchContent> {
    const { batch, mediaType } = await this.#on.postgres.inOrganization(organization, async (sql) => {
      const found = await mustFind(sql, id);
      const { provider } = await this.#on.accounts.open(sql, organization, found.account);
      return { batch: found, mediaType: abilityOf(provider, "outgoing").mediaType };
    });
    const { file } = batch;
    if (file === undefined) throw notMade(batch);
    const key = objectKeyOf(organization, batch.id);
    if (!(await this.#on.objects.has(key))) throw fileElsewhere(batch.id, file);
    return { file, mediaType, read: () => this.#on.objects.get(key) };
  }

  /** Makes the file of a batch that is being closed, and keeps it; undefined when it is made already. */
  async makeFile(organization: OrganizationId, id: PaymentBatchId): Promise<BatchFile | undefined> {
    const { postgres, accounts, objects, writer } = this.#on;
    const { batch, provider, totals } = await postgres.inOrganization(organization, async (sql) => {
      const found = await mustFind(sql, id);
      return {
        batch: found,
        provider: (await accounts.open(sql, organization, found.account)).provider,
        totals: await sumBatch(sql, id),
      };
    });
    const { sequence, closedAt, settings, items } = batch;
    if (batch.state !== "closing" || closedAt === undefined || settings === undefined) return undefined;
    const files = abilityOf(provider, "outgoing");
    const closed: ClosedBatch = { id, sequence, closedAt, settings, items, totals };
    const key = objectKeyOf(organization, id);
    // One that a crash left unrecorded is the file: nobody has seen another.
    const stored = (await objects.has(key))
      ? await measured(await objects.get(key))
      : await objects.put(key, Readable.from(pieces(files.render(closed, this.#sent(organization, id)))), {
          bytesMax: file_bytes_max,
        });
    return { name: `${files.fileName(closed)}.${files.extension}`, ...stored, writer };
  }

  /** Says which file a batch went out as, in the caller's transaction; once. */
  async recordFile(sql: Sql, id: PaymentBatchId, file: BatchFile): Promise<void> {
    const batch = await findBatch(sql, id, { lock: true });
    if (batch?.state === "closing") await markClosed(sql, id, file);
  }

  async #close(
    sql: Sql,
    organization: OrganizationId,
    id: ProviderAccountId,
    by: Caller | "system",
  ): Promise<PaymentBatchId | undefined> {
    await lockBatches(sql, id);
    const batch = await findOpenBatch(sql, id);
    if (batch === undefined || batch.items === 0) return undefined;
    const at = this.#on.clocks.of(organization).now();
    const { account } = await this.#on.accounts.open(sql, organization, id);
    const { settings } = account;
    await closeBatch(sql, this.#on.wakes, organization, batch, { at, by, settings });
    return batch.id;
  }

  async *#sent(organization: OrganizationId, batch: PaymentBatchId): AsyncGenerator<OutgoingItem> {
    for (let after = 0; ; ) {
      const page = await this.#on.postgres.inOrganization(organization, (sql) =>
        listSentItems(sql, batch, { after, limit: items_page }),
      );
      for (const item of page) yield this.#on.queue.opened(organization, item);
      if (page.length < items_page) return;
      after = page.at(-1)?.position ?? after;
    }
  }
}

function objectKeyOf(organization: OrganizationId, batch: PaymentBatchId): string {
  return `payment-batches/${organization}/${batch}`;
}

const piece_bytes = 64 * 1024;

/** Texts as pieces of some size. */
async function* pieces(texts: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let some = "";
  for await (const text of texts) {
    some += text;
    if (some.length < piece_bytes) continue;
    yield Buffer.from(some);
    some = "";
  }
  if (some !== "") yield Buffer.from(some);
}

async function measured(content: Readable): Promise<StoredObject> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest("hex"), bytes };
}

async function mustFind(sql: Sql, id: string): Promise<PaymentBatch> {
  const found = await findBatch(sql, id);
  if (found !== undefined) return found;
  const detail = `There is no payment batch "${id.slice(0, 64)}".`;
  throw new Refusal(makeProblem("payment-batch-not-found", 404, "No such batch", detail));
}

function nothingWaits(account: string): Refusal {
  const detail = `Nothing waits to go out through provider account "${account}".`;
  return new Refusal(makeProblem("payment-batch-empty", 409, "Nothing waits to go out", detail));
}

function notMade({ id, state, closesAt }: PaymentBatch): Refusal {
  const when = closesAt === undefined ? "Close it" : `Close it, or wait until ${formatInstant(closesAt)}`;
  const detail =
    state === "open"
      ? `Batch ${id} is open: it has no file yet. ${when}.`
      : `The file of batch ${id} is being made. Ask again in a moment.`;
  return new Refusal(makeProblem("payment-batch-not-closed", 409, "There is no file yet", detail, { state }));
}

function fileElsewhere(id: string, { writer }: BatchFile): Refusal {
  const detail = `The file of batch ${id} lies in the data directory of writer ${writer}, which is not this one's.`;
  return new Refusal(makeProblem("payment-batch-elsewhere", 409, "The file is not here", detail));
}
