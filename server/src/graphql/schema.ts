import type { GraphQLSchema } from "graphql";
import "../audit/api/graphql.js";
import "../billing/api/graphql.js";
import "../catalog/api/graphql.js";
import "../credits/api/graphql.js";
import "../ledger/api/graphql.js";
import "../payments/api/graphql.js";
import "../prepaid/api/graphql.js";
import "../identity/api/graphql.js";
import "../mail/api/graphql.js";
import "../runs/api/graphql.js";
import "../settlement/api/graphql.js";
import "../tax/api/graphql.js";
import "../time/api/graphql.js";
import "../usage/api/graphql.js";
import "../webhooks/api/graphql.js";
import { builder } from "./builder.js";

/** The whole schema: what each domain registered on the builder. Sorted when it is printed to server/schema.graphql. */
export const schema: GraphQLSchema = builder.toSchema({ sortSchema: false });
