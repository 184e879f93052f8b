import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { checkTaxRate, checkTaxSettings, type NewTaxRate, type NewTaxSettings } from "./check-tax.js";
import {
  decideRates,
  type BuyerInTime,
  type TaxRate,
  type TaxSettings,
  type TaxTable,
} from "./core/index.js";
import { countTaxRates, listTaxRates, selectTaxRates, type StoredTaxRate } from "./store/tax-rates.js";
import { selectTaxSettings, upsertTaxSettings } from "./store/tax-settings.js";
import { mustLockRate, tax_rates_max, writeTaxRate, writeTaxRateEnd } from "./write-tax-rate.js";

/** What billing asks of taxes. Reading twice gives the same, and changes nothing. */
export interface TaxPort {
  /** In a transaction of the organization: the rate of each category for a buyer; see `decideRates` for `at`. */
  ratesFor(
    sql: Sql,
    organization: OrganizationId,
    buyer: BuyerInTime,
    categories: readonly string[],
    at: Instant,
  ): Promise<ReadonlyMap<string, TaxRate>>;
  /** In a transaction of the organization: all that decides, for `decideRates` over many buyers. */
  tableOf(sql: Sql, organization: OrganizationId): Promise<TaxTable>;
}

export interface TaxesOptions {
  readonly postgres: Postgres;
  readonly clock: Clock;
}

/** An organization's tax settings and rates. Every change is audited. */
export class Taxes implements TaxPort {
  readonly #on: TaxesOptions;

  constructor(options: TaxesOptions) {
    this.#on = options;
  }

  async ratesFor(
    sql: Sql,
    organization: OrganizationId,
    buyer: BuyerInTime,
    categories: readonly string[],
    at: Instant,
  ): Promise<ReadonlyMap<string, TaxRate>> {
    return decideRates(await this.tableOf(sql, organization), buyer, categories, at);
  }

  async tableOf(sql: Sql, organization: OrganizationId): Promise<TaxTable> {
    const settings = await selectTaxSettings(sql, organization);
    return { settings, rates: await selectTaxRates(sql, organization) };
  }

  /** What a buyer would be charged, outside of any invoice. */
  async preview(
    organization: OrganizationId,
    buyer: BuyerInTime,
    categories: readonly string[],
    at: Instant = this.#on.clock.now(),
  ): Promise<ReadonlyMap<string, TaxRate>> {
    return this.#on.postgres.inOrganization(organization, (sql) =>
      this.ratesFor(sql, organization, buyer, categories, at),
    );
  }

  async settingsOf(organization: OrganizationId): Promise<TaxSettings | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => selectTaxSettings(sql, organization));
  }

  /** Replaces the settings as a whole; invoices that are finalized keep what they were taxed by. @throws Refusal 400 */
  async setSettings(caller: Caller, input: NewTaxSettings, idempotencyKey?: string): Promise<TaxSettings> {
    const { organization } = caller;
    const settings = checkTaxSettings(input);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "tax_settings.set", input };
      await runOnce(sql, request, async () => {
        const at = this.#on.clock.now();
        const before = await selectTaxSettings(sql, organization);
        await upsertTaxSettings(sql, organization, settings, at);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "tax_settings.set",
          target: organization,
          before,
          after: settings,
          at,
        });
        return organization;
      });
      return (await selectTaxSettings(sql, organization)) ?? settings;
    });
  }

  /** Oldest first, also those that were ended; of one country when named. */
  async listRates(
    organization: OrganizationId,
    page: { after?: string; limit: number; country?: string },
  ): Promise<StoredTaxRate[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listTaxRates(sql, page));
  }

  /**
   * Adds a rate; it takes the place of an earlier one of its country, region and category from its first day on.
   * @throws Refusal 400 listing every fault; 409 when another begins that day, or there are too many
   */
  async addRate(caller: Caller, input: NewTaxRate, idempotencyKey?: string): Promise<StoredTaxRate> {
    const { organization } = caller;
    const checked = checkTaxRate(input);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "tax_rate.add", input };
      const id = await runOnce(sql, request, async () => {
        const at = this.#on.clock.now();
        if ((await countTaxRates(sql)) >= tax_rates_max) throw tooManyRates();
        return writeTaxRate(sql, caller, checked, at);
      });
      return mustLockRate(sql, id);
    });
  }

  /**
   * Ends a rate with a last day, after which Weir's own table counts again, if it is in use. Ending it again with the same
   * day changes nothing.
   * @throws Refusal 404; 400 for a bad day; 409 when it has ended with another
   */
  async endRate(
    caller: Caller,
    input: { rate: string; lastDay: string },
    idempotencyKey?: string,
  ): Promise<StoredTaxRate> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "tax_rate.end", input };
      const id = await runOnce(sql, request, async () => {
        const at = this.#on.clock.now();
        const { rate, lastDay } = input;
        return writeTaxRateEnd(sql, caller, { id: rate, lastDay }, at);
      });
      return mustLockRate(sql, id);
    });
  }
}

function tooManyRates(): Refusal {
  const detail = `An organization has at most ${tax_rates_max} tax rates, ended ones included.`;
  return new Refusal(makeProblem("too-many-tax-rates", 409, "There are too many tax rates", detail));
}
