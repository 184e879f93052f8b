import { eventually } from "./eventually.js";
import { expect } from "vitest";
import { askerOf, type Asker } from "./graphql-answers.js";
import {
  startPayingOrganization,
  stripeKey,
  webhookSecret,
  type PayingOrganization,
} from "./paying-organization.js";
import { startTestWeir, type TestWeir } from "./test-weir.js";

/** The nodes of a connection. */
export interface Nodes<T> {
  readonly nodes: readonly T[];
}

export interface Page<T> extends Nodes<T> {
  readonly pageInfo: { readonly endCursor: string; readonly hasNextPage: boolean };
}

export interface Money {
  readonly amount: string;
  readonly currency: string;
}
export const money = "{ amount currency }";

export interface Attempt {
  readonly id: string;
  readonly state: string;
  readonly decline: { readonly code: string; readonly hardness: string } | null;
}
export const attemptSelection = "{ id state decline { code hardness } }";

/** A card that pays. */
export const goodCard = "4242424242424242";

/** What of another organization a caller must not reach. */
export interface Others {
  readonly customer: string;
  readonly invoice: string;
  readonly method: string;
  readonly attempt: string;
  readonly payment: string;
}

/** Two organizations in one Weir that charge through simulated Stripes, asked over HTTP. */
export interface PaymentsApi {
  readonly weir: TestWeir;
  readonly paying: PayingOrganization;
  readonly other: PayingOrganization;
  readonly others: Others;
  readonly api: Asker;
  readonly otherApi: Asker;
  /** The clock's next first of a month: what is billed by then is finalized and charged. */
  readonly advance: () => Promise<void>;
  /** A customer on the next first: its invoice of 20.00 USD, and what it paid when it has a card. */
  readonly billed: (
    name: string,
    card?: string,
  ) => Promise<{ id: string; invoice: string; payment: string | undefined }>;
  /** The same in another currency, without a card: what it owes of one flat fee. */
  readonly billedIn: (currency: string, fee: string) => Promise<{ customer: string; invoice: string }>;
  readonly attach: (customer: string, card?: string) => Promise<{ id: string; isDefault: boolean }>;
  readonly attemptUntil: (id: string, isDone: (attempt: Attempt) => boolean) => Promise<Attempt>;
  /** That each of these is in the audit log, done by a key; the whole log is read like any answer. */
  readonly expectRecorded: (...actions: readonly string[]) => Promise<void>;
  /** That no answer so far has a secret of an account in it. */
  readonly expectNoSecret: (...more: readonly string[]) => void;
  readonly close: () => Promise<void>;
}

const quick = {
  delays: { refund_ms: 20, dispute_ms: 20, disputeDecision_ms: 20, available_ms: 0, payout_ms: 20 },
};

export async function startPaymentsApi(name: string): Promise<PaymentsApi> {
  const weir = await startTestWeir(name);
  const paying = await startPayingOrganization(weir, "paying", quick);
  const other = await startPayingOrganization(weir, "other", quick);
  const texts: string[] = [];
  const api = askerOf(weir, paying.key, texts);
  const otherApi = askerOf(weir, other.key);
  let month = 0;

  const advance = () => {
    month += 1;
    return paying.advance(`${new Date(Date.UTC(2028, month, 1)).toISOString().slice(0, 10)}T00:00:00Z`);
  };

  return {
    weir,
    paying,
    other,
    others: await paidInvoice(other, otherApi),
    api,
    otherApi,
    advance,
    async billed(customer, card) {
      const id = await paying.customer(customer, card);
      await advance();
      const { found } = await api.ask<{
        found: { receivables: Nodes<{ invoiceId: string }>; payments: Nodes<{ id: string }> };
      }>(
        `{ found: customer(idOrKey: "${customer}") { receivables { nodes { invoiceId } } payments { nodes { id } } } }`,
      );
      return { id, invoice: found.receivables.nodes[0]!.invoiceId, payment: found.payments.nodes[0]?.id };
    },
    async billedIn(currency, fee) {
      const customer = `in-${currency.toLowerCase()}`;
      await api.change(
        `createPlan(key: "${customer}", name: "${customer}", currency: "${currency}", graceHours: 0, prices: [
          { key: "fee", name: "Fee", charge: flat, timing: arrears, model: { flat: "${fee}" } }])`,
        "{ id }",
      );
      await api.change(
        `createCustomer(key: "${customer}", name: "${customer}", timeZone: "UTC", currency: "${currency}")`,
        "{ id }",
      );
      await api.change(`createSubscription(customer: "${customer}", plan: "${customer}")`, "{ id }");
      await advance();
      const { found } = await api.ask<{ found: { receivables: Nodes<{ invoiceId: string }> } }>(
        `{ found: customer(idOrKey: "${customer}") { receivables { nodes { invoiceId } } } }`,
      );
      return { customer, invoice: found.receivables.nodes[0]!.invoiceId };
    },
    attach(customer, card = goodCard) {
      const method = paying.stripe.simulator.createPaymentMethod({ number: card });
      return api.change<{ id: string; isDefault: boolean }>(
        `attachPaymentMethod(customer: "${customer}", account: "stripe", method: "${method}")`,
        "{ id isDefault }",
      );
    },
    attemptUntil: (id, isDone) =>
      eventually(async () => {
        const answer = await api.ask<{ paymentAttempt: Attempt }>(
          `{ paymentAttempt(id: "${id}") ${attemptSelection} }`,
        );
        return answer.paymentAttempt;
      }, isDone),
    async expectRecorded(...actions) {
      const entries: { readonly action: string; readonly actor: string }[] = [];
      let after = "";
      for (;;) {
        const { auditLog } = await api.ask<{ auditLog: Page<{ action: string; actor: string }> }>(
          `{ auditLog(first: 100${after}) { nodes { action actor target before after } pageInfo { endCursor hasNextPage } } }`,
        );
        entries.push(...auditLog.nodes);
        if (!auditLog.pageInfo.hasNextPage) break;
        after = `, after: "${auditLog.pageInfo.endCursor}"`;
      }
      const done = new Set(
        entries.filter(({ actor }) => actor.startsWith("key_")).map(({ action }) => action),
      );
      expect(actions.filter((action) => !done.has(action))).toEqual([]);
    },
    expectNoSecret(...more) {
      const all = texts.join("\n");
      expect(all.length).toBeGreaterThan(0);
      expect([stripeKey, webhookSecret, ...more].filter((secret) => all.includes(secret))).toEqual([]);
    },
    async close() {
      await paying.stop();
      await other.stop();
      await weir.close();
    },
  };
}

async function paidInvoice(organization: PayingOrganization, api: Asker): Promise<Others> {
  await organization.customer("theirs", goodCard);
  await organization.advance("2028-02-01T00:00:00Z");
  const { customer } = await api.ask<{
    customer: {
      id: string;
      paymentMethods: Nodes<{ id: string }>;
      payments: Nodes<{ id: string; attempt: { id: string }; allocations: { invoiceId: string }[] }>;
    };
  }>(
    '{ customer(idOrKey: "theirs") { id paymentMethods { nodes { id } } payments { nodes { id attempt { id } allocations { invoiceId } } } } }',
  );
  const [payment] = customer.payments.nodes;
  return {
    customer: customer.id,
    method: customer.paymentMethods.nodes[0]!.id,
    payment: payment!.id,
    attempt: payment!.attempt.id,
    invoice: payment!.allocations[0]!.invoiceId,
  };
}
