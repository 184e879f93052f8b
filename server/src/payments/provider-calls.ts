import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Clock } from "../kernel/clock.js";
import type { OrganizationId, PaymentAttemptId } from "../kernel/ids.js";
import { msOf } from "../kernel/instant.js";
import { abilityOf } from "./ability.js";
import { mustFindAttempt, newsOf, type AttemptNews } from "./attempts.js";
import type { BillingPort } from "./ports.js";
import type { ChargeReply, Charging, NewCharge, PaymentProvider, ProviderAccount } from "./provider.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import { ProviderBusy, ProviderRefusal, ProviderUnanswered } from "./provider-failure.js";
import type { ProviderGate } from "./provider-gate.js";
import { targetId, type PaymentAttempt } from "./store/attempts.js";
import { findMethod, findProviderCustomer, insertProviderCustomer } from "./store/payment-methods.js";

export interface ProviderCallsDependencies {
  readonly postgres: Postgres;
  readonly accounts: ProviderAccounts;
  readonly billing: BillingPort;
  readonly gate: ProviderGate;
  /** Real time: what a provider's key window counts in. */
  readonly clock: Clock;
}

const prepared_max = 1_000;
// Another key of the account is used after so long.
const prepared_ms_max = 10_000;

/** An attempt with what a call about it needs. */
interface Call {
  readonly account: ProviderAccount;
  readonly provider: PaymentProvider;
  readonly charging: Charging;
  readonly charge: NewCharge;
  /** Whether the attempt's keys still give the same answer at the provider. */
  readonly isInKeyWindow: boolean;
}

type PreparedCall = Omit<Call, "isInKeyWindow">;

/**
 * What is asked of providers about attempts. An answer becomes news; a call whose outcome nobody knows becomes the news that
 * it is not known. Nothing is ever sent again once the provider may have forgotten its key.
 */
export class ProviderCalls {
  readonly #on: ProviderCallsDependencies;
  /** What the calls of one charge share: it is asked for two or three times within a moment. */
  readonly #prepared = new Map<PaymentAttemptId, PreparedCall & { readonly at_ms: number }>();

  constructor(dependencies: ProviderCallsDependencies) {
    this.#on = dependencies;
  }

  /** Makes the charge of an attempt known; takes no money. @throws ProviderBusy */
  async create(organization: OrganizationId, id: PaymentAttemptId): Promise<AttemptNews> {
    const { attempt, ...call } = await this.#read(organization, id);
    this.#keep(id, call);
    const timed = this.#inTime(call, attempt);
    if (!timed.isInKeyWindow) return neverSent(attempt, await this.#lookUp(timed, attempt));
    const { account, charging, charge } = call;
    const fault = charging.amountFault(charge.amount);
    if (fault !== undefined)
      return { input: { kind: "refused", decline: { code: "amount", hardness: "setup", message: fault } } };
    return this.#news(timed, () => charging.create(account, charge));
  }

  /** Takes the money. @throws ProviderBusy */
  async confirm(organization: OrganizationId, attempt: PaymentAttempt): Promise<AttemptNews> {
    const call = await this.#prepare(organization, attempt);
    const { ref } = attempt;
    if (ref === undefined) throw new RangeError(`attempt ${attempt.id} is not known to its provider`);
    if (!call.isInKeyWindow) return this.#giveUp(call, attempt);
    const { account, charging, charge } = call;
    return this.#news(call, () => charging.confirm(account, { ...charge, ref }));
  }

  /** What became of it. @throws ProviderBusy */
  async lookUp(organization: OrganizationId, attempt: PaymentAttempt): Promise<AttemptNews> {
    const call = await this.#prepare(organization, attempt);
    return this.#lookUp(call, attempt);
  }

  /** Sees to it that nothing is taken of what was not confirmed; what became of it. @throws ProviderBusy */
  async cancel(organization: OrganizationId, attempt: PaymentAttempt): Promise<AttemptNews> {
    const call = await this.#prepare(organization, attempt);
    return this.#giveUp(call, attempt);
  }

  /** For a person who says so: also what was confirmed is taken back, where it still can be. @throws ProviderBusy */
  async withdraw(organization: OrganizationId, attempt: PaymentAttempt): Promise<AttemptNews> {
    const call = await this.#prepare(organization, attempt);
    const news = await this.#giveUp(call, attempt);
    const { input } = news;
    return input.kind === "processing" || input.kind === "requires_action"
      ? this.#cancel(call, attempt, input.ref)
      : news;
  }

  async #lookUp(call: Call, attempt: PaymentAttempt): Promise<AttemptNews> {
    const { account, charging, charge, isInKeyWindow } = call;
    const { ref, sentAt } = attempt;
    const reply = await this.#reply(call, () =>
      charging.lookUp(account, { attempt: attempt.id, ref, customerRef: charge.customerRef, sentAt }),
    );
    if ("input" in reply) return reply;
    if (reply.reply !== "not_found") return newsOf(reply.reply);
    // A request that was lost on its way may still arrive. Within the key window, making the charge known again finds it or
    // makes it, and takes nothing; after it, what was not found was never there.
    if (!isInKeyWindow || ref !== undefined) return { input: { kind: "not_found" } };
    return this.#news(call, () => charging.create(account, charge));
  }

  /** Ends a charge that took nothing: a late request for it is refused from then on. */
  async #giveUp(call: Call, attempt: PaymentAttempt): Promise<AttemptNews> {
    const found = await this.#lookUp(call, attempt);
    if (found.input.kind !== "created") return neverSent(attempt, found);
    return this.#cancel(call, attempt, found.input.ref);
  }

  #cancel(call: Call, { id }: PaymentAttempt, ref: string): Promise<AttemptNews> {
    return this.#news(call, () => call.charging.cancel(call.account, { attempt: id, ref }));
  }

  async #news(call: Call, work: () => Promise<ChargeReply>): Promise<AttemptNews> {
    const reply = await this.#reply(call, work);
    return "input" in reply ? reply : newsOf(reply.reply);
  }

  async #reply<T>(call: Call, work: () => Promise<T>): Promise<{ reply: T } | AttemptNews> {
    try {
      return { reply: await this.#on.gate.call(call, work) };
    } catch (error) {
      if (error instanceof ProviderBusy) throw error;
      if (error instanceof ProviderRefusal) return { input: { kind: "refused", decline: error.decline } };
      if (error instanceof ProviderUnanswered) return { input: { kind: "unanswered", error: error.message } };
      throw error;
    }
  }

  async #prepare(organization: OrganizationId, attempt: PaymentAttempt): Promise<Call> {
    const known = this.#prepared.get(attempt.id);
    if (known !== undefined && performance.now() - known.at_ms < prepared_ms_max)
      return this.#inTime(known, attempt);
    const call = await this.#read(organization, attempt.id);
    this.#keep(attempt.id, call);
    return this.#inTime(call, attempt);
  }

  #keep(id: PaymentAttemptId, { account, provider, charging, charge }: PreparedCall): void {
    const at_ms = performance.now();
    // Oldest first: what is too old is not kept, for there are secrets in it.
    for (const [old, { at_ms: since_ms }] of this.#prepared) {
      if (at_ms - since_ms < prepared_ms_max && this.#prepared.size < prepared_max) break;
      this.#prepared.delete(old);
    }
    this.#prepared.delete(id);
    this.#prepared.set(id, { account, provider, charging, charge, at_ms });
  }

  #inTime({ account, provider, charging, charge }: PreparedCall, { sentAt }: PaymentAttempt): Call {
    const age_ms = msOf(this.#on.clock.now()) - msOf(sentAt);
    return { account, provider, charging, charge, isInKeyWindow: age_ms < provider.keyWindow_ms };
  }

  async #read(
    organization: OrganizationId,
    id: PaymentAttemptId,
  ): Promise<PreparedCall & { readonly attempt: PaymentAttempt }> {
    const { postgres, accounts, billing } = this.#on;
    const { attempt, account, provider, method, customer, known, description } =
      await postgres.inOrganization(organization, async (sql) => {
        const found = await mustFindAttempt(sql, id);
        const { target } = found;
        const [opened, ofAttempt, payer, ref, invoice] = await Promise.all([
          accounts.open(sql, organization, found.account),
          findMethod(sql, found.method),
          billing.customer(sql, found.customer),
          findProviderCustomer(sql, found.account, found.customer),
          target.kind === "invoice" ? billing.invoice(sql, target.invoice) : undefined,
        ]);
        if (ofAttempt === undefined) throw new RangeError(`attempt ${id} has no method`);
        return {
          ...opened,
          attempt: found,
          method: ofAttempt,
          customer: payer,
          known: ref,
          description: invoice?.number ?? "Prepaid credit",
        };
      });
    const customerRef = known ?? (await this.customerRef(organization, account, provider, customer));
    const charge = {
      attempt: attempt.id,
      amount: { currency: attempt.currency, minor: attempt.amount },
      customerRef,
      methodRef: method.ref,
      description,
      target: targetId(attempt.target),
    };
    return { attempt, account, provider, charging: abilityOf(provider, "charging"), charge };
  }

  /** Whether asking again may bring news of an attempt; in a transaction. Otherwise its provider tells by files. */
  async isAsked(sql: Sql, organization: OrganizationId, attempt: PaymentAttempt): Promise<boolean> {
    return (await this.#on.accounts.open(sql, organization, attempt.account)).provider.isRemote;
  }

  /** The customer as the provider knows it, made known now when it is not. */
  async customerRef(
    organization: OrganizationId,
    account: ProviderAccount,
    provider: PaymentProvider,
    customer: { id: NewCustomerRef["customer"]; name: string; email: string | undefined },
  ): Promise<string> {
    const { postgres, gate, clock } = this.#on;
    const { methods } = provider;
    const createCustomer = methods?.createCustomer?.bind(methods);
    if (createCustomer === undefined) return customer.id;
    const known = await postgres.inOrganization(organization, (sql) =>
      findProviderCustomer(sql, account.id, customer.id),
    );
    if (known !== undefined) return known;
    const ref = await gate.call({ account, provider }, () => createCustomer(account, customer));
    return postgres.inOrganization(organization, (sql) =>
      insertProviderCustomer(sql, organization, {
        account: account.id,
        customer: customer.id,
        ref,
        at: clock.now(),
      }),
    );
  }
}

/** An attempt that was not sent, is not there, and is not sent any more, has ended. */
function neverSent({ state }: PaymentAttempt, news: AttemptNews): AttemptNews {
  if (state !== "pending" || news.input.kind !== "not_found") return news;
  const message = "The charge never reached the provider, and is too old to be sent.";
  return { input: { kind: "refused", decline: { code: "not_sent", hardness: "soft", message } } };
}

type NewCustomerRef = Parameters<typeof insertProviderCustomer>[2];
