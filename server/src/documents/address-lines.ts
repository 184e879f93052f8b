import type { PostalAddress } from "./invoice-document.js";

/** Where the region belongs to the line of the city: "Austin, TX 78701". */
const regionInCityLine = new Set(["US", "CA", "AU", "IN", "MX", "BR"]);

/** An address line by line, the country's name in the reader's language; without what is empty. */
export function addressLines(address: PostalAddress | undefined, locale: string): string[] {
  if (address === undefined) return [];
  const { line1, line2, city, postalCode, region, country } = address;
  const cityLines =
    country !== undefined && regionInCityLine.has(country)
      ? [joined([joined([city, region], ", "), postalCode], " ")]
      : country === "GB" || country === "IE"
        ? [city, region, postalCode]
        : [joined([postalCode, city], " "), region];
  return [line1, line2, ...cityLines, countryName(country, locale)].filter(
    (line): line is string => line !== undefined && line !== "",
  );
}

function joined(parts: readonly (string | undefined)[], separator: string): string {
  return parts.filter((part) => part !== undefined && part !== "").join(separator);
}

function countryName(country: string | undefined, locale: string): string | undefined {
  if (country === undefined || !/^[A-Z]{2}$/.test(country)) return country;
  return new Intl.DisplayNames([locale, "en"], { type: "region" }).of(country);
}
