import { Decimal } from "../../kernel/decimal.js";
import type { TaxRateId } from "../../kernel/ids.js";
import { standard_rates_from, standardRateOn } from "./standard-rates.js";
import { checkTaxId, isInEuropeanUnion } from "./tax-id.js";
import type { TaxRate } from "./tax-rate.js";

/** A place where the seller is registered to collect tax, for local days from `from` on. */
export interface TaxRegistration {
  /** ISO 3166-1 alpha-2; "EU" is the One Stop Shop, for consumers in every member state. */
  readonly country: string;
  readonly taxId: string | undefined;
  /** YYYY-MM-DD; from ever when left out. */
  readonly from: string | undefined;
  /** The last day; still when left out. */
  readonly to: string | undefined;
}

/** How an organization taxes what it sells. */
export interface TaxSettings {
  /** Where it is established, and always registered. */
  readonly country: string;
  readonly region: string | undefined;
  /** What its prices mean, where a rate does not say otherwise. */
  readonly pricesIncludeTax: boolean;
  /** Whether Weir's own table is used where the organization has no rate. */
  readonly builtInRates: boolean;
  readonly registrations: readonly TaxRegistration[];
}

/** A rate of the organization's own, in force from a local day until a later one takes its place or it is ended. */
export interface OwnTaxRate {
  readonly id: TaxRateId;
  readonly country: string;
  readonly region: string | undefined;
  readonly category: string;
  readonly name: string;
  readonly percent: Decimal;
  readonly treatment: "taxed" | "exempt";
  /** The settings' when undefined. */
  readonly inclusive: boolean | undefined;
  readonly note: string | undefined;
  /** YYYY-MM-DD */
  readonly validFrom: string;
  /** The last day; open when undefined. */
  readonly validTo: string | undefined;
}

export type TaxExemption = "none" | "exempt" | "reverse_charge";

/** Who buys, as far as tax goes. */
export interface TaxBuyer {
  readonly country?: string | undefined;
  readonly region?: string | undefined;
  readonly postalCode?: string | undefined;
  readonly taxId?: string | undefined;
  readonly taxExempt?: TaxExemption | undefined;
}

export interface RateQuestion {
  readonly settings: TaxSettings | undefined;
  readonly rates: readonly OwnTaxRate[];
  readonly buyer: TaxBuyer;
  readonly category: string;
  /** YYYY-MM-DD, local to the buyer */
  readonly day: string;
}

export const standard_category = "standard";

/** The rate of a category for a buyer on a day: docs/guide/tax.md has the rules as a table. */
export function decideRate(question: RateQuestion): TaxRate {
  const { settings, buyer, day } = question;
  const inclusive = settings?.pricesIncludeTax ?? false;
  if (buyer.taxExempt === "exempt") return untaxed("exempt", "buyer", inclusive);
  if (buyer.taxExempt === "reverse_charge") return untaxed("reverse_charge", "buyer", inclusive);
  if (settings === undefined) {
    const notice = "No tax: the organization has no tax settings. Set them: weir tax settings --country DE";
    return { ...untaxed("not_collected", "no-settings", inclusive), notice };
  }
  const { country: home } = settings;
  const country = buyer.country ?? home;
  if (buyer.country === undefined) {
    const notice = `The customer has no country: taxed as if it were in ${home}.`;
    return withNotice(taxedIn(question, settings, home), notice);
  }
  if (country === home) return taxedIn(question, settings, home);

  const registered = (where: string) =>
    settings.registrations.some(
      (each) =>
        each.country === where &&
        (each.from === undefined || each.from <= day) &&
        (each.to === undefined || day <= each.to),
    );
  let notice: string | undefined;
  if (isInEuropeanUnion(country)) {
    const sellsWithin = isInEuropeanUnion(home) || registered("EU");
    if (buyer.taxId !== undefined && buyer.taxId !== "" && (sellsWithin || registered(country))) {
      const checked = checkTaxId(country, buyer.taxId);
      if (checked.ok) return untaxed("reverse_charge", country, inclusive);
      notice = `No reverse charge: ${checked.fault}.`;
    }
    if (registered(country) || registered("EU"))
      return withNotice(taxedIn(question, settings, country), notice);
    // Below the threshold of Article 59c a seller may tax consumers at home.
    if (isInEuropeanUnion(home)) {
      const origin = `Taxed at ${home}'s rate: there is no registration in ${country}, nor the One Stop Shop (EU).`;
      return withNotice(taxedIn(question, settings, home), joined(notice, origin));
    }
  }
  if (registered(country)) return taxedIn(question, settings, country);
  return withNotice(untaxed("exempt", "export", inclusive), notice);
}

/** The rate that is in force in a country: the organization's for the category, its standard one, then Weir's. */
function taxedIn(question: RateQuestion, settings: TaxSettings, country: string): TaxRate {
  const { rates, category, day, buyer } = question;
  const region =
    buyer.country === country ? buyer.region : country === settings.country ? settings.region : undefined;
  const inclusive = settings.pricesIncludeTax;
  for (const of of new Set([category, standard_category])) {
    const own = ownRateOn(rates, { country, region, category: of, day });
    if (own === undefined) continue;
    return { ...fromOwn(own, inclusive), ...(of === category ? {} : fallback(category, country)) };
  }
  const standard = settings.builtInRates ? standardRateOn(country, region, day) : undefined;
  if (standard === undefined) {
    const why = settings.builtInRates
      ? `Weir brings none for it on ${day}${day < standard_rates_from ? ` (its table begins on ${standard_rates_from})` : ""}`
      : "Weir's own table is switched off";
    const notice = `No tax: there is no rate for "${category}" in ${country}, and ${why}. Add one: weir tax rates add ${country} …`;
    return { ...untaxed("not_collected", `no-rate:${country}:${category}`, inclusive), notice };
  }
  const { name, percent } = standard;
  const place = standard.region === undefined ? country : `${country}-${standard.region}`;
  const rate: TaxRate = {
    key: `${place}:${standard_category}:${percent.toString()}`,
    name,
    percent,
    inclusive,
    treatment: "taxed",
  };
  return category === standard_category ? rate : { ...rate, ...fallback(category, country) };
}

function fallback(category: string, country: string): { notice: string } {
  return { notice: `"${category}" has no rate of its own in ${country}: the standard rate applies.` };
}

/** The latest that began; a region's before its country's. One that has ended is none. */
function ownRateOn(
  rates: readonly OwnTaxRate[],
  {
    country,
    region,
    category,
    day,
  }: { country: string; region: string | undefined; category: string; day: string },
): OwnTaxRate | undefined {
  const inForce = (of: string | undefined) => {
    let latest: OwnTaxRate | undefined;
    for (const rate of rates) {
      if (rate.country !== country || rate.region !== of || rate.category !== category) continue;
      if (rate.validFrom > day || (latest !== undefined && rate.validFrom < latest.validFrom)) continue;
      latest = rate;
    }
    return latest?.validTo !== undefined && latest.validTo < day ? undefined : latest;
  };
  return (region === undefined ? undefined : inForce(region)) ?? inForce(undefined);
}

function fromOwn(own: OwnTaxRate, pricesIncludeTax: boolean): TaxRate {
  const { id, name, percent, treatment, note, inclusive = pricesIncludeTax } = own;
  return { key: id, name, percent, inclusive, treatment, ...(note === undefined ? {} : { note }) };
}

function untaxed(
  treatment: Exclude<TaxRate["treatment"], "taxed">,
  why: string,
  inclusive: boolean,
): TaxRate {
  const name = { exempt: "Exempt", reverse_charge: "Reverse charge", not_collected: "No tax" }[treatment];
  return { key: `${treatment}:${why}`, name, percent: Decimal.zero, inclusive, treatment };
}

function withNotice(rate: TaxRate, notice: string | undefined): TaxRate {
  const all = joined(notice, rate.notice);
  return all === undefined ? rate : { ...rate, notice: all };
}

function joined(...notices: readonly (string | undefined)[]): string | undefined {
  const given = notices.filter((notice) => notice !== undefined);
  return given.length === 0 ? undefined : given.join(" ");
}
