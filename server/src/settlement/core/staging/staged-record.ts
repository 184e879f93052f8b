import type { Instant } from "../../../kernel/instant.js";
import type { LocalDate } from "../../../kernel/local-date.js";
import type { Money } from "../../../kernel/money.js";
import type { MatchableRecord, Side } from "../matching/index.js";
import type { PostedRecord } from "../posting/index.js";
import type { RecordKind, SettlementRecord } from "../settlement-record.js";

/** A record as it rests: without what the file said word for word, which the file itself has, and without card numbers. */
export interface StagedRecord {
  /** Among the records that the file's reader gives, from 1. */
  readonly position: number;
  readonly key: string;
  readonly record: number;
  readonly line: number | undefined;
  readonly kind: RecordKind;
  /** In the currency that the customer was charged in, as our books have it. */
  readonly gross: Money;
  /** What moved on our account with the sender, where that is another currency. */
  readonly settled: Money | undefined;
  readonly fee: Money | undefined;
  readonly at: Instant;
  readonly valueDate: LocalDate | undefined;
  /** What it says that it belongs to, the surest first. */
  readonly references: readonly string[];
  readonly ref: string | undefined;
  readonly arn: string | undefined;
  readonly payout: string | undefined;
  readonly text: string | undefined;
  readonly counterparty: string | undefined;
  readonly isReversal: boolean;
  readonly decline: SettlementRecord["decline"];
  readonly card: { readonly last4: string; readonly hash: string | undefined } | undefined;
  /** Its key came before: earlier in this file, or in another one with other amounts. */
  readonly repeats: "in_file" | "otherwise" | undefined;
}

export const key_length_max = 200;
const reference_length_max = 255;
const text_length_max = 1_000;
const decline_length_max = 255;

export interface Hashes {
  /** A card's number, under a key: hexadecimal. */
  card(number: string): string;
  /** A text of any length as one of 64 characters. */
  digest(text: string): string;
}

/** What is kept of a record. */
export function stageRecord(given: SettlementRecord, position: number, hashes: Hashes): StagedRecord {
  const { references } = given;
  const gross = given.presented ?? given.gross;
  const moved = given.settled ?? given.gross;
  const { number, last4 } = given.card ?? {};
  return {
    position,
    key: given.key.length <= key_length_max ? given.key : `sha256:${hashes.digest(given.key)}`,
    record: given.position.record,
    line: given.position.line,
    kind: given.kind,
    gross,
    settled: moved.currency === gross.currency ? undefined : moved,
    fee: given.fee,
    at: given.at,
    valueDate: given.valueDate,
    references: orderedReferences(given),
    ref: reference(references.provider),
    arn: reference(references.arn),
    payout: reference(references.payout),
    text: plain(references.text)?.slice(0, text_length_max),
    counterparty: plain(given.counterparty?.name)?.slice(0, reference_length_max),
    isReversal: given.reversal === true,
    decline: given.decline && {
      code: given.decline.code,
      message: (plain(given.decline.message) ?? "").slice(0, decline_length_max),
    },
    card:
      last4 === undefined
        ? undefined
        : { last4, hash: number === undefined ? undefined : hashes.card(number) },
    repeats: undefined,
  };
}

/** What names its one target surest comes first: of a charge our own id, of a payout its, of everything else the sender's. */
function orderedReferences({ kind, references }: SettlementRecord): string[] {
  const { provider, payment, merchant, arn, structured, endToEnd, payout } = references;
  const all =
    kind === "charge" || kind === "decline"
      ? [merchant, payment, provider, arn, endToEnd]
      : kind === "payout"
        ? [payout, provider, merchant]
        : kind === "bank_credit"
          ? [structured, payout, endToEnd, merchant, provider]
          : [provider, merchant, payment, arn, endToEnd, structured];
  return [...new Set(all.flatMap((each) => reference(each) ?? []))];
}

function reference(text: string | undefined): string | undefined {
  const clean = plain(text);
  return clean !== undefined && clean.length <= reference_length_max ? clean : undefined;
}

/** Without what a database cannot hold; undefined when nothing is left. */
function plain(text: string | undefined): string | undefined {
  const clean = text
    ?.replaceAll("\u0000", " ")
    .replaceAll("\u001f", " ")
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .trim();
  return clean === "" ? undefined : clean;
}

export function toMatchable(record: StagedRecord, side: Side): MatchableRecord {
  const { position, kind, gross, settled, fee, at, references, text, counterparty, isReversal, repeats } =
    record;
  return {
    position,
    kind,
    side,
    gross,
    settled,
    fee,
    at,
    references,
    text,
    counterparty,
    isReversal,
    repeats,
  };
}

export function toPosted(record: StagedRecord): PostedRecord {
  const { position, key, gross, settled, fee, at, valueDate, ref, arn, text, decline } = record;
  return { position, key, gross, settled, fee, at, valueDate, ref, arn, text, decline };
}

/** Whether two records under one key tell the same. */
export function isSameMovement(
  one: Pick<StagedRecord, "kind" | "gross" | "settled" | "fee">,
  other: Pick<StagedRecord, "kind" | "gross" | "settled" | "fee">,
): boolean {
  const same = (a: Money | undefined, b: Money | undefined) =>
    (a?.minor ?? 0n) === (b?.minor ?? 0n) &&
    (a === undefined || b === undefined || a.currency === b.currency);
  return (
    one.kind === other.kind &&
    same(one.gross, other.gross) &&
    same(one.settled, other.settled) &&
    same(one.fee, other.fee)
  );
}
