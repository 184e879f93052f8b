import {
  describeDifferences,
  findDifferences,
  given,
  kindOf,
  MappingReader,
  type CatalogFaults,
} from "../catalog/core/index.js";
import type { CatalogSection, PlannedChange } from "../catalog/index.js";
import type { Instant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import { draftTaxRate } from "./check-tax.js";
import { standard_category, type OwnTaxRate } from "./core/index.js";
import { selectTaxRates, type StoredTaxRate } from "./store/tax-rates.js";
import { tax_rates_max, writeTaxRate, writeTaxRateEnd } from "./write-tax-rate.js";

type WrittenRate = Omit<OwnTaxRate, "id">;

/** A rate of a file, and where it stands in the section: "[2]". */
interface LocatedRate {
  readonly place: string;
  readonly rate: WrittenRate;
}

/**
 * `taxRates` of catalog.yaml: an organization's own rates. A rate is known by its place, category and first day; one that
 * is there never changes but by its one ending, and what the file does not name stays.
 */
export const taxRatesSection: CatalogSection<readonly LocatedRate[]> = {
  name: "taxRates",

  read(value, faults) {
    if (!Array.isArray(value)) {
      faults.add("", `must be a list, not ${kindOf(value)}`);
      return [];
    }
    const first = new Map<string, string>();
    return value.flatMap((item: unknown, index): LocatedRate[] => {
      const place = `[${index}]`;
      const rate = readRate(item, faults.inside(place));
      if (rate === undefined) return [];
      const key = keyOf(rate);
      const before = first.get(key);
      if (before === undefined) {
        first.set(key, place);
        return [{ place, rate }];
      }
      faults.inside(place).add("", `"${key}" is there twice: ${faults.at}${before} is it too`);
      return [];
    });
  },

  async plan(sql, written, { organization, at, faults }) {
    const stored = await selectTaxRates(sql, organization);
    const byKey = new Map(stored.map((rate) => [keyOf(rate), rate]));
    const changes = written.flatMap(({ place, rate }): PlannedChange[] => {
      const before = byKey.get(keyOf(rate));
      return before === undefined ? [planNew(rate, at)] : planKnown(before, rate, at, faults.inside(place));
    });
    const added = changes.filter(({ change }) => change.action === "create").length;
    if (stored.length + added > tax_rates_max)
      faults.add(
        "",
        `at most ${tax_rates_max} rates, ended ones included: there are ${stored.length}, and ${added} are new`,
      );
    return changes;
  },

  async export(sql, organization) {
    const rates = await selectTaxRates(sql, organization);
    if (rates.length === 0) return undefined;
    // By key, so that two exports of the same rates are the same text.
    return rates.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1)).map(writeRate);
  },
};

/** "CA-ON:books:2026-01-01": there is one rate of a place and category that begins on a day. */
function keyOf({ country, region, category, validFrom }: WrittenRate): string {
  const place = region === undefined ? country : `${country}-${region}`;
  return `${place}:${category}:${validFrom}`;
}

/** Undefined, with its faults, for what cannot be stored. */
function readRate(value: unknown, faults: CatalogFaults): WrittenRate | undefined {
  const before = faults.found.length;
  const reader = MappingReader.of(value, faults);
  if (reader === undefined) return undefined;
  const country = reader.requiredText("country", "where it is charged, such as DE");
  const name = reader.requiredText("name", "as it is printed, such as VAT");
  const treatment = reader.oneOf("treatment", ["taxed", "exempt"]);
  const percent =
    treatment === "exempt" ? (reader.text("percent") ?? "0") : reader.requiredText("percent", "19 is 19 %");
  const validFrom = reader.requiredText("validFrom", "its first day, such as 2026-01-01");
  const optional = given({
    region: reader.text("region"),
    category: reader.text("category"),
    treatment,
    inclusive: reader.flag("inclusive"),
    note: reader.text("note"),
    validTo: reader.text("validTo"),
  });
  reader.end();
  const drafted = draftTaxRate({ country, name, percent, validFrom, ...optional });
  for (const { field, message } of drafted.faults) faults.add(field, message);
  return faults.found.length > before ? undefined : drafted.rate;
}

/** What goes without saying left out. */
function writeRate(rate: WrittenRate): Record<string, JsonValue> {
  const { country, region, category, name, percent, treatment, inclusive, note, validFrom, validTo } = rate;
  return {
    country,
    ...(region === undefined ? {} : { region }),
    ...(category === standard_category ? {} : { category }),
    name,
    ...(treatment === "exempt" ? { treatment } : { percent: percent.toString() }),
    ...(inclusive === undefined ? {} : { inclusive }),
    ...(note === undefined ? {} : { note }),
    validFrom,
    ...(validTo === undefined ? {} : { validTo }),
  };
}

function planNew(rate: WrittenRate, at: Instant): PlannedChange {
  return {
    change: { section: taxRatesSection.name, key: keyOf(rate), action: "create", differences: [] },
    write: async (sql, caller) => {
      const id = await writeTaxRate(sql, caller, rate, at);
      if (rate.validTo !== undefined) await writeTaxRateEnd(sql, caller, { id, lastDay: rate.validTo }, at);
    },
  };
}

function planKnown(
  before: StoredTaxRate,
  rate: WrittenRate,
  at: Instant,
  faults: CatalogFaults,
): PlannedChange[] {
  const { validTo: lastDay } = rate;
  const change = { section: taxRatesSection.name, key: keyOf(rate) };
  const open = { validTo: undefined };
  const other = findDifferences(writeRate({ ...before, ...open }), writeRate({ ...rate, ...open }));
  if (other.length > 0) {
    faults.add(
      "",
      `a rate never changes, and this one differs (${describeDifferences(other)}): let the new one begin on another day, from which it takes this one's place`,
    );
    return [];
  }
  if (before.validTo !== undefined && before.validTo !== lastDay) {
    faults.add(
      lastDay === undefined ? "" : "validTo",
      `it ended on ${before.validTo}, once and for all: say validTo: ${before.validTo}, and add a rate for the time after it`,
    );
    return [];
  }
  if (lastDay === undefined || lastDay === before.validTo)
    return [{ change: { ...change, action: "none", differences: [] } }];
  return [
    {
      change: {
        ...change,
        action: "change",
        differences: findDifferences(writeRate(before), writeRate(rate)),
      },
      write: async (sql, caller) => {
        await writeTaxRateEnd(sql, caller, { id: before.id, lastDay }, at);
      },
    },
  ];
}
