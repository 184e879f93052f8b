import { builder, requireSecretKey } from "../../graphql/builder.js";
import type { ApiKey, BillingProfile, Organization } from "../index.js";
import { createKeyOnce } from "../create-key-once.js";

const key_kinds = ["ingest", "secret", "read"] as const;

const ApiKeyKind = builder.enumType("ApiKeyKind", {
  description: "ingest only sends, read only reads, secret does everything in its organization.",
  values: key_kinds,
});

const ApiKeyType = builder.objectRef<ApiKey>("ApiKey").implement({
  description: "An API key. Its text is shown once, when it is created.",
  fields: (t) => ({
    id: t.exposeID("id"),
    name: t.exposeString("name"),
    kind: t.expose("kind", { type: ApiKeyKind }),
    origin: t.exposeString("origin", {
      description: "issued: by a caller; bootstrap: WEIR_BOOTSTRAP_KEY; system: Weir's own.",
    }),
    hint: t.exposeString("hint", { description: "Its beginning and end, to tell it from others." }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    revokedAt: t.field({ type: "Instant", nullable: true, resolve: (key) => key.revokedAt ?? null }),
    lastUsedAt: t.field({
      type: "Instant",
      nullable: true,
      description: "To about a minute.",
      resolve: (key) => key.lastUsedAt ?? null,
    }),
  }),
});

const CreatedApiKey = builder.objectRef<{ key: ApiKey; secret: string }>("CreatedApiKey").implement({
  fields: (t) => ({
    key: t.field({ type: ApiKeyType, resolve: (created) => created.key }),
    secret: t.exposeString("secret", { description: "The key itself. It is not stored: keep it now." }),
  }),
});

const BillingProfileType = builder.objectRef<BillingProfile>("BillingProfile").implement({
  description: "What invoices say about the seller. A finalized invoice keeps what it said.",
  fields: (t) => ({
    legalName: t.exposeString("legalName"),
    line1: t.string({ nullable: true, resolve: ({ line1 }) => line1 ?? null }),
    line2: t.string({ nullable: true, resolve: ({ line2 }) => line2 ?? null }),
    city: t.string({ nullable: true, resolve: ({ city }) => city ?? null }),
    postalCode: t.string({ nullable: true, resolve: ({ postalCode }) => postalCode ?? null }),
    region: t.string({ nullable: true, resolve: ({ region }) => region ?? null }),
    country: t.string({ nullable: true, resolve: ({ country }) => country ?? null }),
    taxId: t.string({ nullable: true, resolve: ({ taxId }) => taxId ?? null }),
    email: t.string({ nullable: true, resolve: ({ email }) => email ?? null }),
    bankDetails: t.string({
      nullable: true,
      description: "Where to pay, printed as it is.",
      resolve: ({ bankDetails }) => bankDetails ?? null,
    }),
    registrationNumber: t.string({
      nullable: true,
      description: "In a register of companies: HRB 12345.",
      resolve: ({ registrationNumber }) => registrationNumber ?? null,
    }),
    electronicAddress: t.string({
      nullable: true,
      description: 'Where e-invoices come from, with the scheme of the code list EAS: "9930:DE123456789".',
      resolve: ({ electronicAddress }) => electronicAddress ?? null,
    }),
    contactName: t.string({ nullable: true, resolve: ({ contactName }) => contactName ?? null }),
    phone: t.string({ nullable: true, resolve: ({ phone }) => phone ?? null }),
    iban: t.string({ nullable: true, resolve: ({ iban }) => iban ?? null }),
    bic: t.string({ nullable: true, resolve: ({ bic }) => bic ?? null }),
    timeZone: t.string({
      nullable: true,
      description: "In which the days of issue and payment are written; the customer's when null.",
      resolve: ({ timeZone }) => timeZone ?? null,
    }),
  }),
});

const OrganizationType = builder.objectRef<Organization>("Organization").implement({
  fields: (t) => ({
    id: t.exposeID("id"),
    slug: t.exposeString("slug"),
    name: t.exposeString("name"),
    mode: t.exposeString("mode", { description: "live, or test: then its clock can be advanced." }),
    createdAt: t.expose("createdAt", { type: "Instant" }),
    billingProfile: t.field({
      type: BillingProfileType,
      nullable: true,
      description: "Null until it is set: invoices then name the organization and nothing more.",
      resolve: async (organization, _args, { services }) =>
        (await services.identity.findBillingProfile(organization.id)) ?? null,
    }),
  }),
});

builder.queryFields((t) => ({
  organization: t.field({
    type: OrganizationType,
    description: "The organization of the key in use.",
    resolve: async (_root, _args, { caller, services }) => {
      const found = await services.identity.findOrganization(caller.organization);
      if (found === undefined) throw new Error(`organization ${caller.organization} has a key but no row`);
      return found;
    },
  }),
  apiKeys: t.field({
    type: [ApiKeyType],
    description: "Newest first; revoked ones when asked for.",
    args: { revoked: t.arg.boolean({ defaultValue: false }) },
    resolve: async (_root, { revoked }, { caller, services }) => {
      const keys = await services.identity.listKeys(caller.organization);
      return keys.filter((key) => revoked === true || key.revokedAt === undefined);
    },
  }),
}));

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreatedApiKey,
    errors: {},
    args: { name: t.arg.string({ required: true }), kind: t.arg({ type: ApiKeyKind, required: true }) },
    resolve: (_root, input, context) => {
      requireSecretKey(context);
      return createKeyOnce(context.services, context.caller, input, context.idempotencyKey);
    },
  }),
  setBillingProfile: t.field({
    type: BillingProfileType,
    description: "Replaces what invoices say about the seller, as a whole.",
    errors: {},
    args: {
      legalName: t.arg.string({ required: true }),
      line1: t.arg.string({ description: "Street and number." }),
      line2: t.arg.string(),
      city: t.arg.string(),
      postalCode: t.arg.string(),
      region: t.arg.string({ description: "State or province, where addresses have one." }),
      country: t.arg.string({ description: "ISO 3166, such as DE." }),
      taxId: t.arg.string(),
      email: t.arg.string(),
      bankDetails: t.arg.string({ description: "Where to pay, at most 8 lines." }),
      registrationNumber: t.arg.string({ description: "In a register of companies: HRB 12345." }),
      electronicAddress: t.arg.string({
        description: 'Where e-invoices come from, with the scheme of the code list EAS: "9930:DE123456789".',
      }),
      contactName: t.arg.string({ description: "Whom to ask." }),
      phone: t.arg.string(),
      iban: t.arg.string({ description: "The account that invoices are paid to." }),
      bic: t.arg.string(),
      timeZone: t.arg.string({
        description: "In which the days of issue and payment are written; the customer's when left out.",
      }),
    },
    resolve: (_root, { legalName, ...rest }, context) => {
      requireSecretKey(context);
      const optional = Object.fromEntries(
        Object.entries(rest).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
      );
      return context.services.identity.setBillingProfile(
        context.caller,
        { ...optional, legalName },
        context.idempotencyKey,
      );
    },
  }),
  revokeApiKey: t.field({
    type: ApiKeyType,
    description: "Takes effect at once, in other processes within 10 s. The last secret key stays.",
    errors: {},
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, context) => {
      requireSecretKey(context);
      return context.services.identity.revokeKey(context.caller, id);
    },
  }),
}));
