import type { SummaryBuilder } from "../../file-summary.js";
import { tooManyRecords } from "../../file-summary.js";
import { limits, type FileSummary } from "../../settlement-format.js";
import { formatMoney, type Money } from "../../../../kernel/money.js";

/** What the rows of each merchant account and batch come to: with the payout among them, nothing. */
export class BatchTotals {
  readonly #batches = new Map<string, { readonly account: string; readonly batch: string }>();
  readonly #sums = new Map<string, { readonly name: string; sum: Money }>();
  #explained = 0;
  #unexplained = 0;

  add(account: string, batch: string, net: Money): void {
    const name = `${account} batch ${batch}`;
    if (!this.#batches.has(name)) {
      if (this.#batches.size >= limits.accounts_max) throw tooManyRecords();
      this.#batches.set(name, { account, batch });
    }
    const key = `${name} ${net.currency}`;
    const known = this.#sums.get(key);
    if (known === undefined) this.#sums.set(key, { name, sum: net });
    else known.sum = { currency: net.currency, minor: known.sum.minor + net.minor };
  }

  /** Whether a row's fees are what lies between its gross and its net. */
  countFees(explained: boolean): void {
    if (explained) this.#explained += 1;
    else this.#unexplained += 1;
  }

  check(summary: SummaryBuilder): void {
    for (const { name, sum } of this.#sums.values()) {
      const zero = formatMoney({ currency: sum.currency, minor: 0n });
      summary.check(`${name}: all lines and the MerchantPayout come to zero`, zero, formatMoney(sum));
    }
    const all = this.#explained + this.#unexplained;
    if (all > 0) {
      summary.check(
        "rows whose fees lead from gross to net",
        `${all} of ${all}`,
        `${this.#explained} of ${all}`,
      );
    }
  }

  logicalId(): string | undefined {
    const [first] = this.#batches.keys();
    const more = this.#batches.size - 1;
    return first === undefined || more === 0 ? first : `${first} and ${more} more`;
  }

  accounts(): string[] {
    return [...new Set([...this.#batches.values()].map(({ account }) => account))];
  }

  sequences(): FileSummary["sequences"] {
    return [...this.#batches.values()].map(({ account, batch }) => ({
      series: `adyen ${account}`,
      number: BigInt(batch),
    }));
  }
}
