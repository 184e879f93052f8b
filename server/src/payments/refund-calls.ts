import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId, RefundId } from "../kernel/ids.js";
import { msOf } from "../kernel/instant.js";
import { abilityOf } from "./ability.js";
import type { BillingPort } from "./ports.js";
import type { RefundReply } from "./provider.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import { ProviderBusy, ProviderRefusal, ProviderUnanswered } from "./provider-failure.js";
import type { ProviderGate } from "./provider-gate.js";
import type { RefundPayees } from "./refund-payees.js";
import { mustFindPayment, mustFindRefund } from "./refund-outcomes.js";
import { listAllocations, type Payment } from "./store/payments.js";
import type { Refund } from "./store/refunds.js";

export interface RefundCallsDependencies {
  readonly postgres: Postgres;
  readonly accounts: ProviderAccounts;
  readonly gate: ProviderGate;
  readonly billing: BillingPort;
  readonly payees: RefundPayees;
  /** Real time: what a provider's key window counts in. */
  readonly clock: Clock;
}

const described_invoices_max = 5;

/** What is asked of providers about refunds. Nothing is sent again once the provider may have forgotten its key. */
export class RefundCalls {
  readonly #on: RefundCallsDependencies;

  constructor(dependencies: RefundCallsDependencies) {
    this.#on = dependencies;
  }

  /** Sends a refund, or asks what became of it. @throws ProviderBusy */
  async send(organization: OrganizationId, id: RefundId): Promise<RefundReply | "unanswered"> {
    const { postgres, accounts, gate, payees, clock } = this.#on;
    const { refund, payment, opened, description } = await postgres.inOrganization(
      organization,
      async (sql) => {
        const found = await mustFindRefund(sql, id);
        const of = await mustFindPayment(sql, found.payment);
        if (of.account === undefined) throw new RangeError(`refund ${id} goes through no provider`);
        return {
          refund: found,
          payment: of,
          opened: await accounts.open(sql, organization, of.account),
          description: await this.#describe(sql, of),
        };
      },
    );
    const { account, provider } = opened;
    const sending = abilityOf(provider, "refunds");
    const chargeRef = payment.ref;
    const amount = { currency: refund.currency, minor: refund.amount };
    const { ref, sentAt } = refund;
    const isInKeyWindow = sentAt !== undefined && msOf(clock.now()) - msOf(sentAt) < provider.keyWindow_ms;
    try {
      return await gate.call(opened, async () => {
        const found = await sending.lookUpRefund(account, { refund: id, ref, chargeRef });
        if (found !== "not_found") return found;
        if (isInKeyWindow)
          return sending.refund(account, {
            refund: id,
            payment: payment.id,
            chargeRef,
            amount,
            payee: payees.open(organization, refund),
            description,
          });
        if (ref === undefined) return neverSent(id);
        throw new ProviderUnanswered("the provider does not know the refund any more");
      });
    } catch (error) {
      if (error instanceof ProviderRefusal) return failed(ref ?? `refused:${id}`, error.message);
      if (error instanceof ProviderBusy) throw error;
      if (error instanceof ProviderUnanswered) return "unanswered";
      throw error;
    }
  }

  /** Whether asking again may tell more; what goes out by files is told of by files. */
  async isAsked(sql: Sql, organization: OrganizationId, { payment }: Refund): Promise<boolean> {
    const { account } = await mustFindPayment(sql, payment);
    return (
      account === undefined || (await this.#on.accounts.open(sql, organization, account)).provider.isRemote
    );
  }

  /** What the payee reads: the invoices that the payment went to. */
  async #describe(sql: Sql, { id }: Payment): Promise<string> {
    const allocations = (await listAllocations(sql, [id])).slice(0, described_invoices_max);
    const numbers = [];
    for (const { invoice } of allocations)
      numbers.push((await this.#on.billing.invoice(sql, invoice)).number);
    return ["Refund", ...numbers].join(" ");
  }
}

/** All refunds of the charge were seen, it is not among them, and it is not sent any more: it has ended. */
function neverSent(id: RefundId): RefundReply {
  return failed(`unsent:${id}`, "it never reached the provider, and is too old to be sent");
}

function failed(ref: string, failure: string): RefundReply {
  return { ref, state: "failed", failure, settled: undefined };
}
