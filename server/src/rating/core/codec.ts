import { Decimal } from "../../kernel/decimal.js";
import type { JsonValue } from "../../kernel/json.js";

/** What a value looks like in JSON: decimals as text, and what is undefined left out. */
export type JsonOf<T> = T extends Decimal
  ? string
  : T extends string | number | boolean
    ? T
    : T extends readonly (infer E)[]
      ? readonly JsonOf<E>[]
      : Simplify<
          { readonly [K in keyof T as undefined extends T[K] ? never : K]: JsonOf<T[K]> } & {
            readonly [K in keyof T as undefined extends T[K] ? K : never]?: JsonOf<NonNullable<T[K]>>;
          }
        >;
type Simplify<T> = { [K in keyof T]: T[K] };

/** Writes a value as JSON and reads it back, to the digit. */
export interface Codec<T> {
  toJson(value: T): JsonValue | undefined;
  /**
   * @param at  where in the document the JSON stands, for the message: "model.tiers[2]"
   * @throws RangeError naming the place, when the JSON is not what `toJson` writes
   */
  fromJson(json: unknown, at: string): T;
}

/** JSON that `toJson` did not write: where, what stands there otherwise, and which fields there are if it has another. */
export class CodecFault extends RangeError {
  override readonly name = "CodecFault";
  readonly at: string;
  readonly expected: string;
  readonly known: readonly string[] | undefined;

  constructor(at: string, expected: string, known?: readonly string[]) {
    super(`${at === "" ? "it" : at} must be ${expected}`);
    this.at = at;
    this.expected = expected;
    this.known = known;
  }
}

/** Canonical text: 1.50 is written as "1.5", which is the same number. */
export const decimal: Codec<Decimal> = {
  toJson: (value) => value.toString(),
  fromJson(json, at) {
    const value = typeof json === "string" ? (Decimal.parse(json) ?? longDecimal(json)) : undefined;
    return value ?? refuse(at, "a decimal number as text");
  },
};

/** Exact amounts may have more digits than numbers that people give: 10^24 units with 18 decimals by a per of 2^30. */
function longDecimal(text: string): Decimal | undefined {
  const [, sign, whole = "", fraction = ""] =
    text.length > 400 ? [] : (/^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? []);
  if (sign === undefined) return undefined;
  return Decimal.fromUnscaled(BigInt(`${sign}${whole}${fraction}`), fraction.length);
}

export const text: Codec<string> = {
  toJson: (value) => value,
  fromJson: (json, at) => (typeof json === "string" ? json : refuse(at, "text")),
};

export const flag: Codec<boolean> = {
  toJson: (value) => value,
  fromJson: (json, at) => (typeof json === "boolean" ? json : refuse(at, "true or false")),
};

/** A whole number that a double holds exactly. */
export const count: Codec<number> = {
  toJson: (value) => value,
  fromJson: (json, at) => (Number.isSafeInteger(json) ? (json as number) : refuse(at, "a whole number")),
};

export function literal<const T extends string>(...allowed: readonly T[]): Codec<T> {
  return {
    toJson: (value) => value,
    fromJson: (json, at) => allowed.find((one) => one === json) ?? refuse(at, allowed.join(" or ")),
  };
}

export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  return {
    toJson: (value) => (value === undefined ? undefined : codec.toJson(value)),
    fromJson: (json, at) => (json === undefined ? undefined : codec.fromJson(json, at)),
  };
}

/** A value that is written always, and may be left out by whoever writes by hand. */
export function defaulted<T>(codec: Codec<T>, value: T): Codec<T> {
  return {
    toJson: (given) => codec.toJson(given),
    fromJson: (json, at) => (json === undefined ? value : codec.fromJson(json, at)),
  };
}

export function list<T>(codec: Codec<T>): Codec<readonly T[]> {
  return {
    toJson: (values) => values.map((value) => codec.toJson(value) ?? null),
    fromJson: (json, at) =>
      Array.isArray(json)
        ? json.map((item, index) => codec.fromJson(item, `${at}[${index}]`))
        : refuse(at, "a list"),
  };
}

/** Keys and values that are text, such as dimensions. */
export const texts: Codec<Readonly<Record<string, string>>> = {
  toJson: (value) => ({ ...value }),
  fromJson: (json, at) =>
    Object.fromEntries(
      Object.entries(object(json, at)).map(([key, item]) => [key, text.fromJson(item, `${at}.${key}`)]),
    ),
};

/** An object with exactly these fields; one that it does not know is refused. */
export function record<T extends object>(fields: { readonly [K in keyof T]-?: Codec<T[K]> }): Codec<T> {
  const entries = Object.entries(fields) as [string, Codec<unknown>][];
  return {
    toJson(value) {
      const json: Record<string, JsonValue> = {};
      for (const [key, codec] of entries) {
        const item = codec.toJson((value as Record<string, unknown>)[key]);
        if (item !== undefined) json[key] = item;
      }
      return json;
    },
    fromJson(json, at) {
      const given = object(json, at);
      const unknown = Object.keys(given).find((key) => !Object.hasOwn(fields, key));
      if (unknown !== undefined)
        return refuse(join(at, unknown), "left out: there is no such field", Object.keys(fields));
      return Object.fromEntries(
        entries.map(([key, codec]) => [key, codec.fromJson(given[key], join(at, key))]),
      ) as T;
    },
  };
}

/** One of several records, told apart by `kind`. */
export function union<T extends { readonly kind: string }>(members: {
  readonly [K in T["kind"]]: Codec<Extract<T, { kind: K }>>;
}): Codec<T> {
  const byKind = members as Readonly<Record<string, Codec<T>>>;
  const codecOf = (kind: unknown, at: string) =>
    typeof kind === "string" && Object.hasOwn(byKind, kind)
      ? (byKind[kind] as Codec<T>)
      : refuse(join(at, "kind"), Object.keys(byKind).join(" or "));
  return {
    toJson: (value) => codecOf(value.kind, "").toJson(value),
    fromJson: (json, at) => codecOf(object(json, at)["kind"], at).fromJson(json, at),
  };
}

function object(json: unknown, at: string): Record<string, unknown> {
  const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
  return isObject ? (json as Record<string, unknown>) : refuse(at, "an object");
}

function join(at: string, key: string): string {
  return at === "" ? key : `${at}.${key}`;
}

function refuse(at: string, expected: string, known?: readonly string[]): never {
  throw new CodecFault(at, expected, known);
}
