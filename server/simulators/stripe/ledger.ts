import type Stripe from "stripe";
import { seconds } from "./unix-time.js";
import type { ObjectIds } from "./object-ids.js";
import { ObjectStore, type StoredObject } from "./objects/object-store.js";
import type { Thin } from "./thin.js";

export type BalanceTransactionWire = Thin<Stripe.BalanceTransaction>;

export interface BalanceTransactionRecord extends StoredObject {
  readonly wire: BalanceTransactionWire;
  /** The charge that it is about, if any. */
  readonly charge: string | undefined;
  /** The automatic payout that paid it out. */
  payout: string | undefined;
}

/** A movement of a balance: amounts in minor units of `currency`, positive is money for the account. */
export interface NewMovement {
  readonly type: BalanceTransactionWire["type"];
  readonly reportingCategory: string;
  readonly amount: number;
  /** Taken off the amount; its description stands in the fee's details. */
  readonly fee?: { readonly amount: number; readonly description: string };
  readonly currency: string;
  readonly rate?: string | undefined;
  readonly source: string;
  readonly charge?: string;
  readonly description: string | null;
  readonly available_ms: number;
}

/** What became of a charge, in minor units of the currency it was charged in. */
export interface ChargeTotals {
  readonly charge: string;
  readonly currency: string;
  captured: number;
  /** Refunds that did not fail. */
  refunded: number;
  /** Taken back by disputes that are open or lost. */
  disputed: number;
}

export interface Balance {
  readonly currency: string;
  readonly available: number;
  readonly pending: number;
}

export interface LedgerOptions {
  readonly ids: ObjectIds;
  readonly objects_max: number;
  readonly now_ms: () => number;
}

const dropped_seconds_max = 1_000;

/**
 * The simulator's own books, which a user's are compared with: every change of a balance is a balance transaction, and
 * balances are kept beside them, so that the sum of one is a check of the other.
 */
export class Ledger {
  readonly transactions: ObjectStore<BalanceTransactionRecord>;
  readonly #on: LedgerOptions;
  readonly #totals = new Map<string, number>();
  /** What was dropped, by currency and by the second in which it becomes available. */
  readonly #dropped = new Map<string, Map<number, number>>();
  readonly #charges = new Map<string, ChargeTotals>();

  constructor(options: LedgerOptions) {
    this.#on = options;
    this.transactions = new ObjectStore<BalanceTransactionRecord>({
      noun: "balance transaction",
      ids: options.ids,
      objects_max: options.objects_max,
      isSettled: () => true,
      onDrop: ({ wire }) => {
        const sums = this.#dropped.get(wire.currency) ?? new Map<number, number>();
        this.#dropped.set(wire.currency, sums);
        if (sums.size > dropped_seconds_max) mergePast(sums, seconds(options.now_ms()));
        addTo(sums, wire.available_on, wire.net);
      },
    });
  }

  post(movement: NewMovement): BalanceTransactionRecord {
    const now_ms = this.#on.now_ms();
    const fee = movement.fee?.amount ?? 0;
    const net = movement.amount - fee;
    const transaction = this.transactions.add({
      charge: movement.charge,
      payout: undefined,
      wire: {
        id: this.#on.ids.next("txn"),
        object: "balance_transaction",
        amount: movement.amount,
        available_on: seconds(movement.available_ms),
        balance_type: "payments",
        created: seconds(now_ms),
        currency: movement.currency,
        description: movement.description,
        exchange_rate: movement.rate === undefined ? null : Number(movement.rate),
        fee,
        fee_details:
          movement.fee === undefined
            ? []
            : [
                {
                  amount: fee,
                  application: null,
                  currency: movement.currency,
                  description: movement.fee.description,
                  type: "stripe_fee",
                },
              ],
        net,
        reporting_category: movement.reportingCategory,
        source: movement.source,
        status: movement.available_ms <= now_ms ? "available" : "pending",
        type: movement.type,
      },
    });
    addTo(this.#totals, movement.currency, net);
    return transaction;
  }

  /** The totals of a charge, which the objects' functions keep. */
  chargeTotals(charge: string, currency: string): ChargeTotals {
    let totals = this.#charges.get(charge);
    if (totals === undefined) {
      totals = { charge, currency, captured: 0, refunded: 0, disputed: 0 };
      this.#charges.set(charge, totals);
    }
    return totals;
  }

  dropCharge(charge: string): void {
    this.#charges.delete(charge);
  }

  /** What became of a charge; undefined when it never captured anything, or was dropped for want of room. */
  charge(id: string): Readonly<ChargeTotals> | undefined {
    return this.#charges.get(id);
  }

  charges(): Iterable<Readonly<ChargeTotals>> {
    return this.#charges.values();
  }

  /** Every movement that is kept, oldest first. */
  movements(): readonly Readonly<BalanceTransactionWire>[] {
    return this.transactions.inOrder().map(({ wire }) => this.shown(wire));
  }

  /** What the movements of a currency that were dropped for want of room came to, net. */
  dropped(currency: string): number {
    let sum = 0;
    for (const net of this.#dropped.get(currency)?.values() ?? []) sum += net;
    return sum;
  }

  /** Each currency that ever had a movement. */
  balances(): readonly Balance[] {
    const pending = new Map<string, number>();
    const now_ms = this.#on.now_ms();
    for (const { wire } of this.transactions.inOrder()) {
      if (wire.available_on * 1_000 > now_ms) addTo(pending, wire.currency, wire.net);
    }
    for (const [currency, sums] of this.#dropped) {
      for (const [available_on, net] of sums)
        if (available_on * 1_000 > now_ms) addTo(pending, currency, net);
    }
    return [...this.#totals].map(([currency, total]) => {
      const later = pending.get(currency) ?? 0;
      return { currency, available: total - later, pending: later };
    });
  }

  balance(currency: string): Balance {
    return (
      this.balances().find((balance) => balance.currency === currency) ?? {
        currency,
        available: 0,
        pending: 0,
      }
    );
  }

  /** A balance transaction as it is now: it becomes available by the passing of time alone. */
  shown(wire: BalanceTransactionWire): BalanceTransactionWire {
    if (wire.status === "pending" && wire.available_on * 1_000 <= this.#on.now_ms())
      wire.status = "available";
    return wire;
  }
}

/** Sums that are available already need not be told apart. */
function mergePast(sums: Map<number, number>, now_s: number): void {
  for (const [available_on, net] of sums) {
    if (available_on === 0 || available_on > now_s) continue;
    sums.delete(available_on);
    addTo(sums, 0, net);
  }
}

function addTo<Key>(sums: Map<Key, number>, key: Key, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount);
}
