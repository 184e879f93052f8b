import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { listAudit } from "../../src/audit/index.js";
import { Customers } from "../../src/billing/index.js";
import type { Postgres } from "../../src/engines/postgres/index.js";
import { openIdentity, type Caller, type Identity } from "../../src/identity/index.js";
import { FixedClock, sameClock } from "../../src/kernel/clock.js";
import { formatInstant, parseInstant, type Instant } from "../../src/kernel/instant.js";
import { Refusal } from "../../src/kernel/problem.js";
import { openTestPostgres } from "./embedded-postgres.js";

const at = (text: string): Instant => parseInstant(text)!;
const clock = new FixedClock(at("2026-03-15T12:00:00Z"));

let postgres: Postgres;
let remove: () => Promise<void>;
let identity: Identity;
let customers: Customers;
let caller: Caller;
let invoiced: Instant | undefined;
let organizations = 0;

beforeAll(async () => {
  ({ postgres, remove } = await openTestPostgres());
  identity = openIdentity({ postgres, clock });
  customers = new Customers({
    postgres,
    clock,
    clocks: sameClock(clock),
    invoicedUntil: () => Promise.resolve(invoiced),
  });
});
afterAll(() => remove());

beforeEach(async () => {
  invoiced = undefined;
  organizations += 1;
  const { id } = await identity.createOrganization({ slug: `cus-${organizations}`, name: "T", mode: "test" });
  caller = { organization: id, key: "key_test" as Caller["key"], kind: "secret" };
});

const refusalOf = (promise: Promise<unknown>) =>
  promise.then(
    () => "no refusal",
    (error: unknown) => (error instanceof Refusal ? `${error.problem.status} ${error.slug}` : String(error)),
  );
const make = (key: string, more: object = {}) =>
  customers.create(caller, { key, name: key, timeZone: "UTC", ...more });

/** Every row of every table of the organization, as text. */
async function everything(): Promise<string> {
  return postgres.inOrganization(caller.organization, async (sql) => {
    const names = await sql<{ name: string }[]>`
      SELECT table_name AS name FROM information_schema.columns
      WHERE table_schema = 'weir' AND column_name = 'organization' ORDER BY 1`;
    let dump = "";
    for (const { name } of names) {
      const rows = await sql.unsafe(`SELECT to_jsonb(t)::text AS row FROM ${name} t`);
      dump += rows.map((row) => `${name} ${String(row["row"])}\n`).join("");
    }
    return dump;
  });
}

describe("a customer", () => {
  test("has what an invoice needs, each field checked and named", async () => {
    const address = { line1: "1 Queen St", city: "Auckland", postalCode: "1010", country: "NZ", region: " " };
    const made = await make("acme", {
      address,
      taxId: "NZ123",
      taxExempt: "reverse_charge",
      locale: "en-nz",
    });
    expect(made).toMatchObject({
      address: { line1: "1 Queen St", city: "Auckland", postalCode: "1010", country: "NZ" },
      taxId: "NZ123",
      taxExempt: "reverse_charge",
      paymentTermsDays: 30,
      locale: "en-NZ",
    });
    expect(await customers.get(caller.organization, "acme")).toEqual(made);
    const wrong = {
      address: { country: "Neuseeland" },
      taxExempt: "maybe",
      locale: "?",
      paymentTermsDays: 1000,
    };
    const refusal = (await make("b", wrong).catch((error: unknown) => error)) as Refusal;
    expect(refusal.problem["errors"]).toMatchObject([
      { field: "address.country" },
      { field: "taxExempt" },
      { field: "paymentTermsDays" },
      { field: "locale" },
    ]);
  });

  test("is changed field by field; null takes away, and the audit log says which, not what", async () => {
    await make("acme", { email: "old@acme.example", taxId: "T1", locale: "de" });
    const changed = await customers.update(caller, {
      customer: "acme",
      name: "Acme Ltd.",
      email: null,
      paymentTermsDays: 14,
    });
    expect(changed).toMatchObject({
      name: "Acme Ltd.",
      email: undefined,
      taxId: "T1",
      locale: "de",
      paymentTermsDays: 14,
    });
    const log = await listAudit(postgres, caller.organization, { action: "customer.update" });
    expect(log.entries[0]).toMatchObject({
      before: { paymentTermsDays: 30 },
      after: { paymentTermsDays: 14, changed: ["name", "email"], personalFields: ["key", "name", "taxId"] },
    });
    expect(await refusalOf(customers.update(caller, { customer: "acme", timeZone: "Mars/Olympus" }))).toBe(
      "400 invalid-customer",
    );
  });
});

describe("a payer", () => {
  test("pays for others and has none itself: no chains, no cycles, one currency", async () => {
    await make("parent", { currency: "EUR" });
    await make("child", { payer: "parent" });
    await make("grandchild");
    const update = (customer: string, payer: string) =>
      refusalOf(customers.update(caller, { customer, payer }));
    expect(await update("grandchild", "child")).toBe("409 payer-has-payer");
    expect(await update("parent", "grandchild")).toBe("409 payer-has-payer");
    expect(await update("parent", "parent")).toBe("400 invalid-payer");
    expect(await update("parent", "nobody")).toBe("404 payer-not-found");
    await make("dollars", { currency: "USD" });
    expect(await update("dollars", "parent")).toBe("409 currency-mismatch");
    expect(await refusalOf(customers.update(caller, { customer: "child", currency: "USD" }))).toBe(
      "409 currency-mismatch",
    );
    const parent = await customers.get(caller.organization, "parent");
    const paidFor = await customers.list(caller.organization, { payer: parent.id, limit: 10 });
    expect(paidFor.map(({ key }) => key)).toEqual(["child"]);
  });

  test("of two who name each other at once, at most one does; the store itself refuses a chain", async () => {
    for (const key of ["a", "b", "c"]) await make(key);
    const answers = await Promise.all([
      refusalOf(customers.update(caller, { customer: "a", payer: "b" })),
      refusalOf(customers.update(caller, { customer: "b", payer: "a" })),
    ]);
    expect(answers.toSorted()).toEqual(["409 payer-has-payer", "no refusal"]);
    const [a, b, c] = await Promise.all(
      ["a", "b", "c"].map((key) => customers.get(caller.organization, key)),
    );
    const child = a!.payer === undefined ? b! : a!;
    const chain = postgres.inOrganization(
      caller.organization,
      (sql) => sql`UPDATE customers SET payer = ${child.id} WHERE id = ${c!.id}`,
    );
    await expect(chain).rejects.toMatchObject({ constraint_name: "customers_payer_no_chain" });
  });
});

describe("subjects", () => {
  test("are handed over from an instant on, with nothing lost or doubled", async () => {
    await make("a");
    await make("b");
    await customers.assignSubject(caller, { customer: "a", subject: "s" });
    const moment = at("2026-02-01T00:00:00.000001Z");
    await customers.reassignSubject(caller, { customer: "b", subject: "s", at: moment });
    const spans = await customers.spansOf(caller.organization, ["a", "b"]);
    expect(spans.map(({ from, to }) => [from, to])).toEqual([
      [0, moment],
      [moment, undefined],
    ]);
    expect(await refusalOf(customers.reassignSubject(caller, { customer: "b", subject: "none" }))).toBe(
      "404 subject-not-assigned",
    );
  });

  test("change backwards until they are invoiced, and the refusal says from when on", async () => {
    await make("a");
    await make("b");
    await customers.assignSubject(caller, { customer: "a", subject: "s", from: at("2026-01-01T00:00:00Z") });
    invoiced = at("2026-03-01T00:00:00Z");
    const before = at("2026-02-01T00:00:00Z");
    const end = await customers
      .endSubject(caller, { customer: "a", subject: "s", at: before })
      .catch((error: unknown) => error);
    expect((end as Refusal).problem).toMatchObject({ status: 409, from: "2026-03-01T00:00:00Z" });
    const { reassignSubject, assignSubject } = {
      reassignSubject: (moment: Instant) =>
        refusalOf(customers.reassignSubject(caller, { customer: "b", subject: "s", at: moment })),
      assignSubject: (from?: Instant) =>
        refusalOf(
          customers.assignSubject(caller, {
            customer: "b",
            subject: "t",
            ...(from === undefined ? {} : { from }),
          }),
        ),
    };
    expect(await reassignSubject(before)).toBe("409 already-invoiced");
    expect(await reassignSubject(invoiced)).toBe("no refusal");
    expect(await assignSubject(before)).toBe("409 already-invoiced");
    expect(await assignSubject()).toBe("no refusal");
    const spans = await customers.spansOf(caller.organization, ["b"]);
    expect(spans.map(({ subject, from }) => [subject, formatInstant(from)])).toEqual([
      ["s", "2026-03-01T00:00:00Z"],
      ["t", "2026-03-01T00:00:00Z"],
    ]);
  });
});

describe("erasing", () => {
  test("leaves no personal text in any table, audit log and idempotency keys included", async () => {
    const personal = {
      email: "jane.doe@zebra.example",
      address: { line1: "7 Zebra Lane", city: "Zebratown", country: "NZ" },
      taxId: "ZEBRA-77",
    };
    await customers.create(
      caller,
      { key: "zebra-jane", name: "Jane Zebra", timeZone: "UTC", ...personal },
      "k-1",
    );
    await customers.update(
      caller,
      { customer: "zebra-jane", name: "Jane Zebra-Doe", email: "jd@zebra.example" },
      "k-2",
    );
    await customers.assignSubject(caller, { customer: "zebra-jane", subject: "zebra-jane@home" }, "k-3");
    await customers.assignSubject(caller, { customer: "zebra-jane", subject: "device-1" });
    expect((await everything()).toLowerCase()).toContain("zebra");

    const erase = (confirm: string) =>
      customers.erase(caller, { customer: "zebra-jane", confirm, subjects: ["zebra-jane@home"] }, "k-4");
    expect(await refusalOf(erase("yes"))).toBe("400 erasure-not-confirmed");
    const erased = await erase("zebra-jane");
    expect(erased).toMatchObject({ subjectsErased: 1, subjectsKept: ["device-1"] });
    expect(erased.customer).toMatchObject({
      name: "erased",
      email: undefined,
      address: undefined,
      taxId: undefined,
    });
    const left = (await everything())
      .toLowerCase()
      .split("\n")
      .filter((row) => /zebra|jane/.test(row));
    expect(left).toEqual([]);

    const { id } = erased.customer;
    expect(await refusalOf(customers.update(caller, { customer: id, name: "Jane" }))).toBe(
      "409 customer-erased",
    );
    expect(await refusalOf(customers.assignSubject(caller, { customer: id, subject: "x" }))).toBe(
      "409 customer-erased",
    );
    const spans = await customers.subjectsOf(caller.organization, id);
    expect(spans.map(({ to }) => to)).toEqual([undefined, clock.now()]);
  });
});
