import { Temporal } from "temporal-polyfill";
import { Decimal } from "../kernel/decimal.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import {
  checkTaxId,
  standard_category,
  type OwnTaxRate,
  type TaxRegistration,
  type TaxSettings,
} from "./core/index.js";

/** What a caller gives for the settings; what is left out takes its default. */
export interface NewTaxSettings {
  /** ISO 3166-1 alpha-2: where the organization is established. */
  readonly country: string;
  /** ISO 3166-2 without the country, where parts of it have rates of their own. */
  readonly region?: string;
  /** false when left out */
  readonly pricesIncludeTax?: boolean;
  /** true when left out */
  readonly builtInRates?: boolean;
  readonly registrations?: readonly {
    readonly country: string;
    readonly taxId?: string;
    readonly from?: string;
    readonly to?: string;
  }[];
}

/** What a caller gives to add a rate. */
export interface NewTaxRate {
  readonly country: string;
  readonly region?: string;
  /** "standard" when left out */
  readonly category?: string;
  /** As printed: "VAT". */
  readonly name: string;
  /** "19" is 19 %. */
  readonly percent: string;
  /** taxed when left out; exempt has 0 % */
  readonly treatment?: "taxed" | "exempt";
  readonly inclusive?: boolean;
  readonly note?: string;
  /** YYYY-MM-DD */
  readonly validFrom: string;
}

/** Member states, and what a company may be registered in besides. */
const registrations_max = 100;
const countries = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" });

/** @throws Refusal 400 listing every fault by field */
export function checkTaxSettings(input: NewTaxSettings): TaxSettings {
  const faults = new Faults();
  const { pricesIncludeTax = false, builtInRates = true, registrations = [] } = input;
  const country = checkCountry(faults, "country", input.country);
  const region = checkRegion(faults, "region", input.region);
  if (registrations.length > registrations_max)
    faults.add("registrations", `at most ${registrations_max}, not ${registrations.length}`);
  const checked = registrations.slice(0, registrations_max).map((each, index): TaxRegistration => {
    const at = `registrations[${index}]`;
    const where =
      each.country.toUpperCase() === "EU" ? "EU" : checkCountry(faults, `${at}.country`, each.country);
    const { from, to } = each;
    if (from !== undefined) checkDay(faults, `${at}.from`, from);
    if (to !== undefined) checkDay(faults, `${at}.to`, to);
    if (from !== undefined && to !== undefined && to < from)
      faults.add(`${at}.to`, `must not be before ${from}`);
    let taxId: string | undefined;
    if (each.taxId !== undefined && each.taxId !== "") {
      const result = checkTaxId(where === "EU" ? undefined : where, each.taxId);
      if (result.ok) taxId = result.value;
      else faults.add(`${at}.taxId`, result.fault);
    }
    return { country: where, taxId, from, to };
  });
  refuseFaults(faults.found, "invalid-tax-settings", "The tax settings are not valid");
  return { country, region, pricesIncludeTax, builtInRates, registrations: checked };
}

/** @throws Refusal 400 listing every fault by field */
export function checkTaxRate(input: NewTaxRate): Omit<OwnTaxRate, "id"> {
  const { rate, faults } = draftTaxRate(input);
  refuseFaults(faults, "invalid-tax-rate", "The tax rate is not valid");
  return rate;
}

/** A rate as it would be stored, and everything that is wrong with it: only one without faults is to be stored. */
export function draftTaxRate(input: NewTaxRate & { readonly validTo?: string }): {
  readonly rate: Omit<OwnTaxRate, "id">;
  readonly faults: readonly TaxFault[];
} {
  const faults = new Faults();
  const {
    category = standard_category,
    name,
    treatment = "taxed",
    inclusive,
    note,
    validFrom,
    validTo,
  } = input;
  const country = checkCountry(faults, "country", input.country);
  const region = checkRegion(faults, "region", input.region);
  if (!/^[a-z0-9]+([_-][a-z0-9]+)*$/.test(category) || category.length > 64)
    faults.add("category", 'lower case letters and digits joined by "-" or "_", at most 64');
  if (name.length === 0 || name.length > 64) faults.add("name", "1 to 64 characters");
  if (note !== undefined && (note.length === 0 || note.length > 512))
    faults.add("note", "1 to 512 characters");
  const percent = Decimal.parse(input.percent)?.round(200, "down");
  if (percent === undefined || percent.isNegative() || percent.compare(Decimal.of(100)) > 0) {
    faults.add("percent", `"${input.percent.slice(0, 40)}" is not a number from 0 to 100 such as "19"`);
  } else if (!percent.equals(percent.round(6, "down"))) {
    faults.add("percent", "at most 6 digits after the point");
  } else if (treatment === "exempt" && !percent.isZero()) {
    faults.add("percent", "an exempt rate has 0 %");
  }
  checkDay(faults, "validFrom", validFrom);
  if (validTo !== undefined) checkLastDay(faults, "validTo", validTo, validFrom);
  const rate = {
    country,
    region,
    category,
    name,
    percent: percent ?? Decimal.zero,
    treatment,
    inclusive,
    note,
    validFrom,
    validTo,
  };
  return { rate, faults: faults.found };
}

/** @throws Refusal 400 unless it is a day of the calendar, not before the rate's first */
export function checkEnd(day: string, rate: OwnTaxRate): void {
  const faults = new Faults();
  checkLastDay(faults, "lastDay", day, rate.validFrom);
  refuseFaults(faults.found, "invalid-tax-rate", "The tax rate cannot end then");
}

function checkLastDay(faults: Faults, field: string, day: string, validFrom: string): void {
  checkDay(faults, field, day);
  if (day < validFrom) faults.add(field, `the rate begins on ${validFrom}: it ends then or later`);
}

/** Upper case, or as it was given with a fault. */
function checkCountry(faults: Faults, field: string, text: string): string {
  const code = text.toUpperCase();
  const known =
    /^[A-Z]{2}$/.test(code) && !["EU", "UK", "EL", "ZZ"].includes(code) && countries.of(code) !== undefined;
  if (!known) {
    const hint = { UK: "; the United Kingdom is GB", EL: "; Greece is GR" }[code] ?? "";
    faults.add(field, `"${text.slice(0, 40)}" is not an ISO 3166 code such as "DE"${hint}`);
  }
  return code;
}

function checkRegion(faults: Faults, field: string, text: string | undefined): string | undefined {
  const code = text?.toUpperCase();
  if (code !== undefined && !/^[A-Z0-9]{1,3}$/.test(code)) {
    faults.add(
      field,
      `"${text?.slice(0, 40)}" is not the part of an ISO 3166-2 code after the country, such as "ON"`,
    );
  }
  return code;
}

function checkDay(faults: Faults, field: string, text: string): void {
  if (isDay(text)) return;
  faults.add(field, `"${text.slice(0, 40)}" is not a day such as 2026-01-31, from 1970 to 2199`);
}

function isDay(text: string): boolean {
  if (!/^(19[7-9]|2[01]\d)\d-\d\d-\d\d$/.test(text)) return false;
  try {
    Temporal.PlainDate.from(text, { overflow: "reject" });
    return true;
  } catch {
    return false;
  }
}

/** One thing that is wrong with what a caller gave. */
export interface TaxFault {
  readonly field: string;
  readonly message: string;
}

class Faults {
  readonly found: TaxFault[] = [];

  add(field: string, message: string): void {
    this.found.push({ field, message });
  }
}

/** @throws Refusal 400 when there is any fault */
function refuseFaults(errors: readonly TaxFault[], slug: string, title: string): void {
  if (errors.length === 0) return;
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  throw new Refusal(makeProblem(slug, 400, title, detail, { errors }));
}
