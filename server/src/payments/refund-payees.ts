import { findEarlierAnswer, type MutationRequest } from "../audit/index.js";
import type { Postgres } from "../engines/postgres/index.js";
import type { Secrets } from "../engines/secrets/index.js";
import { parseIban } from "../kernel/iban.js";
import type { OrganizationId, RefundId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { BillingPort, PayersPort } from "./ports.js";
import type { Payee } from "./provider.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import { findPayment, type Payment } from "./store/payments.js";
import type { Refund } from "./store/refunds.js";

export interface RefundPayeesDependencies {
  readonly postgres: Postgres;
  readonly accounts: ProviderAccounts;
  readonly billing: BillingPort;
  readonly payers: PayersPort;
  readonly secrets: Pick<Secrets, "seal" | "openText">;
}

const name_length_max = 140;

/** Whose account a refund goes to, where its provider pays to accounts: sealed with the refund. */
export class RefundPayees {
  readonly #on: RefundPayeesDependencies;

  constructor(dependencies: RefundPayeesDependencies) {
    this.#on = dependencies;
  }

  /**
   * Where a refund that is asked for is to go: known before it is made, since its provider can ask nobody. Undefined where it goes
   * back as it came, and for a request that was answered before.
   * @throws Refusal 400 for a payee that is none; 422 when it is not known, or not ours to say
   */
  async payeeFor(
    request: MutationRequest,
    input: { readonly payment: string; readonly payee?: Payee },
  ): Promise<Payee | undefined> {
    const { organization } = request;
    const { postgres, accounts, payers, billing } = this.#on;
    const known = await postgres.inOrganization(organization, async (sql) => {
      const payment = await findPayment(sql, input.payment);
      if (payment === undefined || (await findEarlierAnswer(sql, request)) !== undefined) return undefined;
      const provider =
        payment.account === undefined
          ? undefined
          : (await accounts.open(sql, organization, payment.account)).provider;
      return { payment, to: provider?.refunds?.to, customer: await billing.customer(sql, payment.customer) };
    });
    if (known === undefined) return undefined;
    const { payment, to, customer } = known;
    if (to !== "account") {
      if (input.payee !== undefined) throw notOurs(payment);
      return undefined;
    }
    if (input.payee !== undefined) return checked(input.payee);
    const payer = await payers.find(organization, payment.sourceId);
    if (payer === undefined) throw unknown(payment);
    return checked({ name: payer.name ?? customer.name, iban: payer.iban });
  }

  seal(organization: OrganizationId, refund: RefundId, payee: Payee | undefined): Uint8Array | undefined {
    return payee && this.#on.secrets.seal(JSON.stringify(payee), contextOf(organization, refund));
  }

  open(organization: OrganizationId, { id, payee }: Pick<Refund, "id" | "payee">): Payee | undefined {
    if (payee === undefined) return undefined;
    return JSON.parse(this.#on.secrets.openText(payee, contextOf(organization, id))) as Payee;
  }
}

function contextOf(organization: OrganizationId, id: RefundId): string {
  return `refunds:${organization}:${id}`;
}

/** @throws Refusal 400 listing every fault by field */
function checked({ name, iban }: Payee): Payee {
  const account = parseIban(iban);
  const errors: { field: string; message: string }[] = [];
  if (name.trim() === "" || name.length > name_length_max)
    errors.push({ field: "payee.name", message: `1 to ${name_length_max} characters` });
  if (account === undefined) errors.push({ field: "payee.iban", message: "is no IBAN" });
  if (errors.length === 0 && account !== undefined) return { name, iban: account };
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  throw new Refusal(makeProblem("invalid-refund", 400, "The refund is not valid", detail, { errors }));
}

function unknown({ id }: Payment): Refusal {
  const detail = `The bank's statement does not say which account payment ${id} came from. Name the account that the refund goes to.`;
  return new Refusal(makeProblem("payee-unknown", 422, "Where the refund goes is not known", detail));
}

function notOurs({ id }: Payment): Refusal {
  const detail = `What goes back of payment ${id} goes where it came from: leave the payee out.`;
  return new Refusal(
    makeProblem("payee-not-possible", 422, "The refund goes back where it came from", detail),
  );
}
