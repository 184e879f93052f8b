import type { SummaryBuilder } from "../../file-summary.js";
import { amountsOf, isMonetary } from "./base2-record.js";
import type { Base2Transaction } from "./base2-transaction.js";
import { trailer, type FieldPlace } from "./record-layout.js";

const again = "Fetch the file again, and ask the sender when it comes the same";

/** What a batch, or a file, has come to so far, to be held against its trailer. */
export class ControlTotals {
  #source = 0n;
  #destination = 0n;
  #monetary = 0;
  #transactions = 0;
  #records = 0;
  #batches = 0;

  get transactions(): number {
    return this.#transactions;
  }

  add(transaction: Base2Transaction): void {
    this.#transactions += 1;
    this.#records += transaction.records;
    if (!isMonetary(transaction.code)) return;
    const { source, destination } = amountsOf(transaction);
    this.#source += BigInt(source);
    this.#destination += BigInt(destination);
    this.#monetary += 1;
  }

  /** A batch that ended, with its trailer. */
  addBatch(batch: ControlTotals): void {
    this.#source += batch.#source;
    this.#destination += batch.#destination;
    this.#monetary += batch.#monetary;
    this.#transactions += batch.#transactions + 1;
    this.#records += batch.#records + 1;
    this.#batches += 1;
  }

  /**
   * Holds the totals against a trailer. Amounts are added up without regard to currency and direction. Senders differ in whether the
   * trailer itself, and the header, are among what is counted.
   * @throws FileRefused when they differ
   */
  check(said: Base2Transaction, name: string, summary: SummaryBuilder): void {
    const exact = (place: FieldPlace, found: bigint) => this.#require(said, place, [found], name, summary);
    const counted = (place: FieldPlace, found: number) =>
      this.#require(said, place, [found + 1, found, found + 2].map(BigInt), name, summary);
    exact(trailer.monetary, BigInt(this.#monetary));
    exact(trailer.sourceAmount, this.#source);
    exact(trailer.destinationAmount, this.#destination);
    counted(trailer.records, this.#records);
    counted(trailer.transactions, this.#transactions);
    if (said.code === "92") exact(trailer.batches, BigInt(this.#batches));
  }

  #require(
    said: Base2Transaction,
    place: FieldPlace,
    allowed: readonly bigint[],
    name: string,
    summary: SummaryBuilder,
  ): void {
    const expected = BigInt(said.number(place));
    const found = allowed.find((each) => each === expected) ?? allowed[0] ?? 0n;
    if (found !== expected) {
      throw said.refuse(
        place,
        `the trailer says ${expected}, the ${name} comes to ${found}`,
        said.first,
        again,
      );
    }
    summary.check(`${name}: ${place.name}`, expected.toString(), found.toString());
  }
}
