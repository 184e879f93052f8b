import { Decimal } from "../../kernel/decimal.js";

/** A standard rate that Weir brings along. */
export interface StandardRate {
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** ISO 3166-2 without the country, where a part of the country has a rate of its own. */
  readonly region: string | undefined;
  readonly name: string;
  readonly percent: Decimal;
  /** The first local day, as YYYY-MM-DD; until the country's next one. */
  readonly validFrom: string;
}

/** Nothing is known of the time before: an invoice for an earlier day needs rates of the organization's own. */
export const standard_rates_from = "2024-01-01";

/** When this table was last compared with its sources. */
export const standard_rates_as_of = "2026-01-01";

/*
 * Standard rates in force on 2024-01-01 and what changed them since, as of 2026-01-01. Sources:
 * - EU: European Commission, "Taxes in Europe" database (TEDB), VAT rates. Changes since 2024: Finland 25.5 % from
 *   2024-09-01, Slovakia 23 % from 2025-01-01, Estonia 24 % from 2025-07-01, Romania 21 % from 2025-08-01.
 *   Not the regions with other rates (Azores, Madeira, Canary Islands, Corsica, Jungholz and Mittelberg, …).
 * - GB: gov.uk, "VAT rates". CH: Federal Tax Administration, 8.1 % from 2024-01-01. NO: Skatteetaten, 25 %.
 * - AU: ATO, GST 10 %. NZ: Inland Revenue, GST 15 %. JP: National Tax Agency, 10 %. SG: IRAS, 9 % from 2024-01-01.
 * - IN: CBIC, GST 18 % (the rate of services such as software and hosting; other slabs need rates of one's own).
 * - CA: CRA, GST 5 % and HST by province; Nova Scotia 14 % from 2025-04-01. Without the sales taxes that Québec,
 *   British Columbia, Saskatchewan and Manitoba levy beside it.
 */
const table = `
AT VAT 20   BE VAT 21   BG VAT 20   CY VAT 19   CZ VAT 21   DE VAT 19   DK VAT 25
EE VAT 22   EE VAT 24 2025-07-01    ES VAT 21   FI VAT 24   FI VAT 25.5 2024-09-01
FR VAT 20   GR VAT 24   HR VAT 25   HU VAT 27   IE VAT 23   IT VAT 22   LT VAT 21   LU VAT 17
LV VAT 21   MT VAT 18   NL VAT 21   PL VAT 23   PT VAT 23   RO VAT 19   RO VAT 21 2025-08-01
SE VAT 25   SI VAT 22   SK VAT 20   SK VAT 23 2025-01-01
GB VAT 20   CH VAT 8.1  NO VAT 25   AU GST 10   NZ GST 15   IN GST 18   JP JCT 10   SG GST 9
CA GST 5    CA-ON HST 13  CA-NB HST 15  CA-NL HST 15  CA-PE HST 15  CA-NS HST 15  CA-NS HST 14 2025-04-01
`;

export const standardRates: readonly StandardRate[] = [
  ...table.matchAll(/([A-Z]{2})(?:-([A-Z]{2}))? ([A-Z]{3}) ([\d.]+)(?: (\d{4}-\d\d-\d\d))?/g),
].map(([, country = "", region, name = "", percent = "", validFrom = standard_rates_from]) => ({
  country,
  region,
  name,
  percent: Decimal.of(percent),
  validFrom,
}));

/** The standard rate of a country, or of its part when that has one, on a local day (YYYY-MM-DD). */
export function standardRateOn(
  country: string,
  region: string | undefined,
  day: string,
): StandardRate | undefined {
  const inForce = (of: string | undefined) =>
    standardRates.findLast((rate) => rate.country === country && rate.region === of && rate.validFrom <= day);
  return (region === undefined ? undefined : inForce(region)) ?? inForce(undefined);
}
