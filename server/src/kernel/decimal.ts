export type Rounding = "half-away" | "half-even" | "down" | "up" | "floor" | "ceil";

const digits_max = 76;
const scale_max = 200;
const pattern = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$|^([+-]?)\.(\d+)(?:[eE]([+-]?\d{1,4}))?$/;

/** An exact decimal number: `unscaled` ÷ 10^`scale`. Money and quantities are never floating point. */
export class Decimal {
  static readonly zero = new Decimal(0n, 0);
  static readonly one = new Decimal(1n, 0);

  readonly unscaled: bigint;
  readonly scale: number;

  private constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled;
    this.scale = scale;
  }

  /** Parses plain or exponent notation, at most 76 significant digits; undefined for anything else. */
  static parse(text: string): Decimal | undefined {
    if (text.length > 400) return undefined;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    const sign = match[1] ?? match[5];
    const whole = match[2] ?? "";
    const fraction = match[3] ?? match[6] ?? "";
    const exponent = Number(match[4] ?? match[7] ?? "0");
    const digits = `${whole}${fraction}`.replace(/^0+/, "");
    if (digits.length > digits_max) return undefined;
    const magnitude = BigInt(digits === "" ? "0" : digits);
    const scale = fraction.length - exponent;
    if (magnitude !== 0n && Math.abs(scale) > scale_max) return undefined;
    return Decimal.fromUnscaled(sign === "-" ? -magnitude : magnitude, magnitude === 0n ? 0 : scale);
  }

  /** @throws RangeError when the text is no decimal, or the number no safe integer */
  static of(value: string | bigint | number): Decimal {
    if (typeof value === "bigint") return new Decimal(value, 0);
    if (typeof value === "number") {
      if (!Number.isSafeInteger(value))
        throw new RangeError(`give ${value} as text: only safe integers are exact`);
      return new Decimal(BigInt(value), 0);
    }
    const parsed = Decimal.parse(value);
    if (parsed === undefined) throw new RangeError(`not a decimal number: "${value.slice(0, 100)}"`);
    return parsed;
  }

  /** unscaled ÷ 10^scale; a negative scale multiplies. */
  static fromUnscaled(unscaled: bigint, scale: number): Decimal {
    return scale < 0 ? new Decimal(unscaled * 10n ** BigInt(-scale), 0) : new Decimal(unscaled, scale);
  }

  static min(first: Decimal, ...rest: readonly Decimal[]): Decimal {
    return rest.reduce((least, next) => (next.compare(least) < 0 ? next : least), first);
  }

  static max(first: Decimal, ...rest: readonly Decimal[]): Decimal {
    return rest.reduce((most, next) => (next.compare(most) > 0 ? next : most), first);
  }

  static sum(values: Iterable<Decimal>): Decimal {
    let total = Decimal.zero;
    for (const value of values) total = total.plus(value);
    return total;
  }

  plus(other: Decimal): Decimal {
    const scale = Math.max(this.scale, other.scale);
    return new Decimal(this.#at(scale) + other.#at(scale), scale);
  }

  minus(other: Decimal): Decimal {
    return this.plus(other.negate());
  }

  times(other: Decimal): Decimal {
    return new Decimal(this.unscaled * other.unscaled, this.scale + other.scale).#trimmed();
  }

  negate(): Decimal {
    return new Decimal(-this.unscaled, this.scale);
  }

  abs(): Decimal {
    return this.isNegative() ? this.negate() : this;
  }

  /**
   * The quotient rounded to `scale` digits after the point.
   * @throws RangeError on division by zero, or when `scale` is negative
   */
  dividedBy(other: Decimal, scale: number, mode: Rounding): Decimal {
    if (other.isZero()) throw new RangeError("division by zero");
    requireScale(scale);
    // this/other = (u1 · 10^s2) / (u2 · 10^s1)
    const numerator = this.unscaled * 10n ** BigInt(other.scale + scale);
    const denominator = other.unscaled * 10n ** BigInt(this.scale);
    return new Decimal(divideRounded(numerator, denominator, mode), scale);
  }

  /** Rounds to `scale` digits after the point; never adds digits. @throws RangeError when `scale` is negative */
  round(scale: number, mode: Rounding): Decimal {
    requireScale(scale);
    if (this.scale <= scale) return this;
    return new Decimal(divideRounded(this.unscaled, 10n ** BigInt(this.scale - scale), mode), scale);
  }

  compare(other: Decimal): -1 | 0 | 1 {
    const scale = Math.max(this.scale, other.scale);
    const left = this.#at(scale);
    const right = other.#at(scale);
    return left < right ? -1 : left > right ? 1 : 0;
  }

  equals(other: Decimal): boolean {
    return this.compare(other) === 0;
  }

  isZero(): boolean {
    return this.unscaled === 0n;
  }

  isNegative(): boolean {
    return this.unscaled < 0n;
  }

  isInteger(): boolean {
    return this.#trimmed().scale === 0;
  }

  /** @throws RangeError unless this is an integer */
  toBigInt(): bigint {
    const { unscaled, scale } = this.#trimmed();
    if (scale !== 0) throw new RangeError(`${this.toString()} is not an integer`);
    return unscaled;
  }

  /** Plain notation, no trailing zeros: "-0.05", "12". */
  toString(): string {
    const { unscaled, scale } = this.#trimmed();
    return format(unscaled, scale);
  }

  /** Plain notation with exactly `scale` digits after the point, rounded half away from zero when needed. */
  toFixed(scale: number): string {
    const rounded = this.round(scale, "half-away");
    return format(rounded.#at(scale), scale);
  }

  toJSON(): string {
    return this.toString();
  }

  #at(scale: number): bigint {
    return scale === this.scale ? this.unscaled : this.unscaled * 10n ** BigInt(scale - this.scale);
  }

  #trimmed(): Decimal {
    if (this.scale === 0) return this;
    if (this.unscaled === 0n) return Decimal.zero;
    let { unscaled, scale } = this;
    while (scale > 0 && unscaled % 10n === 0n) {
      unscaled /= 10n;
      scale -= 1;
    }
    return scale === this.scale ? this : new Decimal(unscaled, scale);
  }
}

function requireScale(scale: number): void {
  if (!Number.isInteger(scale) || scale < 0)
    throw new RangeError(`a scale is a whole number from 0, not ${scale}`);
}

function format(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? "-" : "";
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  const point = digits.length - scale;
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

function divideRounded(numerator: bigint, denominator: bigint, mode: Rounding): bigint {
  const quotient = numerator / denominator;
  const remainder = numerator % denominator;
  if (remainder === 0n) return quotient;
  const negative = numerator < 0n !== denominator < 0n;
  const away = quotient + (negative ? -1n : 1n);
  const twice = 2n * (remainder < 0n ? -remainder : remainder);
  const size = denominator < 0n ? -denominator : denominator;
  switch (mode) {
    case "down":
      return quotient;
    case "up":
      return away;
    case "floor":
      return negative ? away : quotient;
    case "ceil":
      return negative ? quotient : away;
    case "half-away":
      return twice >= size ? away : quotient;
    case "half-even":
      return twice > size || (twice === size && quotient % 2n !== 0n) ? away : quotient;
  }
}
