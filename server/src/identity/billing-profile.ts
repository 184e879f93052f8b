import { recordAudit, runOnce } from "../audit/index.js";
import type { Sql } from "../engines/postgres/index.js";
import { formatElectronicAddress, parseElectronicAddress } from "../kernel/electronic-address.js";
import { parseBic, parseIban } from "../kernel/iban.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { parseTimeZone } from "../kernel/time-zone.js";
import type { Caller } from "./caller.js";
import { selectBillingProfile, upsertBillingProfile, type BillingProfile } from "./store/billing-profiles.js";

export type { BillingProfile } from "./store/billing-profiles.js";
/** In a transaction of the organization; undefined until it is set. */
export { selectBillingProfile as findBillingProfile } from "./store/billing-profiles.js";

/** What a caller gives for the profile; what is left out or empty is not printed. */
export type NewBillingProfile = { readonly legalName: string } & {
  readonly [Field in Exclude<keyof BillingProfile, "legalName">]?: string | undefined;
};

const lengths_max: Readonly<Record<keyof BillingProfile, number>> = {
  legalName: 256,
  line1: 256,
  line2: 256,
  city: 128,
  postalCode: 32,
  region: 128,
  country: 2,
  taxId: 64,
  email: 320,
  bankDetails: 1024,
  registrationNumber: 64,
  electronicAddress: 300,
  contactName: 128,
  phone: 64,
  iban: 64,
  bic: 11,
  timeZone: 64,
};
const bank_lines_max = 8;

/**
 * Replaces the profile as a whole, in a transaction of the organization.
 * @throws Refusal 400 listing every fault by field
 */
export async function setBillingProfile(
  sql: Sql,
  caller: Caller,
  input: NewBillingProfile,
  { at, idempotencyKey }: { at: Instant; idempotencyKey: string | undefined },
): Promise<BillingProfile> {
  const { organization } = caller;
  const after = checkBillingProfile(input);
  const request = { organization, idempotencyKey, action: "billing_profile.set", input };
  await runOnce(sql, request, async () => {
    const before = await selectBillingProfile(sql, organization);
    await upsertBillingProfile(sql, organization, after, at);
    await recordAudit(sql, {
      organization,
      actor: caller,
      action: "billing_profile.set",
      target: organization,
      before,
      after,
      at,
    });
    return organization;
  });
  return (await selectBillingProfile(sql, organization)) ?? after;
}

function checkBillingProfile(input: NewBillingProfile): BillingProfile {
  const errors: { field: string; message: string }[] = [];
  const textOf = (field: keyof BillingProfile): string | undefined => {
    const text = (input[field] ?? "").trim();
    const length_max = lengths_max[field];
    if (text.length > length_max) errors.push({ field, message: `at most ${length_max} characters` });
    // eslint-disable-next-line no-control-regex
    if ((field === "bankDetails" ? /[\u0000-\u0009\u000b-\u001f\u007f]/ : /[\u0000-\u001f\u007f]/).test(text))
      errors.push({ field, message: "no control characters" });
    return text === "" ? undefined : text;
  };
  const legalName = textOf("legalName");
  if (legalName === undefined) errors.push({ field: "legalName", message: "1 to 256 characters" });
  const country = textOf("country")?.toUpperCase();
  if (country !== undefined && !/^[A-Z]{2}$/.test(country))
    errors.push({ field: "country", message: 'an ISO 3166 code such as "DE"' });
  const email = textOf("email");
  if (email !== undefined && !/^[^@\s]+@[^@\s]+$/.test(email))
    errors.push({ field: "email", message: `"${email.slice(0, 320)}" is not an e-mail address` });
  const taxId = textOf("taxId");
  if (taxId !== undefined && taxId.length < 2) errors.push({ field: "taxId", message: "2 to 64 characters" });
  const bankDetails = textOf("bankDetails");
  if ((bankDetails?.split("\n").length ?? 0) > bank_lines_max)
    errors.push({ field: "bankDetails", message: `at most ${bank_lines_max} lines` });
  /** A text as it is stored, or a fault of its field. */
  const parsed = <T extends string>(
    field: keyof BillingProfile,
    parse: (text: string) => T | undefined,
    fault: string,
  ): T | undefined => {
    const text = textOf(field);
    const value = text === undefined ? undefined : parse(text);
    if (text !== undefined && value === undefined) errors.push({ field, message: fault });
    return value;
  };
  const electronic = textOf("electronicAddress");
  const electronicAddress = electronic === undefined ? undefined : parseElectronicAddress(electronic);
  if (electronicAddress?.ok === false)
    errors.push({ field: "electronicAddress", message: electronicAddress.fault });
  const profile = {
    legalName: legalName ?? "",
    line1: textOf("line1"),
    line2: textOf("line2"),
    city: textOf("city"),
    postalCode: textOf("postalCode"),
    region: textOf("region"),
    country,
    taxId,
    email,
    bankDetails,
    registrationNumber: textOf("registrationNumber"),
    electronicAddress:
      electronicAddress?.ok === true ? formatElectronicAddress(electronicAddress.value) : undefined,
    contactName: textOf("contactName"),
    phone: textOf("phone"),
    iban: parsed("iban", parseIban, "not an IBAN whose check digits fit"),
    bic: parsed("bic", parseBic, "8 or 11 characters, such as BYLADEM1001"),
    timeZone: parsed("timeZone", parseTimeZone, 'an IANA time zone such as "Europe/Berlin"'),
  };
  if (errors.length === 0) return profile;
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  throw new Refusal(
    makeProblem("invalid-billing-profile", 400, "The billing profile is not valid", detail, { errors }),
  );
}
