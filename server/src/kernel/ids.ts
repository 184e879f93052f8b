import { randomFillSync } from "node:crypto";
import type { Brand } from "./brand.js";
import { msOf, type Instant } from "./instant.js";

export type IdPrefix =
  | "org"
  | "cus"
  | "mtr"
  | "mtv"
  | "prd"
  | "plan"
  | "plv"
  | "price"
  | "ado"
  | "adv"
  | "cpn"
  | "sub"
  | "inv"
  | "il"
  | "key"
  | "imp"
  | "aud"
  | "req"
  | "bkf"
  | "pst"
  | "sao"
  | "txr"
  | "crg"
  | "crm"
  | "crn"
  | "pac"
  | "pmt"
  | "pat"
  | "pay"
  | "ref"
  | "dsp"
  | "pyo"
  | "tup"
  | "pbt"
  | "pbi"
  | "whe"
  | "msg"
  | "whd"
  | "eml"
  | "stf"
  | "rex"
  | "rrp"
  | "rvs";

/** A TypeID: prefix, _, and 26 characters of Crockford's base32 holding a UUIDv7. Ids of one kind sort by age. */
export type Id<P extends IdPrefix> = Brand<string, P>;
export type OrganizationId = Id<"org">;
export type CustomerId = Id<"cus">;
export type MeterId = Id<"mtr">;
export type MeterVersionId = Id<"mtv">;
export type ProductId = Id<"prd">;
export type PlanId = Id<"plan">;
export type PlanVersionId = Id<"plv">;
export type PriceId = Id<"price">;
export type AddOnId = Id<"ado">;
export type AddOnVersionId = Id<"adv">;
export type CouponId = Id<"cpn">;
export type SubscriptionId = Id<"sub">;
export type InvoiceId = Id<"inv">;
export type InvoiceLineId = Id<"il">;
export type ApiKeyId = Id<"key">;
export type ImportId = Id<"imp">;
export type AuditEntryId = Id<"aud">;
export type RequestId = Id<"req">;
export type BackfillId = Id<"bkf">;
export type PostingId = Id<"pst">;
/** An add-on as one subscription has it. */
export type SubscribedAddOnId = Id<"sao">;
export type TaxRateId = Id<"txr">;
export type CreditGrantId = Id<"crg">;
export type CreditMovementId = Id<"crm">;
export type CreditNoteId = Id<"crn">;
export type PaymentMethodId = Id<"pmt">;
export type PaymentAttemptId = Id<"pat">;
export type PaymentId = Id<"pay">;
export type RefundId = Id<"ref">;
export type DisputeId = Id<"dsp">;
export type PayoutId = Id<"pyo">;
export type TopUpId = Id<"tup">;
export type PaymentBatchId = Id<"pbt">;
export type PaymentBatchItemId = Id<"pbi">;
/** An account at a payment provider, a bank or an acquirer. */
export type ProviderAccountId = Id<"pac">;
export type WebhookEndpointId = Id<"whe">;
/** What receivers see as webhook-id. */
export type WebhookMessageId = Id<"msg">;
export type WebhookDeliveryId = Id<"whd">;
export type MailId = Id<"eml">;
export type SettlementFileId = Id<"stf">;
export type ReconciliationExceptionId = Id<"rex">;
export type ReconciliationReportId = Id<"rrp">;
export type RevenueScheduleId = Id<"rvs">;

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * Makes a new id: a UUIDv7, whose first 26 bits behind the time count (RFC 9562, 6.2, method 1), so that ids of one process sort as they were
 * made also within a millisecond: on a test clock that stands still, all of a day may be of one.
 */
export function newId<P extends IdPrefix>(prefix: P, now: Instant): Id<P> {
  const bytes = new Uint8Array(16);
  bytes.set(takeRandom(), 6);
  const ms = msOf(now);
  let time = ms;
  for (let index = 5; index >= 0; index -= 1) {
    bytes[index] = time % 256;
    time = Math.floor(time / 256);
  }
  const count = countWithin(ms, bytes);
  bytes[6] = 0x70 | (count >>> 22);
  bytes[7] = count >>> 14;
  bytes[8] = 0x80 | ((count >>> 8) & 0x3f);
  bytes[9] = count;
  return idFromUuidBytes(prefix, bytes);
}

const count_bits = 26;
/** How far was counted within each of the latest milliseconds: organizations' clocks are of different times. */
const counts = new Map<number, number>();
const counts_max = 10_000;

/** The next count within a millisecond; the first is random, in the lower half. */
function countWithin(ms: number, random: Uint8Array): number {
  const before = counts.get(ms);
  const [first = 0, second = 0, third = 0, fourth = 0] = random.subarray(6);
  const seed = (((first << 24) | (second << 16) | (third << 8) | fourth) >>> 0) >>> (32 - count_bits + 1);
  const count = before === undefined ? seed : (before + 1) % 2 ** count_bits;
  counts.delete(ms);
  counts.set(ms, count);
  if (counts.size > counts_max) counts.delete(counts.keys().next().value ?? ms);
  return count;
}

// Asked for in bulk: a call for each id costs more than the rest of it.
const random_bytes = 10;
const pool = new Uint8Array(random_bytes * 400);
let pool_used = pool.length;

/** Ten random bytes, used once. */
function takeRandom(): Uint8Array {
  if (pool_used === pool.length) {
    randomFillSync(pool);
    pool_used = 0;
  }
  pool_used += random_bytes;
  return pool.subarray(pool_used - random_bytes, pool_used);
}

/** @throws RangeError unless there are 16 bytes */
export function idFromUuidBytes<P extends IdPrefix>(prefix: P, bytes: Uint8Array): Id<P> {
  if (bytes.length !== 16) throw new RangeError(`a UUID has 16 bytes, not ${bytes.length}`);
  // Two zero bits before the 128, so that they make 26 characters of 5 bits each.
  let text = `${prefix}_`;
  let rest = 0;
  let bits = 2;
  for (const byte of bytes) {
    rest = ((rest << 8) | byte) & 0xfff;
    for (bits += 8; bits >= 5; bits -= 5) text += alphabet.charAt((rest >> (bits - 5)) & 31);
  }
  return text as Id<P>;
}

const suffix = /^[0-7][0-9abcdefghjkmnpqrstvwxyz]{25}$/;

/** The id, or undefined when the text is none of this kind. */
export function parseId<P extends IdPrefix>(prefix: P, text: string): Id<P> | undefined {
  return text.startsWith(`${prefix}_`) && suffix.test(text.slice(prefix.length + 1))
    ? (text as Id<P>)
    : undefined;
}

/** The 16 bytes of an id's UUID. @throws RangeError when the text is no TypeID */
export function uuidBytesOf(id: string): Uint8Array {
  const encoded = id.slice(id.lastIndexOf("_") + 1);
  if (!suffix.test(encoded)) throw new RangeError(`not a TypeID: ${id}`);
  let value = 0n;
  for (const character of encoded) value = (value << 5n) | BigInt(alphabet.indexOf(character));
  const bytes = new Uint8Array(16);
  for (let index = 15; index >= 0; index -= 1) {
    bytes[index] = Number(value & 255n);
    value >>= 8n;
  }
  return bytes;
}
