import { parseCurrency, type Currency } from "../kernel/currency.js";
import { minorOfText } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { TopUpRule } from "./core/index.js";

/** What a caller gives to have a customer's balance watched; amounts in major units: "100.00". */
export interface NewTopUpSettings {
  /** Id or key. */
  readonly customer: string;
  /** The customer's when left out. */
  readonly currency?: string;
  /** Topped up below it; with `amount`. */
  readonly threshold?: string;
  readonly amount?: string;
  /** Of automatic top-ups in a calendar month; no limit when left out. */
  readonly monthlyMax?: string;
  /** A payment method's id; the customer's default when left out. */
  readonly method?: string;
  /** The organization is told below it. */
  readonly lowAt?: string;
}

/** What a caller gives to charge a customer in advance. */
export interface NewTopUp {
  /** Id or key. */
  readonly customer: string;
  /** In major units: "100.00". */
  readonly amount: string;
  /** The customer's when left out. */
  readonly currency?: string;
  /** A payment method's id; the customer's default when left out. */
  readonly method?: string;
}

interface Fault {
  readonly field: string;
  readonly message: string;
}

/** @throws Refusal 400 listing every fault by field */
export function checkTopUpSettings(
  input: NewTopUpSettings,
  customers: Currency | undefined,
): { currency: Currency; lowAt: bigint | undefined; topUp: TopUpRule | undefined } {
  const faults: Fault[] = [];
  const currency = readCurrency(input.currency, customers, faults);
  const read = (field: "threshold" | "amount" | "monthlyMax" | "lowAt", min: 0n | 1n) =>
    input[field] === undefined ? undefined : readAmount(input[field], currency, { field, min }, faults);
  const threshold = read("threshold", 0n);
  const amount = read("amount", 1n);
  const monthlyMax = read("monthlyMax", 1n);
  const lowAt = read("lowAt", 0n);
  const isWanted = input.threshold !== undefined || input.amount !== undefined;
  if (isWanted && input.threshold === undefined)
    faults.push({ field: "threshold", message: "below what balance to top up" });
  if (isWanted && input.amount === undefined)
    faults.push({ field: "amount", message: "by how much to top up" });
  for (const field of ["monthlyMax", "method"] as const)
    if (!isWanted && input[field] !== undefined)
      faults.push({ field, message: "goes with a threshold and an amount" });
  if (!isWanted && input.lowAt === undefined)
    faults.push({ field: "threshold", message: "give a threshold and an amount, or lowAt, or all three" });
  if (amount !== undefined && monthlyMax !== undefined && monthlyMax < amount)
    faults.push({ field: "monthlyMax", message: "at least one top-up's amount" });
  if (faults.length > 0 || currency === undefined)
    throw invalid("invalid-top-up-settings", "The settings are not valid", faults);
  const topUp =
    threshold === undefined || amount === undefined ? undefined : { threshold, amount, monthlyMax };
  return { currency, lowAt, topUp };
}

/** @throws Refusal 400 listing every fault by field */
export function checkTopUp(
  input: NewTopUp,
  customers: Currency | undefined,
): { currency: Currency; amount: bigint } {
  const faults: Fault[] = [];
  const currency = readCurrency(input.currency, customers, faults);
  const amount = readAmount(input.amount, currency, { field: "amount", min: 1n }, faults);
  if (faults.length > 0 || currency === undefined || amount === undefined)
    throw invalid("invalid-top-up", "The top-up is not valid", faults);
  return { currency, amount };
}

function readCurrency(
  given: string | undefined,
  customers: Currency | undefined,
  faults: Fault[],
): Currency | undefined {
  const currency = given === undefined ? customers : parseCurrency(given);
  const fault = (message: string) => void faults.push({ field: "currency", message });
  if (currency === undefined && given === undefined) fault("the customer has none, so name one");
  else if (currency === undefined) fault(`"${given?.slice(0, 16)}" is not an ISO 4217 code such as "USD"`);
  else if (customers !== undefined && customers !== currency)
    fault(`the customer is billed in ${customers} only`);
  return currency;
}

/** Undefined where it has a fault, or cannot be told without its currency. */
function readAmount(
  text: string,
  currency: Currency | undefined,
  { field, min }: { readonly field: string; readonly min: 0n | 1n },
  faults: Fault[],
): bigint | undefined {
  if (currency === undefined) return undefined;
  const minor = minorOfText(text, currency);
  const message =
    typeof minor === "string"
      ? minor
      : minor >= min
        ? undefined
        : min === 0n
          ? "zero or more"
          : "must be above zero";
  if (message !== undefined) faults.push({ field, message });
  return typeof minor === "bigint" && message === undefined ? minor : undefined;
}

function invalid(slug: string, title: string, errors: readonly Fault[]): Refusal {
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  return new Refusal(makeProblem(slug, 400, title, detail, { errors }));
}
