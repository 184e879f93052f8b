import { randomUUID } from "node:crypto";
import type { Command } from "commander";
import type { BillingProfile, NewBillingProfile } from "@weir/sdk";
import type { CliContext } from "../context.js";
import { contextOf, UsageError } from "../context.js";
import { readTextOrFile } from "../options.js";
import { printFields, printJson } from "../print.js";

type ProfileOptions = Omit<NewBillingProfile, "legalName"> & { readonly name?: string };

export function addOrganizationCommands(program: Command): void {
  const organization = program.command("organization").description("the organization of your key");

  organization
    .command("billing-profile")
    .description("show what invoices say about the seller, or with --name set it, as a whole")
    .option("--name <name>", "the legal name")
    .option("--line1 <text>", "street and number")
    .option("--line2 <text>")
    .option("--city <city>")
    .option("--postal-code <code>")
    .option("--region <region>", "state or province, where addresses have one")
    .option("--country <code>", "ISO 3166, such as DE")
    .option("--tax-id <id>")
    .option("--email <address>")
    .option("--bank-details <text>", "where to pay, printed as it is; @FILE reads a file")
    .option("--registration-number <text>", "in a register of companies, such as 'HRB 12345'")
    .option("--electronic-address <address>", "where e-invoices come from, such as 9930:DE123456789")
    .option("--contact-name <name>", "whom to ask")
    .option("--phone <number>")
    .option("--iban <iban>", "the account that invoices are paid to")
    .option("--bic <bic>")
    .option("--time-zone <zone>", "of the days of issue and payment; the customer's when left out")
    .action(async ({ name, bankDetails, ...rest }: ProfileOptions, command: Command) => {
      const context = contextOf(command);
      if (name === undefined) {
        if (bankDetails !== undefined || Object.keys(rest).length > 0)
          throw new UsageError("give --name as well: the profile is replaced as a whole");
        return printProfile(context, await context.weir.organization.billingProfile());
      }
      const profile = await context.weir.organization.setBillingProfile(
        {
          legalName: name,
          ...rest,
          ...(bankDetails === undefined
            ? {}
            : { bankDetails: readTextOrFile("--bank-details", bankDetails).trimEnd() }),
        },
        { idempotencyKey: randomUUID() },
      );
      printProfile(context, profile);
    });
}

function printProfile(context: CliContext, profile: BillingProfile | null): void {
  if (context.json) return printJson(context, profile);
  if (profile === null) {
    context.out.write(
      "No billing profile: invoices name the organization and nothing more. Set one: weir organization billing-profile --name …\n",
    );
    return;
  }
  const { legalName, line1, line2, city, postalCode, region, country, taxId, email, bankDetails } = profile;
  const { registrationNumber, electronicAddress, contactName, phone, iban, bic, timeZone } = profile;
  printFields(context, [
    ["name", legalName],
    ["address", line1],
    ["", line2],
    ["postal code", postalCode],
    ["city", city],
    ["region", region],
    ["country", country],
    ["tax id", taxId],
    ["registration number", registrationNumber],
    ["email", email],
    ["contact", contactName],
    ["phone", phone],
    ["electronic address", electronicAddress],
    ["time zone", timeZone],
    ["IBAN", iban],
    ["BIC", bic],
    ...(bankDetails ?? "").split("\n").map((line, index) => [index === 0 ? "bank" : "", line] as const),
  ]);
}
