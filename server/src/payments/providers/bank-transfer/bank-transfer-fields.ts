import { parseBic, parseIban } from "../../../kernel/iban.js";
import type { ProviderAccount, ProviderFields, ReceivingAccount } from "../../provider.js";

export const bankTransferFields: ProviderFields = {
  settings: [
    { name: "iban", description: "Where customers pay to: DE89 3704 0044 0532 0130 00", isRequired: true },
    { name: "bic", description: "Of the bank: COBADEFFXXX", isRequired: false },
    { name: "holder", description: "The account holder's name, as the bank has it", isRequired: true },
  ],
  secrets: [],
};

const holder_length_max = 70;

export function checkBankAccount({
  settings,
}: Pick<ProviderAccount, "settings">): { field: string; message: string }[] {
  const { iban = "", bic, holder = "" } = settings;
  const faults: { field: string; message: string }[] = [];
  if (parseIban(iban) === undefined)
    faults.push({
      field: "settings.iban",
      message: "is no IBAN: two letters, two check digits that fit, and the account",
    });
  if (bic !== undefined && parseBic(bic) === undefined)
    faults.push({ field: "settings.bic", message: "is no BIC: 8 or 11 letters and digits" });
  if (holder.trim() === "" || holder.length > holder_length_max)
    faults.push({ field: "settings.holder", message: `1 to ${holder_length_max} characters` });
  return faults;
}

/** As it was checked when the account was stored. */
export function bankAccountOf(settings: ProviderAccount["settings"]): ReceivingAccount {
  const { iban = "", bic, holder = "" } = settings;
  return { iban: parseIban(iban) ?? iban, bic: bic === undefined ? undefined : parseBic(bic), holder };
}
