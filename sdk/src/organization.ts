import type { GraphQL } from "./graphql.js";

/** What invoices say about the seller. */
export interface BillingProfile {
  readonly legalName: string;
  readonly line1: string | null;
  readonly line2: string | null;
  readonly city: string | null;
  readonly postalCode: string | null;
  readonly region: string | null;
  /** ISO 3166-1 alpha-2 */
  readonly country: string | null;
  readonly taxId: string | null;
  readonly email: string | null;
  /** Printed as it is, lines kept. */
  readonly bankDetails: string | null;
  /** In a register of companies: HRB 12345. */
  readonly registrationNumber: string | null;
  /** Where e-invoices come from, with the scheme of the code list EAS: "9930:DE123456789". */
  readonly electronicAddress: string | null;
  readonly contactName: string | null;
  readonly phone: string | null;
  readonly iban: string | null;
  readonly bic: string | null;
  /** In which the days of issue and payment are written; the customer's when null. */
  readonly timeZone: string | null;
}

/** The profile is replaced as a whole: what is left out is empty. */
export interface NewBillingProfile {
  readonly legalName: string;
  readonly line1?: string;
  readonly line2?: string;
  readonly city?: string;
  readonly postalCode?: string;
  readonly region?: string;
  readonly country?: string;
  readonly taxId?: string;
  readonly email?: string;
  readonly bankDetails?: string;
  readonly registrationNumber?: string;
  readonly electronicAddress?: string;
  readonly contactName?: string;
  readonly phone?: string;
  readonly iban?: string;
  readonly bic?: string;
  readonly timeZone?: string;
}

const optional = [
  "line1",
  "line2",
  "city",
  "postalCode",
  "region",
  "country",
  "taxId",
  "email",
  "bankDetails",
  "registrationNumber",
  "electronicAddress",
  "contactName",
  "phone",
  "iban",
  "bic",
  "timeZone",
] as const;
const selection = `{ legalName ${optional.join(" ")} }`;

/** The organization of the key in use. */
export class Organization {
  readonly #graphql: GraphQL;

  constructor(graphql: GraphQL) {
    this.#graphql = graphql;
  }

  /** null until it is set: invoices then name the organization and nothing more. */
  async billingProfile(): Promise<BillingProfile | null> {
    const answer = await this.#graphql.run<{ organization: { billingProfile: BillingProfile | null } }>(
      `{ organization { billingProfile ${selection} } }`,
    );
    return answer.organization.billingProfile;
  }

  setBillingProfile(
    profile: NewBillingProfile,
    options: { idempotencyKey?: string } = {},
  ): Promise<BillingProfile> {
    return this.#graphql.mutate(
      "setBillingProfile",
      {
        legalName: ["String!", profile.legalName],
        ...Object.fromEntries(optional.map((field) => [field, ["String", profile[field]] as const])),
      },
      selection,
      options,
    );
  }
}
