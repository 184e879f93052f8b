import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Secrets } from "../engines/secrets/index.js";
import type { Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId } from "../kernel/ids.js";
import type { Wakes } from "../time/index.js";
import { closeBatch } from "./close-batch.js";
import { payment_batch_kind } from "./kinds.js";
import type {
  NewOutgoingItem,
  OutgoingAccount,
  OutgoingFiles,
  OutgoingItem,
  OutgoingQueue,
} from "./outgoing.js";
import { findItem, insertItem, updateItem, type BatchItem } from "./store/batch-items.js";
import {
  addItems,
  findOpenBatch,
  insertBatch,
  lastSequence,
  lockBatches,
  setClosing,
  type PaymentBatch,
} from "./store/batches.js";

export interface BatchQueueDependencies {
  readonly postgres: Postgres;
  readonly secrets: Pick<Secrets, "seal" | "openText">;
  readonly wakes: Pick<Wakes, "wake" | "cancelWake">;
  readonly clocks: Clocks;
}

/** Of one file: with more, it is closed, and the next is opened. */
export const batch_items_max = 50_000;

/** What waits to go out by files, in the open batch of each account. */
export class BatchQueue implements OutgoingQueue {
  readonly #on: BatchQueueDependencies;

  constructor(dependencies: BatchQueueDependencies) {
    this.#on = dependencies;
  }

  async reserve(account: OutgoingAccount, item: NewOutgoingItem): Promise<OutgoingItem> {
    return this.#on.postgres.inOrganization(account.organization, async (sql) =>
      this.opened(account.organization, await this.#reserved(sql, account, item)),
    );
  }

  async queue(account: OutgoingAccount, files: OutgoingFiles, item: NewOutgoingItem): Promise<OutgoingItem> {
    const { organization } = account;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      await lockBatches(sql, account.id);
      const known = await this.#reserved(sql, account, item);
      if (known.state === "sent" || known.state === "withdrawn") return this.opened(organization, known);
      const isNew = known.state === "reserved";
      const batch = isNew ? (await this.#roomyBatch(sql, account, files)).id : known.batch;
      const changedAt = this.#on.clocks.of(organization).now();
      const details = this.#seal(organization, known.id, item.details);
      const queued: BatchItem = { ...known, details, state: "queued", batch, changedAt };
      await updateItem(sql, queued);
      if (isNew && batch !== undefined) await addItems(sql, batch, 1);
      return this.opened(organization, queued);
    });
  }

  async find(
    { organization }: OutgoingAccount,
    subject: NewOutgoingItem["subject"],
  ): Promise<OutgoingItem | undefined> {
    const found = await this.#on.postgres.inOrganization(organization, (sql) => findItem(sql, subject));
    return found && this.opened(organization, found);
  }

  async withdraw(
    { organization, id }: OutgoingAccount,
    subject: NewOutgoingItem["subject"],
  ): Promise<OutgoingItem | undefined> {
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      await lockBatches(sql, id);
      const item = await findItem(sql, subject, { lock: true });
      if (item === undefined) return undefined;
      if (item.state === "sent" || item.state === "withdrawn") return this.opened(organization, item);
      const changedAt = this.#on.clocks.of(organization).now();
      const withdrawn: BatchItem = { ...item, state: "withdrawn", batch: undefined, changedAt };
      await updateItem(sql, withdrawn);
      if (item.batch !== undefined) await addItems(sql, item.batch, -1);
      return this.opened(organization, withdrawn);
    });
  }

  /** An item with what was sealed of it. */
  opened(organization: OrganizationId, item: BatchItem): OutgoingItem {
    const { id, action, reference, state, position } = item;
    const details = this.#on.secrets.openText(item.details, contextOf(organization, id));
    return {
      action,
      subject: item.subject as NewOutgoingItem["subject"],
      reference,
      amount: { currency: item.currency, minor: item.amount },
      details: JSON.parse(details) as Record<string, string>,
      state,
      position,
    };
  }

  async #reserved(sql: Sql, { organization, id: account }: OutgoingAccount, item: NewOutgoingItem) {
    const createdAt = this.#on.clocks.of(organization).now();
    const { action, subject, reference, amount, details } = item;
    const id = newId("pbi", createdAt);
    await insertItem(sql, organization, {
      id,
      account,
      action,
      subject,
      reference,
      currency: amount.currency,
      amount: amount.minor,
      details: this.#seal(organization, id, details),
      createdAt,
    });
    const known = await findItem(sql, subject, { lock: true });
    if (known === undefined) throw new RangeError(`the item of ${subject} was written and is not there`);
    return known;
  }

  /** The open batch of an account whose batches are locked. Opened when there is none, or the one that there was is full. */
  async #roomyBatch(sql: Sql, account: OutgoingAccount, files: OutgoingFiles): Promise<PaymentBatch> {
    const { wakes, clocks } = this.#on;
    const { organization, id, settings } = account;
    const now = clocks.of(organization).now();
    const open = await findOpenBatch(sql, id);
    if (open !== undefined && open.items > 0 && open.items < batch_items_max) return open;
    if (open !== undefined && open.items > 0)
      await closeBatch(sql, wakes, organization, open, { at: now, by: "system", settings });
    const closesAt = files.closesAt(settings, now);
    if (closesAt !== undefined) await wakes.wake(sql, organization, closesAt, payment_batch_kind, id);
    if (open?.items === 0) {
      await setClosing(sql, open.id, closesAt);
      return open;
    }
    const sequence = ((await lastSequence(sql, id)) ?? files.firstSequence(settings) - 1n) + 1n;
    await insertBatch(sql, organization, {
      id: newId("pbt", now),
      account: id,
      sequence,
      openedAt: now,
      closesAt,
    });
    const opened = await findOpenBatch(sql, id);
    if (opened === undefined) throw new RangeError(`account ${id} has no open batch after one was opened`);
    return opened;
  }

  #seal(organization: OrganizationId, id: string, details: Readonly<Record<string, string>>): Uint8Array {
    return this.#on.secrets.seal(JSON.stringify(details), contextOf(organization, id));
  }
}

function contextOf(organization: OrganizationId, id: string): string {
  return `payment_batch_items:${organization}:${id}`;
}
