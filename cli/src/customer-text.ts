import type { Customer } from "@weir/sdk";
import type { CliContext } from "./context.js";
import { printFields, printJson } from "./print.js";

export function openSubjects(customer: Customer): string[] {
  return customer.subjects.filter(({ to }) => to === null).map(({ subject }) => subject);
}

export function printCustomer(context: CliContext, customer: Customer): void {
  if (context.json) return printJson(context, customer);
  const address = Object.values(customer.address ?? {}).filter(
    (line): line is string => typeof line === "string",
  );
  printFields(context, [
    ["key", customer.key],
    ["id", customer.id],
    ["name", customer.name],
    ["time zone", customer.timeZone],
    ["currency", customer.currency],
    ["email", customer.email],
    ["address", address.join(", ")],
    ["tax id", customer.taxId],
    ["tax", customer.taxExempt === "none" ? "" : customer.taxExempt],
    ["pays within", `${customer.paymentTermsDays} days`],
    ["locale", customer.locale],
    ["electronic address", customer.electronicAddress],
    ["registration number", customer.registrationNumber],
    ["buyer reference", customer.buyerReference],
    ["payer", customer.payer?.key],
    ["erased", customer.erasedAt],
    ...customer.subjects.map(
      ({ subject, from, to }) =>
        ["subject", `${subject} from ${from}${to === null ? "" : ` to ${to}`}`] as const,
    ),
  ]);
}
