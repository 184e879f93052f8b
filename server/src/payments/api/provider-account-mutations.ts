import { builder, requireSecretKey } from "../../graphql/builder.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { given } from "./given.js";
import { ProviderAccountType } from "./references.js";

const ProviderValueInput = builder.inputType("ProviderValueInput", {
  fields: (t) => ({
    name: t.string({ required: true, description: "A field of the provider: `providers` lists them." }),
    value: t.string({ description: "Null takes it away, in an update." }),
  }),
});

type NamedValues = readonly { readonly name: string; readonly value?: string | null | undefined }[];

/** @throws Refusal 400 for a name that comes twice */
function recordOf(part: string, values: NamedValues): Record<string, string | null> {
  const names = values.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(`${part}.${twice.slice(0, 64)}`, "is given twice");
  return Object.fromEntries(values.map(({ name, value }) => [name, value ?? null]));
}

/** @throws Refusal 400 for a name that comes twice, or has no value */
function valuesOf(part: string, values: NamedValues): Record<string, string> {
  return Object.fromEntries(
    Object.entries(recordOf(part, values)).map(([name, value]) => {
      if (value === null) throw invalid(`${part}.${name.slice(0, 64)}`, "has no value");
      return [name, value];
    }),
  );
}

const secretsNote = "Sealed before they are stored; no answer and no audit entry has them.";

builder.mutationFields((t) => ({
  createProviderAccount: t.field({
    type: ProviderAccountType,
    description:
      "Makes an account at a provider known. Then enter its webhookUrl at the provider, and the signing secret here.",
    errors: {},
    args: {
      key: t.arg.string({
        required: true,
        description: "Your own name for it: 1 to 64 of a-z, 0-9, _ and -.",
      }),
      provider: t.arg.string({ required: true, description: "Its name: `providers` lists them." }),
      name: t.arg.string({ description: "The provider's when left out." }),
      settings: t.arg({ type: [ProviderValueInput], required: false }),
      secrets: t.arg({ type: [ProviderValueInput], required: false, description: secretsNote }),
      currencies: t.arg.stringList({ description: "That it charges in; all when left out." }),
    },
    resolve: (_root, { key, provider, name, settings, secrets, currencies }, context) => {
      requireSecretKey(context);
      const input = {
        key,
        provider,
        settings: valuesOf("settings", settings ?? []),
        secrets: valuesOf("secrets", secrets ?? []),
        ...given({ name, currencies }),
      };
      return context.services.payments.accounts.create(context.caller, input, context.idempotencyKey);
    },
  }),
  updateProviderAccount: t.field({
    type: ProviderAccountType,
    description: "Changes what is given, such as a secret that was rotated.",
    errors: {},
    args: {
      account: t.arg.string({ required: true, description: "Id or key." }),
      name: t.arg.string(),
      settings: t.arg({
        type: [ProviderValueInput],
        required: false,
        description: "Those that are not named stay.",
      }),
      secrets: t.arg({
        type: [ProviderValueInput],
        required: false,
        description: `Those that are not named stay. ${secretsNote}`,
      }),
      currencies: t.arg.stringList({ description: "All when empty." }),
    },
    resolve: (_root, { account, name, settings, secrets, currencies }, context) => {
      requireSecretKey(context);
      const input = {
        account,
        ...(settings == null ? {} : { settings: recordOf("settings", settings) }),
        ...(secrets == null ? {} : { secrets: recordOf("secrets", secrets) }),
        ...given({ name, currencies }),
      };
      return context.services.payments.accounts.update(context.caller, input, context.idempotencyKey);
    },
  }),
  archiveProviderAccount: t.field({
    type: ProviderAccountType,
    description:
      "No new charges go through it; what is under way ends as it does, and webhooks are taken on.",
    errors: {},
    args: { account: t.arg.string({ required: true, description: "Id or key." }) },
    resolve: (_root, { account }, context) => {
      requireSecretKey(context);
      return context.services.payments.accounts.archive(context.caller, account, context.idempotencyKey);
    },
  }),
}));

function invalid(field: string, message: string): Refusal {
  const errors = [{ field, message }];
  return new Refusal(
    makeProblem(
      "invalid-provider-account",
      400,
      "The provider account is not valid",
      `${field}: ${message}`,
      {
        errors,
      },
    ),
  );
}
