import type { BillingProfile } from "../identity/index.js";
import type { DocumentSeller } from "./invoice-document.js";

/** The seller as its billing profile says; without one, the organization's name and nothing more. */
export function sellerOf(profile: BillingProfile | undefined, organizationName: string): DocumentSeller {
  if (profile === undefined) return { name: organizationName };
  const { legalName, line1, line2, city, postalCode, region, country, ...rest } = profile;
  return { name: legalName, address: { line1, line2, city, postalCode, region, country }, ...rest };
}
