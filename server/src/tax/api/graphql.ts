import { builder, requireSecretKey } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import type { Decimal } from "../../kernel/decimal.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { parseTimeZone } from "../../kernel/time-zone.js";
import {
  standard_category,
  standardRates,
  type BuyerInTime,
  type StandardRate,
  type TaxRate,
  type TaxRegistration,
  type TaxSettings,
} from "../core/index.js";
import type { StoredTaxRate } from "../index.js";

const TaxTreatmentType = builder.enumType("TaxTreatment", {
  description: "How a rate taxes. not_collected: no rate is known, or there are no settings.",
  values: ["taxed", "exempt", "reverse_charge", "not_collected"] as const,
});
const OwnTreatment = builder.enumType("OwnTaxTreatment", { values: ["taxed", "exempt"] as const });
export const TaxExemptionType = builder.enumType("TaxExemption", {
  values: ["none", "exempt", "reverse_charge"] as const,
});

const TaxRegistrationType = builder.objectRef<TaxRegistration>("TaxRegistration").implement({
  description: "Where the organization is registered to collect tax.",
  fields: (t) => ({
    country: t.exposeString("country", { description: "ISO 3166; EU is the One Stop Shop." }),
    taxId: t.string({ nullable: true, resolve: ({ taxId }) => taxId ?? null }),
    from: t.string({ nullable: true, description: "First day.", resolve: ({ from }) => from ?? null }),
    to: t.string({ nullable: true, description: "Last day.", resolve: ({ to }) => to ?? null }),
  }),
});

const TaxSettingsType = builder.objectRef<TaxSettings>("TaxSettings").implement({
  description: "How the organization taxes what it sells.",
  fields: (t) => ({
    country: t.exposeString("country"),
    region: t.string({ nullable: true, resolve: ({ region }) => region ?? null }),
    pricesIncludeTax: t.exposeBoolean("pricesIncludeTax"),
    builtInRates: t.exposeBoolean("builtInRates", {
      description: "Whether Weir's own table of standard rates counts where the organization has no rate.",
    }),
    registrations: t.expose("registrations", { type: [TaxRegistrationType] }),
  }),
});

const percentOf = ({ percent }: { readonly percent: Decimal }) => percent.toString();

const TaxRateType = builder.objectRef<StoredTaxRate>("TaxRate").implement({
  description: "A rate of the organization's own. It never changes; a later one takes its place.",
  fields: (t) => ({
    id: t.exposeID("id"),
    country: t.exposeString("country"),
    region: t.string({ nullable: true, resolve: ({ region }) => region ?? null }),
    category: t.exposeString("category"),
    name: t.exposeString("name"),
    percent: t.field({ type: "Decimal", resolve: percentOf }),
    treatment: t.expose("treatment", { type: OwnTreatment }),
    inclusive: t.boolean({
      nullable: true,
      description: "The settings' when null.",
      resolve: ({ inclusive }) => inclusive ?? null,
    }),
    note: t.string({ nullable: true, resolve: ({ note }) => note ?? null }),
    validFrom: t.exposeString("validFrom", { description: "First day, YYYY-MM-DD." }),
    validTo: t.string({
      nullable: true,
      description: "Last day.",
      resolve: ({ validTo }) => validTo ?? null,
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
  }),
});

const StandardTaxRateType = builder.objectRef<StandardRate>("StandardTaxRate").implement({
  description: "A standard rate that Weir brings along, until the country's next one.",
  fields: (t) => ({
    country: t.exposeString("country"),
    region: t.string({ nullable: true, resolve: ({ region }) => region ?? null }),
    name: t.exposeString("name"),
    percent: t.field({ type: "Decimal", resolve: percentOf }),
    validFrom: t.exposeString("validFrom"),
  }),
});

const AppliedTaxRate = builder
  .objectRef<{ readonly category: string; readonly rate: TaxRate }>("AppliedTaxRate")
  .implement({
    description: "The rate that a buyer would be charged for a category.",
    fields: (t) => ({
      category: t.exposeString("category"),
      key: t.string({ resolve: ({ rate }) => rate.key }),
      name: t.string({ resolve: ({ rate }) => rate.name }),
      percent: t.field({ type: "Decimal", resolve: ({ rate }) => percentOf(rate) }),
      inclusive: t.boolean({ resolve: ({ rate }) => rate.inclusive }),
      treatment: t.field({ type: TaxTreatmentType, resolve: ({ rate }) => rate.treatment }),
      note: t.string({
        nullable: true,
        description: "Printed on the invoice.",
        resolve: ({ rate }) => rate.note ?? null,
      }),
      notice: t.string({
        nullable: true,
        description: "For the organization: what was assumed or is missing.",
        resolve: ({ rate }) => rate.notice ?? null,
      }),
    }),
  });

const TaxBuyerInput = builder.inputType("TaxBuyerInput", {
  fields: (t) => ({
    country: t.string(),
    region: t.string(),
    taxId: t.string(),
    taxExempt: t.field({ type: TaxExemptionType }),
    timeZone: t.string({ description: "Where its days begin; UTC when left out." }),
  }),
});

const TaxRegistrationInput = builder.inputType("TaxRegistrationInput", {
  fields: (t) => ({
    country: t.string({ required: true, description: "ISO 3166; EU is the One Stop Shop." }),
    taxId: t.string(),
    from: t.string({ description: "First day, YYYY-MM-DD." }),
    to: t.string({ description: "Last day." }),
  }),
});

const categories_max = 100;

builder.queryFields((t) => ({
  taxSettings: t.field({
    type: TaxSettingsType,
    nullable: true,
    description: "Null until they are set: then no tax is charged.",
    resolve: async (_root, _args, { caller, services }) =>
      (await services.tax.settingsOf(caller.organization)) ?? null,
  }),
  taxRates: t.connection({
    type: TaxRateType,
    description: "The organization's own rates, oldest first, ended ones too.",
    args: { country: t.arg.string() },
    resolve: (_root, { country, ...args }, { caller, services }) =>
      forwardConnection(args, (page) =>
        services.tax.listRates(caller.organization, {
          ...page,
          ...(country == null ? {} : { country: country.toUpperCase() }),
        }),
      ),
  }),
  standardTaxRates: t.field({
    type: [StandardTaxRateType],
    description: "Weir's own table; a public fact, the same for every organization.",
    args: { country: t.arg.string() },
    resolve: (_root, { country }) =>
      standardRates.filter((rate) => country == null || rate.country === country.toUpperCase()),
  }),
  taxFor: t.field({
    type: [AppliedTaxRate],
    description: "Which rate a buyer would be charged for each category, and why none when there is none.",
    complexity: 10,
    args: {
      buyer: t.arg({ type: TaxBuyerInput, required: true }),
      categories: t.arg.stringList({ defaultValue: [standard_category] }),
      at: t.arg({ type: "Instant", description: "Now when left out." }),
    },
    resolve: async (_root, { buyer, categories, at }, { caller, services, clock }) => {
      const asked = categories ?? [standard_category];
      if (asked.length > categories_max) throw tooManyCategories(asked.length);
      const rates = await services.tax.preview(caller.organization, buyerOf(buyer), asked, at ?? clock.now());
      return [...rates].map(([category, rate]) => ({ category, rate }));
    },
  }),
}));

builder.mutationFields((t) => ({
  setTaxSettings: t.field({
    type: TaxSettingsType,
    description: "Replaces the settings as a whole. What is finalized keeps the tax it had.",
    errors: {},
    args: {
      country: t.arg.string({ required: true, description: "Where the organization is established." }),
      region: t.arg.string(),
      pricesIncludeTax: t.arg.boolean({ defaultValue: false }),
      builtInRates: t.arg.boolean({ defaultValue: true }),
      registrations: t.arg({ type: [TaxRegistrationInput], defaultValue: [] }),
    },
    resolve: (_root, { registrations, ...input }, context) => {
      requireSecretKey(context);
      const { tax } = context.services;
      const settings = {
        ...given(input),
        country: input.country,
        registrations: (registrations ?? []).map((each) => ({ ...given(each), country: each.country })),
      };
      return tax.setSettings(context.caller, settings, context.idempotencyKey);
    },
  }),
  addTaxRate: t.field({
    type: TaxRateType,
    description: "Adds a rate; from its first day on it takes the place of an earlier one.",
    errors: {},
    args: {
      country: t.arg.string({ required: true }),
      region: t.arg.string({ description: "ISO 3166-2 without the country, such as ON." }),
      category: t.arg.string({ description: "standard when left out." }),
      name: t.arg.string({ required: true, description: "As printed: VAT." }),
      percent: t.arg({ type: "Decimal", required: true, description: "19 is 19 %." }),
      treatment: t.arg({ type: OwnTreatment }),
      inclusive: t.arg.boolean(),
      note: t.arg.string({ description: "To print on invoices." }),
      validFrom: t.arg.string({ required: true, description: "First day, YYYY-MM-DD." }),
    },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      const { country, name, percent, validFrom } = input;
      const rate = { ...given(input), country, name, percent, validFrom };
      return context.services.tax.addRate(context.caller, rate, context.idempotencyKey);
    },
  }),
  endTaxRate: t.field({
    type: TaxRateType,
    description: "Ends a rate with a last day; afterwards Weir's own table counts, if it is in use.",
    errors: {},
    args: { rate: t.arg.id({ required: true }), lastDay: t.arg.string({ required: true }) },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return context.services.tax.endRate(context.caller, input, context.idempotencyKey);
    },
  }),
}));

/** Without what is null or undefined. */
function given<T extends object>(input: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value != null)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

function buyerOf(input: typeof TaxBuyerInput.$inferInput): BuyerInTime {
  const { timeZone, country, region, ...rest } = given(input);
  const zone = timeZone === undefined ? undefined : parseTimeZone(timeZone);
  if (timeZone !== undefined && zone === undefined) {
    const detail = `"${timeZone.slice(0, 64)}" is not an IANA time zone such as "Pacific/Auckland".`;
    throw new Refusal(makeProblem("invalid-time-zone", 400, "The time zone is not valid", detail));
  }
  return { ...rest, country: country?.toUpperCase(), region: region?.toUpperCase(), timeZone: zone };
}

function tooManyCategories(count: number): Refusal {
  const detail = `At most ${categories_max} categories at once, not ${count}.`;
  return new Refusal(makeProblem("too-many-categories", 400, "There are too many categories", detail));
}
