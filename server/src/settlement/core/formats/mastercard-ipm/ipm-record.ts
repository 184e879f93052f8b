import { calendarDate, digits, startOf } from "../../date-text.js";
import { masked } from "../../masked.js";
import { readNumericCurrency, rescale } from "../../numeric-currency.js";
import type { RecordKind, RecordReferences, SettlementRecord } from "../../settlement-record.js";
import { exponentOf } from "../../../../kernel/currency.js";
import { hour, minute, second, type Instant } from "../../../../kernel/instant.js";
import type { LocalDate } from "../../../../kernel/local-date.js";
import type { Money } from "../../../../kernel/money.js";
import { data_elements, pds_elements } from "./data-elements.js";
import { pdsName, type IpmMessage } from "./ipm-message.js";

/** What the file says that its messages need. */
export interface FileFacts {
  /** PDS0105: two messages with one number in two files are two. */
  readonly id: string | undefined;
  /** The institution that the file is for, which is what "we" means in it. */
  readonly institution: string | undefined;
  readonly date: LocalDate | undefined;
}

interface Meaning {
  readonly kind: RecordKind;
  /** Whether it is to our credit. */
  readonly credit: boolean;
  readonly reversal?: true;
}

const presentments: Readonly<Record<string, Meaning>> = {
  "200": { kind: "charge", credit: true },
  // Second presentments, full and partial: a chargeback is answered.
  "205": { kind: "chargeback_reversal", credit: true },
  "282": { kind: "chargeback_reversal", credit: true },
};

// First and arbitration chargebacks, full and partial.
const chargebacks = new Set(["450", "451", "453", "454"]);

// DE3: what the cardholder gets back. 20 refund, 28 payment.
const cardholder_credits = new Set(["20", "28"]);
// DE3 of fee collections: to the credit, or the debit, of the message's originator.
const fee_to_originator = "19";
const fee_from_originator = "29";

/** The types that move money. */
export const monetary_types = new Set(["1240", "1442", "1740"]);

/** Whether a presentment gives money to the cardholder. */
export function isCardholderCredit(message: IpmMessage): boolean {
  return cardholder_credits.has((message.element(3) ?? "").slice(0, 2));
}

/** PDS0025: the message takes back one that was sent before. */
export function isReversal(message: IpmMessage): boolean {
  return message.pds(25)?.startsWith("R") === true;
}

/** Whether a message's function is one of those that are read; the others' records are of the kind "other". */
export function isKnownFunction(message: IpmMessage): boolean {
  switch (message.type) {
    case "1240":
      return Object.hasOwn(presentments, message.function);
    case "1442":
      return chargebacks.has(message.function);
    default:
      return /^7\d\d$/.test(message.function);
  }
}

function meaningOf(message: IpmMessage, file: FileFacts): Meaning {
  const known = isKnownFunction(message);
  const back = isReversal(message);
  const toCardholder = isCardholderCredit(message);
  switch (message.type) {
    case "1240": {
      const meaning = presentments[message.function];
      if (!known || meaning === undefined) return { kind: "other", credit: !toCardholder !== back };
      const kind = toCardholder && meaning.kind === "charge" ? "refund" : meaning.kind;
      const credit = toCardholder ? !meaning.credit : meaning.credit;
      return back ? { kind, credit: !credit, reversal: true } : { kind, credit };
    }
    case "1442":
      // A refund that is charged back comes back to us.
      if (!known) return { kind: "other", credit: toCardholder !== back };
      return back
        ? { kind: "chargeback_reversal", credit: !toCardholder, reversal: true }
        : { kind: "chargeback", credit: toCardholder };
    default: {
      const direction = (message.element(3) ?? "").slice(0, 2);
      if (direction !== fee_to_originator && direction !== fee_from_originator) {
        throw message.refuse(
          "DE3",
          "a fee's processing code begins with neither 19 nor 29, so nobody can tell who pays it",
        );
      }
      const ours = file.institution !== undefined && sameInstitution(message.element(94), file.institution);
      const credit = (direction === fee_to_originator) === ours;
      return back ? { kind: "fee", credit: !credit, reversal: true } : { kind: "fee", credit };
    }
  }
}

function sameInstitution(one: string | undefined, other: string): boolean {
  return one !== undefined && one.replace(/^0+/, "") === other.replace(/^0+/, "");
}

/** The record of a message that moves money. @throws FileRefused naming the element that is missing or wrong */
export function recordOf(message: IpmMessage, file: FileFacts): SettlementRecord {
  const exponents = exponentsOf(message);
  const amount = moneyOf(message, 4, 49, exponents);
  if (amount === undefined) throw message.refuse("DE4", "a message that moves money has no amount");
  const reconciled = moneyOf(message, 5, 50, exponents);
  const { kind, credit, reversal } = meaningOf(message, file);
  const sign = ({ currency, minor }: Money): Money => ({ currency, minor: credit ? minor : -minor });
  const number = message.element(2);
  const valueDate = settlementDateOf(message);
  return {
    position: { record: message.number, byte: message.byte },
    key: keyOf(message, file),
    kind,
    gross: sign(amount),
    ...(reconciled === undefined || reconciled.currency === amount.currency
      ? {}
      : { settled: sign(reconciled) }),
    at: timeOf(message, file),
    ...(valueDate === undefined ? {} : { valueDate }),
    ...(file.institution === undefined ? {} : { account: file.institution }),
    references: referencesOf(message, file),
    ...(reversal === undefined ? {} : { reversal }),
    ...(number === undefined
      ? {}
      : { card: { last4: number.slice(-4), ...(/^\d+$/.test(number) ? { number } : {}) } }),
    original: originalOf(message),
  };
}

/** PDS0148: currencies of the message and how many digits their amounts have after the point, "8402" for two of USD. */
function exponentsOf(message: IpmMessage): ReadonlyMap<string, number> {
  const text = message.pds(148);
  const exponents = new Map<string, number>();
  if (text === undefined) return exponents;
  if (text.length % 4 !== 0 || !/^\d+$/.test(text)) {
    throw message.refuse("PDS0148", "it is no list of currencies with three digits and exponents with one");
  }
  for (let at = 0; at < text.length; at += 4)
    exponents.set(text.slice(at, at + 3), digits(text, at + 3, at + 4));
  return exponents;
}

function moneyOf(
  message: IpmMessage,
  amountElement: number,
  currencyElement: number,
  exponents: ReadonlyMap<string, number>,
): Money | undefined {
  const amount = message.element(amountElement);
  const code = message.element(currencyElement);
  if (amount === undefined) return undefined;
  if (code === undefined) {
    // A reconciliation amount that has no currency says nothing.
    if (amountElement === 5) return undefined;
    throw message.refuse(`DE${currencyElement}`, `DE${amountElement} has no currency`);
  }
  const currency = readNumericCurrency(code);
  if (!currency.ok)
    throw message.refuse(`DE${currencyElement}`, currency.error.detail, currency.error.advice);
  // Twelve digits are exact as a number.
  const given = BigInt(Number(amount));
  const minor = rescale(given, exponents.get(code) ?? exponentOf(currency.value), currency.value);
  if (!minor.ok) throw message.refuse(`DE${amountElement}`, minor.error.detail, minor.error.advice);
  return { currency: currency.value, minor: minor.value };
}

/** DE12, YYMMDDhhmmss at the place of the transaction, as if in UTC; fees have DE73 or the file's date. */
function timeOf(message: IpmMessage, file: FileFacts): Instant {
  const time = message.element(12);
  if (time !== undefined) {
    const date = shortDate(time);
    const [hours, minutes, seconds] = [digits(time, 6, 8), digits(time, 8, 10), digits(time, 10, 12)];
    if (date === undefined || hours > 23 || minutes > 59 || seconds > 59) {
      throw message.refuse("DE12", `${JSON.stringify(time)} is no date and time`);
    }
    return (startOf(date) + hours * hour + minutes * minute + seconds * second) as Instant;
  }
  const action = message.element(73);
  if (action !== undefined) {
    const date = shortDate(action);
    if (date === undefined) throw message.refuse("DE73", `${JSON.stringify(action)} is no date`);
    return startOf(date);
  }
  if (file.date === undefined) throw message.refuse("DE12", "neither the message nor the file has a date");
  return startOf(file.date);
}

/** YYMMDD, of this century. */
export function shortDate(text: string): LocalDate | undefined {
  return calendarDate(2000 + digits(text, 0, 2), digits(text, 2, 4), digits(text, 4, 6));
}

// PDS0159: agent 11, its account 28, level 1, service 10, rate class 1, reconciliation date 6 and cycle 2, then the settlement date.
const settlement_date_from = 59;

function settlementDateOf(message: IpmMessage): LocalDate | undefined {
  const text = message.pds(159);
  return text === undefined || text.length < settlement_date_from + 6
    ? undefined
    : shortDate(text.slice(settlement_date_from, settlement_date_from + 6));
}

/** The acquirer reference, its amount and what is done with it name a movement; a fee has a control number of its originator. */
function keyOf(message: IpmMessage, file: FileFacts): string {
  const { type, function: code } = message;
  const head = `mastercard:${type}/${code}${isReversal(message) ? ":R" : ""}`;
  const arn = message.element(31);
  const amount = `${message.element(4) ?? ""}:${message.element(49) ?? ""}`;
  if (type !== "1740" && arn !== undefined)
    return `${head}:${arn}:${amount}:${message.element(95)?.trim() ?? ""}`;
  const control = message.pds(137)?.trim();
  if (control !== undefined && control !== "")
    return `${head}:${message.element(94) ?? ""}:${control}:${amount}`;
  if (file.id !== undefined) return `${head}:${file.id}:${message.element(71) ?? message.number}`;
  const rest = [12, 33, 37, 71, 93, 94].map((element) => message.element(element)?.trim() ?? "");
  return `${head}:${amount}:${rest.join(":")}`;
}

function referencesOf(message: IpmMessage, file: FileFacts): RecordReferences {
  const references: Record<string, string> = {};
  const set = (name: keyof RecordReferences, value: string | undefined) => {
    const trimmed = value?.trim();
    if (trimmed !== undefined && trimmed !== "") references[name] = trimmed;
  };
  const arn = message.element(31);
  if (arn !== undefined && !/^\d{23}$/.test(arn)) {
    throw message.refuse(
      "DE31",
      "the acquirer reference is not 23 digits",
      "Import the file as the scheme made it",
    );
  }
  set("arn", arn);
  // The life cycle's trace id; a chargeback's own reference is its issuer's, which what answers it repeats.
  const answers = presentments[message.function]?.kind === "chargeback_reversal" && message.type === "1240";
  const issuers = message.type === "1442" || answers ? message.element(95) : undefined;
  set("provider", message.type === "1442" ? issuers : (issuers ?? message.element(63)));
  set("payment", message.element(63));
  set("merchant", message.element(37));
  set("batch", file.id);
  return references;
}

/** Everything but chip data, the data record, and what the subelements say anyway. */
const not_shown = new Set([...pds_elements, 55, 72]);

function originalOf(message: IpmMessage): Record<string, string> {
  const original: Record<string, string> = { MTI: message.type };
  const card = message.element(2);
  const whole = card !== undefined && card.length >= 12 ? card : undefined;
  const show = (value: string) =>
    whole !== undefined && value.includes(whole) ? value.replaceAll(whole, masked(whole)) : value;
  for (const element of message.present) {
    const name = data_elements[element]?.name;
    const value = message.element(element);
    if (name === undefined || value === undefined || not_shown.has(element)) continue;
    original[name] = element === 2 ? masked(value) : show(value);
  }
  for (const [number, value] of message.subelements()) original[pdsName(number)] = show(value);
  return original;
}
