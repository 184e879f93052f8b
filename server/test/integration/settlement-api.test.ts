// Settlement files over HTTP: what a client sees.
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openSettlementWorld, type SettlementWorld } from "../support/settlement/settlement-world.js";
import { balance_columns, stripeReport, type StripeRow } from "../support/settlement/stripe-report.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

const bytes_max = 4_000;
let weir: TestWeir;
let world: SettlementWorld;

beforeAll(async () => {
  weir = await startTestWeir("settlement-api", {
    WEIR_SETTLEMENT_BYTES_MAX: String(bytes_max),
    WEIR_SETTLEMENT_FILES_BYTES_MAX: String(bytes_max),
  });
  world = await openSettlementWorld(weir, "settlement-api");
});
afterAll(() => weir?.close());

interface Landed {
  readonly id: string;
  readonly state: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly alreadyLanded: boolean;
}

const report = (...rows: StripeRow[]) => Buffer.concat([...stripeReport(balance_columns, rows)]);
const charge = (number: number): StripeRow => ({
  id: `txn_${number}`,
  category: "charge",
  currency: "EUR",
  gross: 1_000n,
  fee: 30n,
  source: `ch_${number}`,
  payment: `pi_${number}`,
  description: "card 4111 1111 1111 1111",
});
const send = (query: Record<string, string>, body?: Buffer, headers: Record<string, string> = {}) =>
  weir.fetch(`/v1/settlement/files?${new URLSearchParams(query).toString()}`, {
    method: "POST",
    key: world.key,
    headers: { "content-type": "text/csv", ...headers },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
  });
const typeOf = async (response: Response) => {
  const { type } = (await response.json()) as { type: string };
  return `${response.status} ${type.slice(type.lastIndexOf("/") + 1)}`;
};

describe("landing", () => {
  test("202 for a new file, 200 for the same bytes again, and how far it is", async () => {
    await world.capture("pi_1", 1_000n);
    const file = report(charge(1));
    const first = await send({ account: "stripe", name: "a.csv" }, file);
    expect(first.status).toBe(202);
    const landed = (await first.json()) as Landed;
    expect(landed).toMatchObject({ bytes: file.length, alreadyLanded: false });
    await world.ended(landed.id);
    const again = await send({ account: world.stripe, name: "b.csv" }, file);
    expect(again.status).toBe(200);
    expect(await again.json()).toMatchObject({ id: landed.id, state: "posted", alreadyLanded: true });
    const seen = await weir.fetch(`/v1/settlement/files/${landed.id}`, { key: world.key });
    expect(await seen.json()).toMatchObject({
      id: landed.id,
      format: "stripe-balance-change",
      records: 1,
      matched: 1,
      unmatched: 0,
      posted: 1,
      refusal: null,
      failure: null,
    });
  });

  test("a gzipped body is the file that is in it", async () => {
    const file = report(charge(1), charge(2));
    const sent = await send({ account: "stripe", name: "c.csv" }, gzipSync(file), {
      "content-encoding": "gzip",
    });
    const landed = (await sent.json()) as Landed;
    expect(landed).toMatchObject({ bytes: file.length });
    await world.ended(landed.id);
    expect((await send({ account: "stripe", name: "c.csv" }, file)).status).toBe(200);
  });

  test("a named format is taken at its word", async () => {
    const query = { account: "stripe", name: "d.csv", format: "adyen-settlement-details" };
    const { id } = (await (await send(query, report(charge(3)))).json()) as Landed;
    await world.ended(id);
    const shown = await (await weir.fetch(`/v1/settlement/files/${id}`, { key: world.key })).json();
    expect(shown).toMatchObject({ state: "refused", format: "adyen-settlement-details" });
  });

  test("what cannot be is refused, with what to do", async () => {
    const file = report(charge(4));
    expect(await typeOf(await send({ account: "stripe" }, file))).toBe("400 invalid-settlement-file");
    expect(await typeOf(await send({ name: "e.csv" }, file))).toBe("400 invalid-settlement-file");
    expect(await typeOf(await send({ account: "stripe", name: "e.csv", more: "1" }, file))).toBe(
      "400 invalid-settlement-file",
    );
    expect(await typeOf(await send({ account: "stripe", name: "e.csv", format: "pdf" }, file))).toBe(
      "400 unknown-settlement-format",
    );
    expect(await typeOf(await send({ account: "nobody", name: "e.csv" }, file))).toBe(
      "404 provider-account-not-found",
    );
    expect(await typeOf(await send({ account: "bank", name: "a.csv" }, report(charge(1))))).toBe(
      "409 settlement-file-of-other-account",
    );
    const missing = await weir.fetch("/v1/settlement/files/stf_nothing", { key: world.key });
    expect(await typeOf(missing)).toBe("404 settlement-file-not-found");
    expect((await weir.fetch("/v1/settlement/files/stf_nothing", { key: "nothing" })).status).toBe(401);
  });

  test("a file over the limit is refused, said to be so large or found to be, packed or not, and nothing of it is kept", async () => {
    const rows = Array.from({ length: 60 }, (_, index) => charge(100 + index));
    const file = report(...rows);
    expect(file.length).toBeGreaterThan(bytes_max);
    expect(await typeOf(await send({ account: "stripe", name: "f.csv" }, file))).toBe(
      "413 settlement-file-too-large",
    );
    const packed = gzipSync(file);
    expect(packed.length).toBeLessThan(bytes_max);
    expect(
      await typeOf(await send({ account: "stripe", name: "f.csv" }, packed, { "content-encoding": "gzip" })),
    ).toBe("413 settlement-file-too-large");
    expect(
      await typeOf(
        await send({ account: "stripe", name: "f.csv" }, packed.subarray(0, 60), {
          "content-encoding": "gzip",
        }),
      ),
    ).toMatch(/^400 /);
    const names = (await weir.weir.services.settlement.files.list(world.organization, { limit: 50 })).map(
      ({ name }) => name,
    );
    expect(names).not.toContain("f.csv");
  });
});

test("what a record says in its file is shown word for word, but for numbers of cards", async () => {
  const { id } = (await (
    await send({ account: "stripe", name: "g.csv" }, report(charge(7), charge(8)))
  ).json()) as Landed;
  await world.ended(id);
  const { settlementFile } = await weir.graphql<{
    settlementFile: { records: { nodes: { position: number; original: Record<string, string> }[] } };
  }>(
    `{ settlementFile(id: "${id}") { records(first: 1, after: "1") { nodes { position original } } } }`,
    {},
    world.key,
  );
  const [record] = settlementFile.records.nodes;
  expect(record?.position).toBe(2);
  expect(record?.original).toMatchObject({ balance_transaction_id: "txn_8", payment_intent_id: "pi_8" });
  expect(record?.original["description"]).toBe("card ****1111");
});
