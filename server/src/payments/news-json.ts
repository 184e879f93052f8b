import type { JsonValue } from "../kernel/json.js";
import type { Money } from "../kernel/money.js";
import type { AttemptNews } from "./attempts.js";
import type { AttemptInput } from "./core/index.js";

interface StoredNews {
  readonly input: AttemptInput;
  readonly captured: StoredMoney | null;
  readonly settled: {
    readonly ref: string;
    readonly gross: StoredMoney;
    readonly fee: StoredMoney;
    readonly rate: string | null;
  } | null;
}

interface StoredMoney {
  readonly currency: Money["currency"];
  readonly minor: string;
}

/** News as a run's step keeps it: amounts as text, so that no digit is lost. */
export function newsJson({ input, captured, settled }: AttemptNews): JsonValue {
  const stored: StoredNews = {
    input,
    captured: captured === undefined ? null : storedMoney(captured),
    settled:
      settled === undefined
        ? null
        : { ref: settled.ref, gross: storedMoney(settled.gross), fee: storedMoney(settled.fee), rate: settled.rate ?? null },
  };
  return JSON.parse(JSON.stringify(stored)) as JsonValue;
}

export function newsFromJson(value: JsonValue): AttemptNews {
  const { input, captured, settled } = value as unknown as StoredNews;
  return {
    input: withUndefined(input),
    captured: captured === null ? undefined : moneyOf(captured),
    settled:
      settled === null
        ? undefined
        : { ref: settled.ref, gross: moneyOf(settled.gross), fee: moneyOf(settled.fee), rate: settled.rate ?? undefined },
  };
}

/** JSON has left out what is undefined. */
function withUndefined(input: AttemptInput): AttemptInput {
  switch (input.kind) {
    case "requires_action":
      return { ...input, url: input.url };
    case "declined":
    case "canceled":
      return { ...input, ref: input.ref };
    default:
      return input;
  }
}

function storedMoney({ currency, minor }: Money): StoredMoney {
  return { currency, minor: minor.toString() };
}

function moneyOf({ currency, minor }: StoredMoney): Money {
  return { currency, minor: BigInt(minor) };
}
