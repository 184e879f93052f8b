import { afterAll, beforeAll, expect, test } from "vitest";
import {
  deleteExpiredIdempotencyKeys,
  listAudit,
  recordAudit,
  withIdempotency,
} from "../../src/audit/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { openIdentity, parseKey, requireKind, type Caller, type Identity } from "../../src/identity/index.js";
import { systemClock } from "../../src/kernel/clock.js";
import { newId } from "../../src/kernel/ids.js";
import { Refusal } from "../../src/kernel/problem.js";
import { openTestPostgres } from "./embedded-postgres.js";

let postgres: Postgres;
let remove: () => Promise<void>;
let identity: Identity;
let admin: Caller;

beforeAll(async () => {
  ({ postgres, remove } = await openTestPostgres());
  identity = openIdentity({ postgres, clock: systemClock });
});
afterAll(() => remove());

const bearer = (secret: string) => `Bearer ${secret}`;
const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no refusal",
    (error: unknown) => (error instanceof Refusal ? `${error.problem.status} ${error.slug}` : String(error)),
  );

test("the first start makes organization default and a secret key, shown once; a second start shows none", async () => {
  const [first, racing] = await Promise.all([identity.bootstrap(undefined), identity.bootstrap(undefined)]);
  const shown = [first.secret, racing.secret].filter((secret) => secret !== undefined);
  expect(shown).toHaveLength(1);
  expect(first.organization.id).toBe(racing.organization.id);
  expect(parseKey(shown[0]!)).toEqual({ kind: "secret", organization: first.organization.id });
  admin = (await identity.authenticate(bearer(shown[0]!)))!;
  expect(admin).toMatchObject({ organization: first.organization.id, kind: "secret" });
  expect((await identity.bootstrap(undefined)).secret).toBeUndefined();
});

test("a key in use is known without waiting; a wrong, cut-off or missing one is nobody's", async () => {
  const { secret, key } = await identity.createKey(admin, { name: "sdk", kind: "ingest" });
  const first = identity.authenticate(bearer(secret));
  expect(first).toBeInstanceOf(Promise);
  expect(await first).toEqual({ organization: admin.organization, key: key.id, kind: "ingest" });
  expect(identity.authenticate(bearer(secret))).toEqual({
    organization: admin.organization,
    key: key.id,
    kind: "ingest",
  });
  expect(identity.authenticate(`bearer ${secret}`)).toMatchObject({ key: key.id });
  expect(await identity.authenticate(bearer(secret.slice(0, -1)))).toBeUndefined();
  expect(identity.authenticate(bearer(secret.slice(0, -1)))).toBeUndefined();
  expect(identity.authenticate(undefined)).toBeUndefined();
  expect(identity.authenticate(`Basic ${secret}`)).toBeUndefined();
});

test("only a hash of the key is stored", async () => {
  const { secret } = await identity.createKey(admin, { name: "hashed", kind: "read" });
  const rows = await postgres.inOrganization(
    admin.organization,
    (sql) => sql`SELECT api_keys::text AS row FROM api_keys`,
  );
  const random = secret.split("_")[2]!;
  for (const { row } of rows) expect(row).not.toContain(random.slice(-12));
});

test("a revoked key is refused at once", async () => {
  const { secret, key } = await identity.createKey(admin, { name: "to go", kind: "read" });
  expect(await identity.authenticate(bearer(secret))).toBeDefined();
  const revoked = await identity.revokeKey(admin, key.id);
  expect(revoked.revokedAt).toBeDefined();
  expect(await identity.authenticate(bearer(secret))).toBeUndefined();
  expect(await identity.revokeKey(admin, key.id)).toMatchObject({ revokedAt: revoked.revokedAt });
});

test("the last secret key cannot be revoked, nor another organization's", async () => {
  expect(await refusalOf(identity.revokeKey(admin, admin.key))).toBe("409 last-secret-key");
  const other = await identity.createOrganization({ slug: "other", name: "Other" });
  const { caller } = await identity.issueSystemKey(other.id, { name: "traffic", kind: "secret" });
  expect(await refusalOf(identity.revokeKey(admin, caller.key))).toBe("404 key-not-found");
  const spare = await identity.createKey(admin, { name: "spare", kind: "secret" });
  const outcomes = await Promise.all([
    refusalOf(identity.revokeKey(admin, spare.key.id)),
    refusalOf(identity.revokeKey(admin, admin.key)),
  ]);
  expect(outcomes.toSorted()).toEqual(["409 last-secret-key", "no refusal"]);
  const left = (await identity.listKeys(admin.organization)).filter(
    (key) => key.kind === "secret" && key.revokedAt === undefined,
  );
  expect(left).toHaveLength(1);
});

test("Weir's own key of a name takes the place of the one before", async () => {
  const { id } = (await identity.findOrganizationBySlug("other"))!;
  const first = await identity.issueSystemKey(id, { name: "demo", kind: "secret" });
  expect(await identity.authenticate(bearer(first.secret))).toEqual(first.caller);
  const second = await identity.issueSystemKey(id, { name: "demo", kind: "secret" });
  expect(await identity.authenticate(bearer(first.secret))).toBeUndefined();
  expect(await identity.authenticate(bearer(second.secret))).toEqual(second.caller);
});

test("WEIR_BOOTSTRAP_KEY works after a start, its earlier value no longer, and again when it comes back", async () => {
  const fresh = () => openIdentity({ postgres, clock: systemClock });
  const [one, two] = ["the first value, 24 chars or more", "weir_secret_that_only_looks_like_one"];
  expect(await identity.bootstrap(one)).toMatchObject({ secret: undefined });
  expect(await fresh().authenticate(bearer(one))).toMatchObject({
    organization: admin.organization,
    kind: "secret",
  });
  await identity.bootstrap(two);
  await identity.bootstrap(two);
  expect(await fresh().authenticate(bearer(one))).toBeUndefined();
  expect(await fresh().authenticate(bearer(two))).toMatchObject({ kind: "secret" });
  await identity.bootstrap(one);
  expect(await fresh().authenticate(bearer(one))).toBeDefined();
  await identity.bootstrap(undefined);
  expect(await fresh().authenticate(bearer(one))).toBeDefined();
  const { secret } = await identity.issueSystemKey((await identity.findOrganizationBySlug("other"))!.id, {
    name: "x",
    kind: "secret",
  });
  expect(await refusalOf(identity.bootstrap(secret))).toBe("409 bootstrap-key-taken");
});

test("organizations: a slug is taken once, and says so", async () => {
  expect(await refusalOf(identity.createOrganization({ slug: "default", name: "Again" }))).toBe(
    "409 organization-exists",
  );
  expect(await refusalOf(identity.createOrganization({ slug: "Not a slug", name: "X" }))).toBe(
    "400 invalid-organization",
  );
  expect(await identity.findOrganization(admin.organization)).toMatchObject({
    slug: "default",
    mode: "live",
  });
  expect(await identity.findOrganizationBySlug("nobody")).toBeUndefined();
});

test("a key of the wrong kind is told which kind is needed", () => {
  expect(() => requireKind({ ...admin, kind: "ingest" }, "secret", "read")).toThrow(
    /needs a secret or read key/,
  );
  expect(() => requireKind(admin, "secret")).not.toThrow();
});

test("every change of keys is in the audit log: who, what, before and after, page by page", async () => {
  const all = await listAudit(postgres, admin.organization, { first: 200 });
  expect(all.entries.map((entry) => entry.action)).toContain("organization.create");
  const revoked = all.entries.find((entry) => entry.action === "key.revoke" && entry.actor === admin.key);
  expect(revoked).toMatchObject({ before: { revoked: false }, after: { revoked: true } });
  const pages: string[] = [];
  for (let after: (typeof all.entries)[number]["id"] | undefined; ; ) {
    const page = await listAudit(postgres, admin.organization, { first: 3, after });
    pages.push(...page.entries.map((entry) => entry.id));
    after = page.entries.at(-1)?.id;
    if (!page.hasNext) break;
  }
  expect(pages).toEqual(all.entries.map((entry) => entry.id));
  const about = await listAudit(postgres, admin.organization, { target: revoked!.target });
  expect(about.entries.map((entry) => entry.action)).toEqual(["key.revoke", "key.create"]);
});

test("the audit log keeps big numbers as text, and nobody can change it", async () => {
  const at = systemClock.now();
  const target = newId("cus", at);
  await postgres.inOrganization(admin.organization, (sql) =>
    recordAudit(sql, {
      organization: admin.organization,
      actor: admin,
      action: "test.change",
      target,
      before: undefined,
      after: { minor: 12345678901234567890n },
      at,
    }),
  );
  const { entries } = await listAudit(postgres, admin.organization, { target });
  expect(entries).toMatchObject([
    { actor: admin.key, before: null, after: { minor: "12345678901234567890" } },
  ]);
  const change = (work: (sql: Parameters<Parameters<Postgres["asSystem"]>[0]>[0]) => Promise<unknown>) =>
    postgres.inOrganization(admin.organization, work).then(
      () => "changed",
      (error: Error) => error.message,
    );
  expect(await change((sql) => sql`UPDATE audit_log SET action = 'a.b'`)).toMatch(/permission denied/);
  expect(await change((sql) => sql`DELETE FROM audit_log`)).toMatch(/permission denied/);
  expect(await change((sql) => sql`TRUNCATE audit_log`)).toMatch(/permission denied/);
});

test("an idempotency key runs its mutation once, also when both requests come at once", async () => {
  let runs = 0;
  const once = (key: string, hash: string, ms = 0) =>
    postgres.inOrganization(admin.organization, (sql) =>
      withIdempotency(sql, admin.organization, key, hash, async () => {
        runs += 1;
        await new Promise((resolve) => setTimeout(resolve, ms));
        return { id: `cus_${runs}` };
      }),
    );
  expect(await Promise.all([once("k1", "h1", 100), once("k1", "h1", 100)])).toEqual([
    { id: "cus_1" },
    { id: "cus_1" },
  ]);
  expect(await once("k1", "h1")).toEqual({ id: "cus_1" });
  expect(runs).toBe(1);
  expect(await refusalOf(once("k1", "another request"))).toBe("422 idempotency-key-reused");
  expect(await refusalOf(once("", "h"))).toBe("400 invalid-idempotency-key");
  expect(await deleteExpiredIdempotencyKeys(postgres)).toBe(0);
});

test("a mutation that fails leaves its idempotency key free", async () => {
  const attempt = (work: () => Promise<string>) =>
    postgres.inOrganization(admin.organization, (sql) =>
      withIdempotency(sql, admin.organization, "k2", "h", work),
    );
  await expect(attempt(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await attempt(() => Promise.resolve("done"))).toBe("done");
});

test("a second request while the first is still at work is told to wait", async () => {
  let finish = () => {};
  const gate = new Promise<void>((resolve) => (finish = resolve));
  const first = postgres.inOrganization(admin.organization, (sql) =>
    withIdempotency(sql, admin.organization, "k3", "h", async () => (await gate, "slow")),
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  const second = postgres.inOrganization(admin.organization, (sql) =>
    withIdempotency(sql, admin.organization, "k3", "h", () => Promise.resolve("fast")),
  );
  expect(await refusalOf(second)).toBe("409 idempotency-key-in-use");
  finish();
  expect(await first).toBe("slow");
});
