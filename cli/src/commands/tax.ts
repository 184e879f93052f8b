import { type Command, Option } from "commander";
import type { AppliedTaxRate, NewTaxRate, NewTaxSettings, TaxBuyer, TaxRate, TaxSettings } from "@weir/sdk";
import { randomUUID } from "node:crypto";
import type { CliContext } from "../context.js";
import { contextOf, UsageError } from "../context.js";
import { collect, collectList, readCount } from "../options.js";
import { printFields, printJson, printTable } from "../print.js";

interface SettingsOptions {
  readonly country?: string;
  readonly region?: string;
  readonly pricesIncludeTax?: boolean;
  readonly builtInRates: boolean;
  readonly registration?: readonly string[];
}

interface RateOptions {
  readonly percent?: string;
  readonly exempt?: boolean;
  readonly name: string;
  readonly from: string;
  readonly region?: string;
  readonly category?: string;
  readonly includeTax?: "yes" | "no";
  readonly note?: string;
}

interface CheckOptions extends TaxBuyer {
  readonly exempt?: "exempt" | "reverse_charge";
  readonly category?: readonly string[];
}

export function addTaxCommands(program: Command): void {
  const tax = program.command("tax").description("which tax is charged to whom");

  tax
    .command("settings")
    .description("show how the organization taxes, or with --country set it, as a whole")
    .option("--country <code>", "where the organization is established, such as DE")
    .option("--region <code>", "the part of it, where parts have rates of their own, such as ON")
    .option("--prices-include-tax", "prices contain their tax; otherwise it is added")
    .option("--no-built-in-rates", "charge nothing where you have added no rate")
    .option(
      "--registration <text>",
      "COUNTRY[:TAX_ID[:FIRST_DAY[:LAST_DAY]]], EU for the One Stop Shop; may be repeated",
      collect,
    )
    .action(async ({ country, ...options }: SettingsOptions, command: Command) => {
      const context = contextOf(command);
      if (country === undefined) {
        const { region, pricesIncludeTax, builtInRates, registration } = options;
        if (region !== undefined || pricesIncludeTax === true || !builtInRates || registration !== undefined)
          throw new UsageError("give --country as well: the settings are replaced as a whole");
        return printSettings(context, await context.weir.tax.settings());
      }
      const settings: NewTaxSettings = {
        country,
        ...(options.region === undefined ? {} : { region: options.region }),
        pricesIncludeTax: options.pricesIncludeTax === true,
        builtInRates: options.builtInRates,
        registrations: (options.registration ?? []).map(readRegistration),
      };
      const idempotencyKey = randomUUID();
      printSettings(context, await context.weir.tax.setSettings(settings, { idempotencyKey }));
    });

  tax
    .command("check")
    .description("which rate a customer would be charged, and why")
    .option("--country <code>", "the customer's")
    .option("--region <code>")
    .option("--tax-id <id>")
    .addOption(
      new Option("--exempt <kind>", "as the customer is marked").choices(["exempt", "reverse_charge"]),
    )
    .option("--time-zone <zone>", "where the customer's days begin")
    .option("--category <categories>", "standard when left out: a,b", collectList)
    .action(async ({ exempt, category, ...buyer }: CheckOptions, command: Command) => {
      const context = contextOf(command);
      const rates = await context.weir.tax.ratesFor(
        { ...buyer, ...(exempt === undefined ? {} : { taxExempt: exempt }) },
        category === undefined ? {} : { categories: category },
      );
      printApplied(context, rates);
    });

  const rates = tax.command("rates").description("rates of your own, which come before Weir's table");

  rates
    .command("list")
    .description("your rates, or Weir's own table of standard rates")
    .option("--country <code>")
    .option("--built-in", "the table that Weir brings along")
    .option("--limit <count>", "at most this many", readCount, 100)
    .action(
      async (
        { country, builtIn, limit }: { country?: string; builtIn?: boolean; limit: number },
        command: Command,
      ) => {
        const context = contextOf(command);
        const filter = country === undefined ? {} : { country };
        if (builtIn === true) return listStandardRates(context, filter);
        const found: TaxRate[] = [];
        for await (const rate of context.weir.tax.rates(filter)) if (found.push(rate) >= limit) break;
        printRates(context, found);
      },
    );

  rates
    .command("add")
    .argument("<country>", "ISO 3166, such as DE")
    .description("charge another rate from a day on")
    .option("--percent <percent>", "19 is 19 %")
    .option("--exempt", "no tax on this category")
    .option("--name <name>", "as printed", "VAT")
    .requiredOption("--from <day>", "first day, such as 2026-01-01")
    .option("--region <code>", "only in this part of the country")
    .option("--category <category>", "of products; standard when left out")
    .addOption(
      new Option(
        "--include-tax <yes|no>",
        "whether prices contain it; as in the settings when left out",
      ).choices(["yes", "no"]),
    )
    .option("--note <text>", "to print on invoices")
    .action(async (country: string, options: RateOptions, command: Command) => {
      const context = contextOf(command);
      const { percent, exempt, name, from, region, category, includeTax, note } = options;
      if ((percent === undefined) !== (exempt === true)) throw new UsageError("give --percent, or --exempt");
      const rate: NewTaxRate = {
        country,
        name,
        percent: percent ?? "0",
        validFrom: from,
        ...(exempt === true ? { treatment: "exempt" as const } : {}),
        ...(region === undefined ? {} : { region }),
        ...(category === undefined ? {} : { category }),
        ...(includeTax === undefined ? {} : { inclusive: includeTax === "yes" }),
        ...(note === undefined ? {} : { note }),
      };
      printRates(context, [await context.weir.tax.addRate(rate, { idempotencyKey: randomUUID() })], "one");
    });

  rates
    .command("end")
    .argument("<rate>", "of weir tax rates list")
    .description("charge it for the last time on a day")
    .requiredOption("--last-day <day>", "such as 2026-12-31")
    .action(async (rate: string, { lastDay }: { lastDay: string }, command: Command) => {
      const context = contextOf(command);
      const ended = await context.weir.tax.endRate({ rate, lastDay }, { idempotencyKey: randomUUID() });
      printRates(context, [ended], "one");
    });
}

/** @throws UsageError */
function readRegistration(text: string): { country: string; taxId?: string; from?: string; to?: string } {
  const [country = "", taxId = "", from = "", to = "", ...more] = text.split(":");
  if (country === "" || more.length > 0)
    throw new UsageError(`--registration ${text}: write COUNTRY[:TAX_ID[:FIRST_DAY[:LAST_DAY]]]`);
  return {
    country,
    ...(taxId === "" ? {} : { taxId }),
    ...(from === "" ? {} : { from }),
    ...(to === "" ? {} : { to }),
  };
}

function printSettings(context: CliContext, settings: TaxSettings | null): void {
  if (context.json) return printJson(context, settings);
  if (settings === null) {
    context.out.write("No tax settings: no tax is charged. Set them: weir tax settings --country DE\n");
    return;
  }
  printFields(context, [
    ["country", placeOf(settings)],
    ["prices", settings.pricesIncludeTax ? "include tax" : "tax is added"],
    ["Weir's rates", settings.builtInRates ? "used where you have none" : "not used"],
    ...settings.registrations.map(
      ({ country, taxId, from, to }) =>
        [
          "registered",
          [country, taxId, from == null ? "" : `from ${from}`, to == null ? "" : `to ${to}`]
            .filter((part) => part != null && part !== "")
            .join(" "),
        ] as const,
    ),
  ]);
}

function printApplied(context: CliContext, rates: readonly AppliedTaxRate[]): void {
  if (context.json) return printJson(context, rates);
  printTable(
    context,
    ["CATEGORY", "RATE", "PERCENT", "TREATMENT", "PRICES"],
    rates.map(({ category, name, percent, treatment, inclusive }) => [
      category,
      name,
      percent,
      treatment.replaceAll("_", " "),
      inclusive ? "include tax" : "tax is added",
    ]),
    "No categories.",
  );
  for (const notice of new Set(rates.map((rate) => rate.notice)))
    if (notice !== null) context.err.write(`${notice}\n`);
}

async function listStandardRates(context: CliContext, filter: { country?: string }): Promise<void> {
  const { standardTaxRates } = await context.weir.graphql.run<{
    standardTaxRates: {
      country: string;
      region: string | null;
      name: string;
      percent: string;
      validFrom: string;
    }[];
  }>(
    "query ($country: String) { standardTaxRates(country: $country) { country region name percent validFrom } }",
    filter,
  );
  if (context.json) return printJson(context, standardTaxRates);
  printTable(
    context,
    ["COUNTRY", "NAME", "PERCENT", "FROM"],
    standardTaxRates.map((rate) => [placeOf(rate), rate.name, rate.percent, rate.validFrom]),
    "Weir brings no rate for it. Add one: weir tax rates add COUNTRY --percent 7.25 --from 2026-01-01",
  );
}

function printRates(context: CliContext, rates: readonly TaxRate[], form: "one" | "all" = "all"): void {
  if (context.json) return printJson(context, form === "one" ? rates[0] : rates);
  printTable(
    context,
    ["COUNTRY", "CATEGORY", "NAME", "PERCENT", "FROM", "TO", "ID"],
    rates.map((rate) => [
      placeOf(rate),
      rate.category,
      rate.name,
      rate.treatment === "exempt" ? "exempt" : rate.percent,
      rate.validFrom,
      rate.validTo ?? "",
      rate.id,
    ]),
    "No rates of your own. weir tax rates list --built-in shows Weir's; weir tax rates add DE --percent 19 --from 2026-01-01 adds one.",
  );
}

function placeOf({ country, region }: { country: string; region: string | null }): string {
  return region === null ? country : `${country}-${region}`;
}
