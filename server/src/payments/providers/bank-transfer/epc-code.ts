import { exponentOf } from "../../../kernel/currency.js";
import { toDecimal, type Money } from "../../../kernel/money.js";

export interface CodedTransfer {
  readonly holder: string;
  readonly iban: string;
  readonly bic: string | undefined;
  readonly amount: Money;
  readonly reference: { readonly kind: "structured" | "text"; readonly value: string };
}

const amount_max = 99_999_999_999n;
const bytes_max = 331;
const name_length_max = 70;

/**
 * The text of a QR code that banking apps read as a SEPA credit transfer (EPC069-12, version 002, UTF-8): its lines are service
 * tag, version, character set, identification, BIC, name, IBAN, amount, purpose, structured reference, text. Undefined for what it
 * cannot say: another currency than euros, nothing to pay, an amount of a thousand million and more.
 */
export function epcCodeOf(transfer: CodedTransfer): string | undefined {
  const { amount, reference, holder, iban, bic } = transfer;
  if (amount.currency !== "EUR" || amount.minor <= 0n || amount.minor > amount_max) return undefined;
  const isStructured = reference.kind === "structured";
  const lines = [
    "BCD",
    "002",
    "1",
    "SCT",
    bic ?? "",
    oneLine(holder).slice(0, name_length_max),
    iban,
    `EUR${toDecimal(amount).toFixed(exponentOf(amount.currency))}`,
    "",
    isStructured ? reference.value : "",
    ...(isStructured ? [] : [oneLine(reference.value)]),
  ];
  const text = lines.join("\n");
  return Buffer.byteLength(text) <= bytes_max ? text : undefined;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
