import { graphql, type ExecutionResult } from "graphql";
import { afterAll, beforeAll, expect, test } from "vitest";
import { builder } from "../../src/graphql/builder.js";
import { openIdentity, type Caller, type Identity } from "../../src/identity/index.js";
import "../../src/audit/api/graphql.js";
import "../../src/identity/api/graphql.js";
import { systemClock } from "../../src/kernel/clock.js";
import { openTestPostgres } from "./embedded-postgres.js";

builder.subscriptionField("nothing", (t) =>
  t.boolean({ subscribe: async function* () {}, resolve: () => true }),
);
const schema = builder.toSchema();

let identity: Identity;
let remove: () => Promise<void>;
let services: object;
let admin: Caller;
let other: Caller;

beforeAll(async () => {
  const { postgres, ...rest } = await openTestPostgres();
  remove = rest.remove;
  identity = openIdentity({ postgres, clock: systemClock });
  services = { postgres, identity, clock: systemClock };
  const { secret } = await identity.bootstrap(undefined);
  admin = (await identity.authenticate(`Bearer ${secret}`))!;
  const { id } = await identity.createOrganization({ slug: "other", name: "Other" });
  other = (await identity.issueSystemKey(id, { name: "other", kind: "secret" })).caller;
});
afterAll(() => remove());

async function run(source: string, caller: Caller, idempotencyKey?: string) {
  const contextValue = { caller, services, clock: systemClock, idempotencyKey };
  const { data, errors }: ExecutionResult = await graphql({ schema, source, contextValue });
  const messages = errors === undefined ? {} : { errors: errors.map((error) => error.message) };
  // oxlint-disable-next-line typescript/no-explicit-any -- each query has a shape of its own, which the expectations check
  return JSON.parse(JSON.stringify({ ...data, ...messages })) as any;
}

const create = (name: string) =>
  `mutation { createApiKey(name: "${name}", kind: INGEST) {
  ... on CreateApiKeySuccess { data { secret key { id name kind hint } } } ... on RefusalError { code message details } } }`.replace(
    "INGEST",
    "ingest",
  );

test("a key is created, listed, used, revoked, and the audit log says so", async () => {
  const { createApiKey } = await run(create("sdk"), admin);
  const { secret, key } = createApiKey.data;
  expect(await identity.authenticate(`Bearer ${secret}`)).toMatchObject({ key: key.id, kind: "ingest" });
  expect((await run("{ apiKeys { id } }", admin)).apiKeys).toContainEqual({ id: key.id });
  const revoke = `mutation { revokeApiKey(id: "${key.id}") { ... on RevokeApiKeySuccess { data { revokedAt } } ... on RefusalError { code } } }`;
  expect((await run(revoke, admin)).revokeApiKey.data.revokedAt).toMatch(/Z$/);
  expect(await identity.authenticate(`Bearer ${secret}`)).toBeUndefined();
  expect((await run("{ apiKeys { id } }", admin)).apiKeys).not.toContainEqual({ id: key.id });
  const log = `{ auditLog(first: 1, target: "${key.id}") { edges { cursor node { action actor before after } } pageInfo { hasNextPage endCursor } } }`;
  const { auditLog } = await run(log, admin);
  expect(auditLog.edges[0].node).toMatchObject({
    action: "key.revoke",
    actor: admin.key,
    before: { revoked: false },
    after: { revoked: true },
  });
  expect(auditLog.pageInfo.hasNextPage).toBe(true);
  const next = await run(log.replace("first: 1", `first: 1, after: "${auditLog.pageInfo.endCursor}"`), admin);
  expect(next.auditLog.edges[0].node).toMatchObject({ action: "key.create", before: null });
  expect(next.auditLog.pageInfo.hasNextPage).toBe(false);
});

test("a repeat under one idempotency key makes no second key and says which there is", async () => {
  const first = await run(create("once"), admin, "try-1");
  const again = await run(create("once"), admin, "try-1");
  expect(again.createApiKey).toMatchObject({
    code: "key-already-created",
    details: { key: first.createApiKey.data.key.id },
  });
  const reused = await run(create("another"), admin, "try-1");
  expect(reused.createApiKey.code).toBe("idempotency-key-reused");
  const { apiKeys } = await run("{ apiKeys { name } }", admin);
  expect(apiKeys.filter((key: { name: string }) => key.name === "once")).toHaveLength(1);
});

test("a read key may look but not change, and nobody sees or revokes another organization's keys", async () => {
  const refused = await run(create("no"), { ...admin, kind: "read" });
  expect(refused.createApiKey.code).toBe("wrong-key-kind");
  expect((await run("{ organization { slug mode } }", { ...admin, kind: "read" })).organization).toEqual({
    slug: "default",
    mode: "live",
  });
  const seen = JSON.stringify(
    await run("{ organization { id } apiKeys(revoked: true) { id } auditLog { nodes { target } } }", other),
  );
  expect(seen).toContain(other.organization);
  expect(seen).not.toContain(admin.organization);
  expect(seen).not.toContain(admin.key);
  const revoke = `mutation { revokeApiKey(id: "${admin.key}") { ... on RefusalError { code } } }`;
  expect((await run(revoke, other)).revokeApiKey.code).toBe("key-not-found");
});

test("a cursor of no page, and pages backwards, are refused", async () => {
  expect((await run('{ auditLog(after: "xyz") { nodes { id } } }', admin)).errors[0]).toMatch(
    /endCursor of an earlier page/,
  );
  expect((await run("{ auditLog(last: 5) { nodes { id } } }", admin)).errors[0]).toMatch(
    /use `first` and `after`/,
  );
});
