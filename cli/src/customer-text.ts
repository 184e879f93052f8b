import type { CliContext } from "./context.js";
import { printFields, printJson } from "./print.js";

export interface Customer {
  readonly id: string;
  readonly key: string;
  readonly name: string;
  readonly timeZone: string;
  readonly currency: string | null;
  readonly email: string | null;
  readonly address: Readonly<Record<string, string | null>> | null;
  readonly taxId: string | null;
  readonly taxExempt: string;
  readonly paymentTermsDays: number;
  readonly locale: string | null;
  readonly payer: { readonly key: string } | null;
  readonly erasedAt: string | null;
  readonly subjects: readonly {
    readonly subject: string;
    readonly from: string;
    readonly to: string | null;
  }[];
}

export const customerSelection =
  "{ id key name timeZone currency email address { line1 line2 city postalCode region country } taxId taxExempt paymentTermsDays locale payer { key } erasedAt subjects { subject from to } }";

export function openSubjects(customer: Customer): string[] {
  return customer.subjects.filter(({ to }) => to === null).map(({ subject }) => subject);
}

export function printCustomer(context: CliContext, customer: Customer): void {
  if (context.json) return printJson(context, customer);
  const address = Object.values(customer.address ?? {}).filter((line) => line !== null);
  printFields(context, [
    ["key", customer.key],
    ["id", customer.id],
    ["name", customer.name],
    ["time zone", customer.timeZone],
    ["currency", customer.currency],
    ["email", customer.email],
    ["address", address.join(", ")],
    ["tax id", customer.taxId],
    ["tax", customer.taxExempt === "NONE" ? "" : customer.taxExempt.toLowerCase()],
    ["pays within", `${customer.paymentTermsDays} days`],
    ["locale", customer.locale],
    ["payer", customer.payer?.key],
    ["erased", customer.erasedAt],
    ...customer.subjects.map(
      ({ subject, from, to }) =>
        ["subject", `${subject} from ${from}${to === null ? "" : ` to ${to}`}`] as const,
    ),
  ]);
}
