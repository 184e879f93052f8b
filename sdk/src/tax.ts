import { nodesOf, pageInfo } from "./connection.js";
import type { GraphQL } from "./graphql.js";

export interface TaxRegistration {
  /** ISO 3166; EU is the One Stop Shop. */
  readonly country: string;
  readonly taxId?: string | null;
  /** First day, YYYY-MM-DD. */
  readonly from?: string | null;
  /** Last day. */
  readonly to?: string | null;
}

export interface TaxSettings {
  readonly country: string;
  readonly region: string | null;
  readonly pricesIncludeTax: boolean;
  readonly builtInRates: boolean;
  readonly registrations: readonly TaxRegistration[];
}

/** The settings are replaced as a whole: what is left out takes its default. */
export interface NewTaxSettings {
  readonly country: string;
  readonly region?: string;
  readonly pricesIncludeTax?: boolean;
  readonly builtInRates?: boolean;
  readonly registrations?: readonly TaxRegistration[];
}

/** A rate of the organization's own; it never changes. */
export interface TaxRate {
  readonly id: string;
  readonly country: string;
  readonly region: string | null;
  readonly category: string;
  readonly name: string;
  /** "19" is 19 %. */
  readonly percent: string;
  readonly treatment: "taxed" | "exempt";
  readonly inclusive: boolean | null;
  readonly note: string | null;
  /** First day, YYYY-MM-DD. */
  readonly validFrom: string;
  /** Last day; null while open. */
  readonly validTo: string | null;
  readonly createdAt: string;
}

export interface NewTaxRate {
  readonly country: string;
  readonly region?: string;
  /** "standard" when left out. */
  readonly category?: string;
  readonly name: string;
  readonly percent: string;
  readonly treatment?: "taxed" | "exempt";
  readonly inclusive?: boolean;
  readonly note?: string;
  readonly validFrom: string;
}

export interface TaxBuyer {
  readonly country?: string;
  readonly region?: string;
  readonly taxId?: string;
  readonly taxExempt?: "none" | "exempt" | "reverse_charge";
  readonly timeZone?: string;
}

/** What a buyer would be charged for a category. */
export interface AppliedTaxRate {
  readonly category: string;
  readonly key: string;
  readonly name: string;
  readonly percent: string;
  readonly inclusive: boolean;
  readonly treatment: "taxed" | "exempt" | "reverse_charge" | "not_collected";
  readonly note: string | null;
  readonly notice: string | null;
}

const settingsSelection =
  "{ country region pricesIncludeTax builtInRates registrations { country taxId from to } }";
const rateSelection =
  "{ id country region category name percent treatment inclusive note validFrom validTo createdAt }";

/** How the organization taxes what it sells. */
export class Tax {
  readonly #graphql: GraphQL;

  constructor(graphql: GraphQL) {
    this.#graphql = graphql;
  }

  /** null until they are set: then no tax is charged. */
  async settings(): Promise<TaxSettings | null> {
    const answer = await this.#graphql.run<{ taxSettings: TaxSettings | null }>(
      `{ taxSettings ${settingsSelection} }`,
    );
    return answer.taxSettings;
  }

  setSettings(settings: NewTaxSettings, options: { idempotencyKey?: string } = {}): Promise<TaxSettings> {
    return this.#graphql.mutate(
      "setTaxSettings",
      {
        country: ["String!", settings.country],
        region: ["String", settings.region],
        pricesIncludeTax: ["Boolean", settings.pricesIncludeTax],
        builtInRates: ["Boolean", settings.builtInRates],
        registrations: ["[TaxRegistrationInput!]", settings.registrations],
      },
      settingsSelection,
      options,
    );
  }

  /** The organization's own rates, oldest first, page by page. */
  rates(filter: { country?: string } = {}): AsyncGenerator<TaxRate, void, void> {
    return nodesOf(
      this.#graphql,
      `query ($country: String, $after: String) { connection: taxRates(first: 200, after: $after, country: $country) { nodes ${rateSelection} ${pageInfo} } }`,
      { country: filter.country ?? null },
    );
  }

  /** From its first day on it takes the place of an earlier one of its country, region and category. */
  addRate(rate: NewTaxRate, options: { idempotencyKey?: string } = {}): Promise<TaxRate> {
    return this.#graphql.mutate(
      "addTaxRate",
      {
        country: ["String!", rate.country],
        region: ["String", rate.region],
        category: ["String", rate.category],
        name: ["String!", rate.name],
        percent: ["Decimal!", rate.percent],
        treatment: ["OwnTaxTreatment", rate.treatment],
        inclusive: ["Boolean", rate.inclusive],
        note: ["String", rate.note],
        validFrom: ["String!", rate.validFrom],
      },
      rateSelection,
      options,
    );
  }

  endRate(
    rate: { rate: string; lastDay: string },
    options: { idempotencyKey?: string } = {},
  ): Promise<TaxRate> {
    return this.#graphql.mutate(
      "endTaxRate",
      { rate: ["ID!", rate.rate], lastDay: ["String!", rate.lastDay] },
      rateSelection,
      options,
    );
  }

  /** Which rate a buyer would be charged, and why none when there is none. */
  async ratesFor(
    buyer: TaxBuyer,
    options: { categories?: readonly string[]; at?: string } = {},
  ): Promise<AppliedTaxRate[]> {
    const { taxFor } = await this.#graphql.run<{ taxFor: AppliedTaxRate[] }>(
      `query ($buyer: TaxBuyerInput!, $categories: [String!], $at: Instant) {
        taxFor(buyer: $buyer, categories: $categories, at: $at) { category key name percent inclusive treatment note notice } }`,
      { buyer, categories: options.categories ?? ["standard"], at: options.at ?? null },
    );
    return taxFor;
  }
}
