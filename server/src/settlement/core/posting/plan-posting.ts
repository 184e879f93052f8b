import type { Currency } from "../../../kernel/currency.js";
import type { ProviderAccountId } from "../../../kernel/ids.js";
import type { Instant } from "../../../kernel/instant.js";
import type { LocalDate } from "../../../kernel/local-date.js";
import type { Money } from "../../../kernel/money.js";
import type { Account, Transfer } from "../../../ledger/core/index.js";
import type { Allotment, Effect, Side } from "../matching/index.js";
import { startOf } from "../date-text.js";
import type { CardScheme } from "../settlement-format.js";
import type { PaymentsAction } from "./payments-action.js";

/** A record as posting sees it. */
export interface PostedRecord {
  readonly position: number;
  /** Unique among the account's records. */
  readonly key: string;
  readonly gross: Money;
  readonly settled: Money | undefined;
  readonly fee: Money | undefined;
  readonly at: Instant;
  readonly valueDate: LocalDate | undefined;
  readonly ref: string | undefined;
  readonly arn: string | undefined;
  readonly text: string | undefined;
  readonly decline: { readonly code: string; readonly message: string } | undefined;
}

/** Whose records they are, and how they came. */
export interface RecordSource {
  readonly account: ProviderAccountId;
  readonly side: Side;
  /** Of a card scheme's own file. */
  readonly scheme: CardScheme | undefined;
  readonly landedAt: Instant;
}

export interface PartOfRecord extends Allotment {
  readonly part: number;
}

/** One action and the parts of the record that it stands for. */
export interface PlannedAction {
  readonly record: PostedRecord;
  readonly parts: readonly PartOfRecord[];
  readonly action: PaymentsAction;
}

export interface PostingPlan {
  readonly actions: readonly PlannedAction[];
  /** What is posted without payments: fees, exchange, suspense. */
  readonly movements: Movements;
}

/** Where money moves on our account with a sender. */
export function clearingOf(side: Side, account: ProviderAccountId): Account {
  return side === "bank" ? { kind: "cash", account } : { kind: "provider_clearing", account };
}

/** What is posted without payments, and against which account. */
const ledgerAccounts: Readonly<Partial<Record<Effect, OtherAccount>>> = {
  fee: "provider_fees",
  suspense: "suspense",
  exchange: "currency_exchange",
  rounding: "rounding",
  bad_debt: "bad_debt",
};

type OtherAccount = "provider_fees" | "suspense" | "currency_exchange" | "rounding" | "bad_debt";

/** Movements on one account of ours, added up: one transfer for each other account, currency and direction, however many records. */
export class Movements {
  readonly #clearing: Account;
  readonly #sums = new Map<string, { with: Account; currency: Currency; minor: bigint }>();

  constructor(clearing: Account) {
    this.#clearing = clearing;
  }

  /** @param amount + comes in to our account */
  add(other: OtherAccount, { currency, minor }: Money): void {
    if (minor === 0n) return;
    const key = `${other} ${currency} ${minor > 0n ? "in" : "out"}`;
    const sum = this.#sums.get(key) ?? { with: { kind: other }, currency, minor: 0n };
    this.#sums.set(key, { ...sum, minor: sum.minor + minor });
  }

  /** What an effect does by itself, without payments. @returns false when payments do it, or nothing is to be done */
  addEffect(effect: Effect, amount: Money): boolean {
    const other = ledgerAccounts[effect];
    if (other === undefined) return false;
    this.add(other, amount);
    return true;
  }

  transfers(): Transfer[] {
    return [...this.#sums.keys()].sort().flatMap((key): Transfer[] => {
      const sum = this.#sums.get(key);
      if (sum === undefined) return [];
      const { with: other, currency, minor } = sum;
      return minor > 0n
        ? [{ debit: this.#clearing, credit: other, amount: { currency, minor } }]
        : [{ debit: other, credit: this.#clearing, amount: { currency, minor: -minor } }];
    });
  }
}

/** What a batch of records does to our books, given what each turned out to be. */
export function planPosting(
  source: RecordSource,
  records: readonly { readonly record: PostedRecord; readonly parts: readonly PartOfRecord[] }[],
): PostingPlan {
  const actions: PlannedAction[] = [];
  const { account, side } = source;
  const movements = new Movements(clearingOf(side, account));
  for (const { record, parts } of records) {
    const receipts: PartOfRecord[] = [];
    for (const part of parts) {
      if (part.effect === "none" || movements.addEffect(part.effect, part.amount)) continue;
      if (part.effect === "receipt") receipts.push(part);
      else actions.push({ record, parts: [part], action: actionOf(source, record, part) });
    }
    if (receipts.length > 0)
      actions.push({ record, parts: receipts, action: transferOf(account, record, receipts) });
  }
  return { actions, movements };
}

/** Of a part that a person gave its meaning too; its key then tells the person's from the rules'. */
export function actionOf(source: RecordSource, record: PostedRecord, part: PartOfRecord): PaymentsAction {
  const base = { key: keyOf(source.account, record, part), at: record.at };
  const target = part.target?.id;
  const { minor } = part.amount;
  const amount = { ...part.amount, minor: minor < 0n ? -minor : minor };
  if (part.effect === "payout") {
    return { ...base, kind: "send_payout", ref: record.ref ?? record.key, amount };
  }
  if (target === undefined) throw new RangeError(`record ${record.position}: "${part.effect}" names nothing`);
  switch (part.effect) {
    case "capture":
      return {
        ...base,
        kind: "capture",
        attempt: target,
        amount: record.gross,
        settlement: settlementOf(record),
        ref: record.ref,
      };
    case "decline": {
      const { code = "declined", message = "" } = record.decline ?? {};
      return { ...base, kind: "decline", attempt: target, code, message };
    }
    case "settle":
      return {
        ...base,
        kind: "settle",
        payment: target,
        amount: record.gross,
        settlement: settlementOf(record),
      };
    case "refund":
      return { ...base, kind: "confirm_refund", refund: target, settlement: settlementOf(record) };
    case "fail_refund":
      return { ...base, kind: "fail_refund", refund: target };
    case "dispute": {
      const { gross: moved, fee } = settlementOf(record);
      return {
        ...base,
        kind: "open_dispute",
        payment: target,
        ref: record.ref ?? record.key,
        amount: opposite(record.gross),
        held: opposite(moved),
        fee,
        chargeback: chargebackOf(source, record),
      };
    }
    case "win_dispute":
      return { ...base, kind: "win_dispute", dispute: target };
    case "return_payout":
      return { ...base, kind: "return_payout", payout: target };
    case "receive_payout":
      return { ...base, kind: "receive_payout", payout: target };
    case "take_back":
      return { ...base, kind: "take_back", payment: target };
    case "none":
    case "fee":
    case "suspense":
    case "exchange":
    case "rounding":
    case "bad_debt":
    case "receipt":
      throw new RangeError(`"${part.effect}" is no single action`);
  }
}

export function transferOf(
  account: ProviderAccountId,
  record: PostedRecord,
  parts: readonly PartOfRecord[],
): PaymentsAction {
  const [first] = parts;
  if (first === undefined) throw new RangeError("a transfer has at least one part");
  const minor = parts.reduce((sum, part) => sum + part.amount.minor, 0n);
  return {
    kind: "receive_transfer",
    key: keyOf(account, record, first),
    at: record.at,
    amount: { currency: first.amount.currency, minor },
    invoices: parts.flatMap(({ target, amount }) =>
      target?.kind === "invoice" ? [{ invoice: target.id, amount: amount.minor }] : [],
    ),
    customer: parts.find(({ target }) => target?.kind === "customer")?.target?.id,
    note: record.text,
  };
}

function chargebackOf({ scheme, landedAt }: RecordSource, { valueDate }: PostedRecord) {
  if (scheme === undefined) return undefined;
  return { scheme, reportedAt: valueDate === undefined ? landedAt : startOf(valueDate) };
}

const opposite = ({ currency, minor }: Money): Money => ({ currency, minor: -minor });

/** Names an effect for good; `readActionKey` tells from it whose it was. */
function keyOf(account: ProviderAccountId, record: PostedRecord, { part }: PartOfRecord): string {
  return `settlement:${account}:${record.key}:${part}`;
}

/** Of an effect that a person decided. */
export function keyByHand(exception: string, version: number, index: number): string {
  return `exception:${exception}:${version}:${index}`;
}

/** The record, or the exception about one, that an action came from; undefined for what is no action's key. */
export function readActionKey(
  key: string,
): { readonly account: string; readonly record: string } | { readonly exception: string } | undefined {
  const [, account, record] = /^settlement:(pac_[^:]+):(.+):\d+$/s.exec(key) ?? [];
  if (account !== undefined && record !== undefined) return { account, record };
  const [, exception] = /^exception:(rex_[^:]+):\d+:\d+$/.exec(key) ?? [];
  return exception === undefined ? undefined : { exception };
}

function settlementOf(record: PostedRecord) {
  const gross = record.settled ?? record.gross;
  const fee = record.fee?.currency === gross.currency ? record.fee.minor : 0n;
  return { ref: record.key, gross, fee, arn: record.arn };
}
