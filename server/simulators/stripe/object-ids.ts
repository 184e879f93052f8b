const sequence_digits = 8;
const random_letters = 14;
const alphabet = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghjkmnopqrstuvwxyz";

/**
 * Ids in Stripe's form: `pi_` and letters. The letters begin with the count of ids with that prefix, so that ids sort as
 * they were made, and an object that was dropped for want of room can be told from one that never was.
 */
export class ObjectIds {
  readonly #random: () => number;
  readonly #counts = new Map<string, number>();

  constructor(random: () => number) {
    this.#random = random;
  }

  next(prefix: string): string {
    const count = (this.#counts.get(prefix) ?? 0) + 1;
    this.#counts.set(prefix, count);
    return `${prefix}_${count.toString(36).padStart(sequence_digits, "0")}${this.letters(random_letters)}`;
  }

  letters(length: number): string {
    let text = "";
    for (let index = 0; index < length; index += 1) {
      text += alphabet[Math.floor(this.#random() * alphabet.length)] ?? "0";
    }
    return text;
  }

  /** Whether an id was made here. */
  isOurs(id: string): boolean {
    const end = id.lastIndexOf("_");
    const count = Number.parseInt(id.slice(end + 1, end + 1 + sequence_digits), 36);
    return count >= 1 && count <= (this.#counts.get(id.slice(0, end)) ?? 0);
  }
}
