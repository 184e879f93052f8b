/** An exact fraction over BigInt. Shares no code with the server's decimals: what is computed with it checks them. */
export class Fraction {
  static readonly zero = new Fraction(0n, 1n);
  static readonly one = new Fraction(1n, 1n);

  private constructor(
    readonly numerator: bigint,
    /** Above zero, and in lowest terms. */
    readonly denominator: bigint,
  ) {}

  /** Of a whole number, or of decimal text such as "-0.25". */
  static of(value: string | number | bigint): Fraction {
    const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(String(value));
    if (match === null) throw new Error(`"${value}" is no decimal number`);
    const [, sign = "", whole = "0", decimals = ""] = match;
    const unscaled = BigInt(whole + decimals);
    return Fraction.reduced(sign === "-" ? -unscaled : unscaled, 10n ** BigInt(decimals.length));
  }

  static sum(all: readonly Fraction[]): Fraction {
    return all.reduce((sum, one) => sum.plus(one), Fraction.zero);
  }

  static min(one: Fraction, other: Fraction): Fraction {
    return one.isBelow(other) ? one : other;
  }

  static max(one: Fraction, other: Fraction): Fraction {
    return one.isBelow(other) ? other : one;
  }

  private static reduced(numerator: bigint, denominator: bigint): Fraction {
    let [one, other] = [numerator < 0n ? -numerator : numerator, denominator];
    while (other !== 0n) [one, other] = [other, one % other];
    return new Fraction(numerator / one, denominator / one);
  }

  plus(other: Fraction): Fraction {
    const numerator = this.numerator * other.denominator + other.numerator * this.denominator;
    return Fraction.reduced(numerator, this.denominator * other.denominator);
  }

  minus(other: Fraction): Fraction {
    return this.plus(new Fraction(-other.numerator, other.denominator));
  }

  times(other: Fraction): Fraction {
    return Fraction.reduced(this.numerator * other.numerator, this.denominator * other.denominator);
  }

  over(other: Fraction): Fraction {
    const sign = other.numerator < 0n ? -1n : 1n;
    return Fraction.reduced(
      sign * this.numerator * other.denominator,
      sign * this.denominator * other.numerator,
    );
  }

  isBelow(other: Fraction): boolean {
    return this.numerator * other.denominator < other.numerator * this.denominator;
  }

  get isNegative(): boolean {
    return this.numerator < 0n;
  }

  get isZero(): boolean {
    return this.numerator === 0n;
  }

  equals(other: Fraction): boolean {
    return this.numerator === other.numerator && this.denominator === other.denominator;
  }

  floor(): bigint {
    const down = this.numerator / this.denominator;
    return this.numerator < 0n && down * this.denominator !== this.numerator ? down - 1n : down;
  }

  ceiling(): bigint {
    return -new Fraction(-this.numerator, this.denominator).floor();
  }

  /** To a whole number, half away from zero. */
  round(): bigint {
    const magnitude = this.numerator < 0n ? -this.numerator : this.numerator;
    const rounded = (2n * magnitude + this.denominator) / (2n * this.denominator);
    return this.numerator < 0n ? -rounded : rounded;
  }

  /** Rounded at so many decimals. */
  at(decimals: number, how: "floor" | "ceiling" | "round"): Fraction {
    const scale = 10n ** BigInt(decimals);
    return Fraction.reduced(this.times(Fraction.of(scale))[how](), scale);
  }

  /** For messages. */
  toString(): string {
    return this.denominator === 1n ? `${this.numerator}` : `${this.numerator}/${this.denominator}`;
  }
}
