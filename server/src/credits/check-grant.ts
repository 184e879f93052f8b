import { parseCurrency, type Currency } from "../kernel/currency.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { minorOfText } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { priority_default, priority_max, type CreditGrant, type CreditKind } from "./core/index.js";

/** What a caller gives to grant credits. */
export interface NewGrant {
  /** Id or key. */
  readonly customer: string;
  readonly kind: CreditKind;
  /** In major units: "100.00". */
  readonly amount: string;
  /** The customer's when left out. */
  readonly currency?: string;
  /** 0 to 1000, the lowest is used first; 100 when left out. */
  readonly priority?: number;
  /** Now when left out. */
  readonly effectiveFrom?: Instant;
  /** Never when left out. */
  readonly expiresAt?: Instant;
  readonly note?: string;
}

const note_length_max = 512;

/** @throws Refusal 400 listing every fault by field */
export function checkGrant(
  input: NewGrant,
  customer: Pick<CreditGrant, "customer"> & { readonly currency: Currency | undefined },
  now: Instant,
): Omit<CreditGrant, "id" | "remaining" | "createdAt"> {
  const errors: { field: string; message: string }[] = [];
  const fault = (field: string, message: string) => void errors.push({ field, message });
  const currency = input.currency === undefined ? customer.currency : parseCurrency(input.currency);
  if (currency === undefined) {
    fault(
      "currency",
      input.currency === undefined
        ? "the customer has none, so name one"
        : `"${input.currency.slice(0, 16)}" is not an ISO 4217 code such as "USD"`,
    );
  } else if (customer.currency !== undefined && customer.currency !== currency) {
    fault("currency", `the customer is billed in ${customer.currency} only`);
  }
  const amount = currency === undefined ? 1n : amountOf(input.amount, currency);
  if (typeof amount === "string") fault("amount", amount);
  const priority = input.priority ?? priority_default;
  if (!Number.isInteger(priority) || priority < 0 || priority > priority_max) {
    fault("priority", `a whole number from 0 to ${priority_max}`);
  }
  const effectiveFrom = input.effectiveFrom ?? now;
  if (input.expiresAt !== undefined && input.expiresAt <= effectiveFrom) {
    fault("expiresAt", `must be after ${formatInstant(effectiveFrom)}, where the grant begins`);
  } else if (input.expiresAt !== undefined && input.expiresAt <= now) {
    fault("expiresAt", `must be in the future; it is ${formatInstant(now)}`);
  }
  if (input.note !== undefined && (input.note.length === 0 || input.note.length > note_length_max)) {
    fault("note", `1 to ${note_length_max} characters`);
  }
  if (errors.length > 0 || currency === undefined || typeof amount === "string") {
    const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
    throw new Refusal(
      makeProblem("invalid-credit-grant", 400, "The credit grant is not valid", detail, { errors }),
    );
  }
  const { kind, expiresAt, note } = input;
  return { customer: customer.customer, kind, currency, amount, priority, effectiveFrom, expiresAt, note };
}

/** Whole minor units above zero, or what is wrong. */
function amountOf(text: string, currency: Currency): bigint | string {
  const minor = minorOfText(text, currency);
  return typeof minor === "bigint" && minor <= 0n ? "must be above zero" : minor;
}
