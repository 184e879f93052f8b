import SchemaBuilder from "@pothos/core";
import ComplexityPlugin from "@pothos/plugin-complexity";
import ErrorsPlugin from "@pothos/plugin-errors";
import RelayPlugin from "@pothos/plugin-relay";
import { GraphQLError } from "graphql";
import { requireKind } from "../identity/index.js";
import { formatInstant, parseInstant, type Instant } from "../kernel/instant.js";
import { Refusal } from "../kernel/problem.js";
import type { GraphQLContext } from "./context.js";

export type { GraphQLContext } from "./context.js";

/** What may be read and written at one go; a deeper or wider query is refused before it runs. */
export const queryLimits = { depth: 12, breadth: 500, complexity: 20_000 } as const;

/**
 * The one schema builder. Each domain's api/graphql.ts registers its types and fields on it; a refusal thrown by a
 * mutation becomes a member of its result union (`RefusalError`), anything else is masked.
 */
export const builder = new SchemaBuilder<{
  Context: GraphQLContext;
  DefaultFieldNullability: false;
  Scalars: {
    Instant: { Input: Instant; Output: Instant };
    Decimal: { Input: string; Output: string };
    BigInt: { Input: bigint; Output: bigint };
    JSON: { Input: unknown; Output: unknown };
  };
}>({
  defaultFieldNullability: false,
  plugins: [ErrorsPlugin, RelayPlugin, ComplexityPlugin],
  errors: {
    defaultTypes: [Refusal],
    defaultResultOptions: { name: ({ fieldName }) => `${capitalized(fieldName)}Success` },
    defaultUnionOptions: { name: ({ fieldName }) => `${capitalized(fieldName)}Result` },
  },
  relay: { cursorType: "String", clientMutationId: "omit", nodeTypeOptions: {}, nodesOnConnection: true },
  complexity: { defaultComplexity: 1, defaultListMultiplier: 10, limit: queryLimits },
});

builder.scalarType("Instant", {
  description: "A point in time as RFC 3339, to the microsecond: 2026-01-31T00:00:00Z",
  serialize: (value) => formatInstant(value),
  parseValue: (value) => {
    const instant = typeof value === "string" ? parseInstant(value) : undefined;
    if (instant === undefined)
      throw new GraphQLError(`"${String(value)}" is not RFC 3339, such as 2026-01-31T00:00:00Z`);
    return instant;
  },
});

builder.scalarType("Decimal", {
  description: "An exact decimal number, as text",
  serialize: (value) => value,
  parseValue: (value) => {
    if (typeof value !== "string")
      throw new GraphQLError("send a decimal as a string, so that no digit is lost");
    return value;
  },
});

builder.scalarType("BigInt", {
  description: "A whole number of any size, as text",
  serialize: (value) => value.toString(),
  parseValue: (value) => {
    if (typeof value === "string" && /^-?\d{1,76}$/.test(value)) return BigInt(value);
    throw new GraphQLError("send a whole number as a string");
  },
});

builder.scalarType("JSON", {
  description: "Any JSON value",
  serialize: (value) => value,
  parseValue: (value) => value,
});

builder.objectType(Refusal, {
  name: "RefusalError",
  description: "Why a request was refused, and what to do.",
  fields: (t) => ({
    code: t.string({ resolve: (refusal) => refusal.slug }),
    title: t.string({ resolve: (refusal) => refusal.problem.title }),
    message: t.string({ resolve: (refusal) => refusal.problem.detail }),
    details: t.field({
      type: "JSON",
      nullable: true,
      resolve: ({ problem }) => {
        const { type: _type, title: _title, status: _status, detail: _detail, ...details } = problem;
        return Object.keys(details).length === 0 ? null : details;
      },
    }),
  }),
});

builder.queryType({ description: "What Weir knows of your organization." });
builder.mutationType({ description: "Changes. Each is audited, and takes an Idempotency-Key header." });
builder.subscriptionType({ description: "What changes, as it changes (server-sent events)." });

/** For resolvers that change something. @throws Refusal 403 for a key that may only read or ingest */
export function requireSecretKey(context: GraphQLContext): void {
  requireKind(context.caller, "secret");
}

function capitalized(name: string): string {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}
