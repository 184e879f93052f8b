import { builder } from "../../graphql/builder.js";
import { forwardConnection } from "../../graphql/forward-connection.js";
import { abilitiesOf, ability_names } from "../ability.js";
import type { PaymentProvider, ProviderField } from "../provider.js";
import { ProviderAccountType } from "./references.js";

const ProviderFieldType = builder.objectRef<ProviderField>("ProviderField").implement({
  fields: (t) => ({
    name: t.exposeString("name"),
    description: t.exposeString("description"),
    required: t.exposeBoolean("isRequired"),
  }),
});

const ProviderAbilityEnum = builder.enumType("ProviderAbility", {
  description:
    "outgoing: it works by files, which wait in batches. transfers: customers pay to it by a reference. webhooks: it tells by itself what happens.",
  values: ability_names,
});

const ProviderType = builder.objectRef<PaymentProvider>("PaymentProvider").implement({
  description: "Through whom money can come in, and what an account there is made of.",
  fields: (t) => ({
    name: t.exposeString("name", { description: "stripe" }),
    title: t.exposeString("title"),
    abilities: t.field({
      type: [ProviderAbilityEnum],
      description: "What it can do; the rest is refused with what to do instead.",
      resolve: abilitiesOf,
    }),
    settings: t.field({ type: [ProviderFieldType], resolve: ({ fields }) => [...fields.settings] }),
    secrets: t.field({
      type: [ProviderFieldType],
      description: "Sealed before they are stored, and never shown again.",
      resolve: ({ fields }) => [...fields.secrets],
    }),
  }),
});

const ProviderSettingType = builder
  .objectRef<readonly [name: string, value: string]>("ProviderSetting")
  .implement({
    fields: (t) => ({
      name: t.string({ resolve: ([name]) => name }),
      value: t.string({ resolve: ([, value]) => value }),
    }),
  });

ProviderAccountType.implement({
  description: "An account at a provider of payments. Its secrets are told to nobody; only which are set.",
  fields: (t) => ({
    id: t.exposeID("id"),
    key: t.exposeString("key", { description: "The organization's own name for it." }),
    provider: t.exposeString("provider", { description: "Its name: stripe." }),
    name: t.exposeString("name"),
    settings: t.field({ type: [ProviderSettingType], resolve: ({ settings }) => Object.entries(settings) }),
    secretNames: t.stringList({
      description: "The secrets that are set.",
      resolve: ({ secretNames }) => [...secretNames],
    }),
    currencies: t.stringList({
      description: "That it charges in; all when empty.",
      resolve: ({ currencies }) => [...currencies],
    }),
    webhookPath: t.string({
      nullable: true,
      description: "Where the provider's webhooks belong; null for one that sends none.",
      resolve: ({ id, provider }, _args, { caller, services }) =>
        services.payments.accounts.providerOf(provider).webhooks === undefined
          ? null
          : webhookPathOf(caller.organization, id),
    }),
    webhookUrl: t.string({
      nullable: true,
      description: "The same below WEIR_PUBLIC_URL, to be entered at the provider.",
      resolve: ({ id, provider }, _args, { caller, services }) =>
        services.payments.accounts.providerOf(provider).webhooks === undefined
          ? null
          : `${services.publicUrl()}${webhookPathOf(caller.organization, id)}`,
    }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    updatedAt: t.expose("updatedAt", { type: "Instant" }),
    archivedAt: t.field({
      type: "Instant",
      nullable: true,
      description: "No new charges go through it since.",
      resolve: ({ archivedAt }) => archivedAt ?? null,
    }),
  }),
});

function webhookPathOf(organization: string, account: string): string {
  return `/v1/webhooks/${organization}/${account}`;
}

builder.queryFields((t) => ({
  providers: t.field({
    type: [ProviderType],
    description: "Which providers there are; the same for every organization.",
    resolve: (_root, _args, { services }) => [...services.payments.accounts.providers],
  }),
  providerAccounts: t.connection({
    type: ProviderAccountType,
    description: "Oldest first, archived ones too.",
    resolve: (_root, args, { caller, services }) =>
      forwardConnection(args, (page) => services.payments.accounts.list(caller.organization, page)),
  }),
  providerAccount: t.field({
    type: ProviderAccountType,
    nullable: true,
    args: { idOrKey: t.arg.string({ required: true }) },
    resolve: async (_root, { idOrKey }, { caller, services }) =>
      (await services.payments.accounts.find(caller.organization, idOrKey)) ?? null,
  }),
}));
