import { recordAudit } from "../audit/index.js";
import type { Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { formatMoney } from "../kernel/money.js";
import type { Wakes } from "../time/index.js";
import { payment_batch_file_kind, payment_batch_kind } from "./kinds.js";
import { markSent } from "./store/batch-items.js";
import { markClosing, sumBatch, type PaymentBatch } from "./store/batches.js";

export interface Closing {
  readonly at: Instant;
  readonly by: Caller | "system";
  /** The account's, as they are now. */
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Closes an open batch that has items, in the caller's transaction, which has locked the account's batches: its items go with it,
 * and its file is made a moment later.
 */
export async function closeBatch(
  sql: Sql,
  wakes: Pick<Wakes, "wake" | "cancelWake">,
  organization: OrganizationId,
  { id, account, sequence, items, state }: PaymentBatch,
  { at, by, settings }: Closing,
): Promise<void> {
  await markSent(sql, id, at);
  await markClosing(sql, id, { at, by: by === "system" ? by : by.key, settings });
  await wakes.cancelWake(sql, payment_batch_kind, account);
  await wakes.wake(sql, organization, at, payment_batch_file_kind, id);
  const totals = (await sumBatch(sql, id)).map(formatMoney);
  await recordAudit(sql, {
    organization,
    actor: by,
    action: "payment_batch.close",
    target: id,
    before: { state },
    after: { account, sequence: sequence.toString(), items, totals },
    at,
  });
}
