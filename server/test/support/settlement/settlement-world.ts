import { Readable } from "node:stream";
import type { Caller } from "../../../src/identity/index.js";
import { parseCurrency, type Currency } from "../../../src/kernel/currency.js";
import {
  newId,
  type CustomerId,
  type OrganizationId,
  type PaymentId,
  type ProviderAccountId,
} from "../../../src/kernel/ids.js";
import type { Settlement, SettlementFile } from "../../../src/settlement/index.js";
import { operationsOf } from "../graphql-operations.js";
import type { TestWeir } from "../test-weir.js";

/** An organization on a test clock with an account at Stripe, one at a bank, and a customer. */
export interface SettlementWorld {
  readonly organization: OrganizationId;
  readonly caller: Caller;
  readonly key: string;
  readonly stripe: ProviderAccountId;
  readonly bank: ProviderAccountId;
  readonly customer: CustomerId;
  readonly mutate: (field: string, selection: string) => Promise<unknown>;
  /** Money that was taken at Stripe, as our books have it. */
  capture(ref: string, minor: bigint, currency?: string): Promise<PaymentId>;
  /** A finalized invoice of 20.00 EUR: its id and number. */
  invoice(): Promise<{ id: string; number: string }>;
  land(
    account: ProviderAccountId,
    name: string,
    content: string | Iterable<Uint8Array>,
  ): Promise<{ file: SettlementFile; isNew: boolean }>;
  /** Lands a file and waits until nothing more happens to it by itself. */
  settle(
    account: ProviderAccountId,
    name: string,
    content: string | Iterable<Uint8Array>,
  ): Promise<SettlementFile>;
  ended(file: string): Promise<SettlementFile>;
  /** The open ones when no state is asked for. */
  exceptions(filter?: {
    state?: "open" | "resolved" | "ignored";
  }): ReturnType<Settlement["exceptions"]["list"]>;
  /** What is open: kind, amount and suspense of each, as a person would say it. */
  said(): Promise<string[]>;
  advance(to: string): Promise<void>;
  /** What an account of the books holds, in minor units: "suspense", "cash:pac_…". */
  balance(code: string, currency?: string): Promise<bigint>;
  /** Throws unless the books balance and agree with their transfers. */
  checkBooks(): Promise<void>;
}

export const world_begins = "2026-03-01T12:00:00Z";

export async function openSettlementWorld(weir: TestWeir, slug: string): Promise<SettlementWorld> {
  const { identity, payments, postgres, settlement, ledger, clock } = weir.weir.services;
  const { id: organization } = await identity.createOrganization({ slug, name: slug, mode: "live" });
  const { secret: key } = await identity.issueSystemKey(organization, { name: slug, kind: "secret" });
  const caller = { organization, key: "key_test" as Caller["key"], kind: "secret" as const };
  const operations = operationsOf((query) => weir.graphql(query, {}, key));
  await operations.mutate(`startTestClock(at: "${world_begins}")`, "{ now }");
  await operations.mutate(
    `createPlan(key: "monthly", name: "Monthly", currency: "EUR", graceHours: 0, prices: [
      { key: "fee", name: "Fee", charge: flat, timing: arrears, model: { flat: "20" } }])`,
    "{ id }",
  );
  const { id: customer } = (await operations.mutate(
    `createCustomer(key: "acme", name: "Acme GmbH", timeZone: "UTC")`,
    "{ id }",
  )) as { id: CustomerId };
  const stripe = newId("pac", clock.now());
  const bank = newId("pac", clock.now());
  await postgres.inOrganization(organization, async (sql) => {
    await sql`
      INSERT INTO provider_accounts (organization, id, key, provider, name, settings, currencies, created_at, updated_at)
      VALUES (${organization}, ${stripe}, 'stripe', 'stripe', 'Stripe', '{}', '{}', now(), now()),
             (${organization}, ${bank}, 'bank', 'bank_transfer', 'Bank', '{"iban": "NL91 ABNA 0417 1643 00", "holder": "Weir Example B.V."}', '{}', now(), now())`;
  });
  const currencyOf = (code: string): Currency => {
    const currency = parseCurrency(code);
    if (currency === undefined) throw new Error(`no currency ${code}`);
    return currency;
  };
  let sources = 0;
  const ended: SettlementWorld["ended"] = async (id) => {
    for (let look = 0; ; look += 1) {
      const file = await settlement.files.get(organization, id);
      if (["posted", "held", "refused"].includes(file.state) || file.stopped !== undefined) return file;
      if (look > 400) {
        const run = await weir.weir.services.workflows.inspect(organization, file.run ?? "");
        const failing = run?.steps.filter(({ error }) => error !== undefined);
        throw new Error(`file ${id} is still ${file.state}: ${JSON.stringify(failing?.slice(-1))}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  const land: SettlementWorld["land"] = (account, name, content) => {
    const body = Readable.from(typeof content === "string" ? [Buffer.from(content)] : content);
    return settlement.landing.land(caller, { account, name, body });
  };
  const exceptions: SettlementWorld["exceptions"] = (filter = { state: "open" }) =>
    settlement.exceptions.list(organization, { ...filter, limit: 200 });
  return {
    organization,
    caller,
    key,
    stripe,
    bank,
    customer,
    mutate: operations.mutate as SettlementWorld["mutate"],
    async capture(ref, minor, code = "EUR") {
      sources += 1;
      const payment = await postgres.inOrganization(organization, (sql) =>
        payments.captures.record(sql, organization, {
          customer,
          place: { kind: "provider_clearing", account: stripe },
          source: "manual",
          sourceId: `capture-${sources}`,
          amount: { currency: currencyOf(code), minor },
          invoices: [],
          topUp: undefined,
          ref,
          note: undefined,
          receivedAt: undefined,
        }),
      );
      return payment.id;
    },
    async invoice() {
      const { id: subscription } = (await operations.mutate(
        `createSubscription(customer: "acme", plan: "monthly", start: "2026-02-01T00:00:00Z")`,
        "{ id }",
      )) as { id: string };
      const { invoice } = (await operations.mutate(
        `createInvoice(subscription: "${subscription}", at: "2026-02-15T00:00:00Z")`,
        "{ invoice { id } }",
      )) as { invoice: { id: string } };
      const { number } = (await operations.mutate(`finalizeInvoice(id: "${invoice.id}")`, "{ number }")) as {
        number: string;
      };
      return { id: invoice.id, number };
    },
    land,
    async settle(account, name, content) {
      const { file } = await land(account, name, content);
      return ended(file.id);
    },
    ended,
    exceptions,
    said: async () =>
      (await exceptions()).map(
        ({ kind, amount, suspense }) =>
          `${kind} ${amount === undefined ? "-" : String(amount.minor)} ${suspense}`,
      ),
    async advance(to) {
      const { now, state } = await operations.advance(to);
      if (now !== to) throw new Error(`the clock stands at ${now}, ${state}, not ${to}`);
    },
    async balance(code, currency = "EUR") {
      const held = await postgres.inOrganization(organization, (sql) =>
        ledger.balancesOf(sql, [{ code, currency: currencyOf(currency) }]),
      );
      return held.get(`${code} ${currency}`) ?? 0n;
    },
    async checkBooks() {
      const { balanced, differences } = await ledger.trialBalance(organization);
      if (!balanced || differences.length > 0)
        throw new Error(`the books do not balance: ${JSON.stringify(differences)}`);
    },
  };
}
