import { recordAudit, runOnce } from "../../audit/index.js";
import type { Secrets } from "../../engines/secrets/index.js";
import type { Caller } from "../../identity/index.js";
import type { Clocks } from "../../kernel/clock.js";
import type { CustomerId, ProviderAccountId } from "../../kernel/ids.js";
import { day, formatInstant, instantFromMs, msOf, parseInstant, type Instant } from "../../kernel/instant.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Services } from "../../services.js";
import type { MailPort } from "../ports.js";
import { writeCardUpdateToken, type CardUpdateGrant } from "./card-update-token.js";
import { setupAccountFor } from "./setup-account.js";

/** A link that its holder enters a card by; who has it needs no key. */
export interface CardUpdateLink {
  readonly url: string;
  readonly customer: CustomerId;
  readonly account: ProviderAccountId;
  readonly expiresAt: Instant;
}

const valid_days = 30;

/**
 * Makes a link for a customer, to be sent by mail, say. It is stored nowhere: its signature says that it is ours. The same
 * idempotency key gives the same link.
 * @throws Refusal 404; 409 for an archived account or an erased customer; 422 when the account must be named
 */
export async function createCardUpdateLink(
  { services, caller }: { readonly services: Services; readonly caller: Caller },
  input: { readonly customer: string; readonly account?: string },
  idempotencyKey: string | undefined,
): Promise<CardUpdateLink> {
  const { organization } = caller;
  const { postgres, billing, clock, clocks } = services;
  const { id: customer, key, erasedAt } = await billing.customers.get(organization, input.customer);
  if (erasedAt !== undefined) throw erased(key);
  const { id: account } = await setupAccountFor({ services, caller }, customer, input.account);
  // In whole seconds, as the link keeps it.
  const end_s = Math.floor(msOf((clocks.of(organization).now() + valid_days * day) as Instant) / 1000);
  const given = { customer, account, expiresAt: formatInstant(instantFromMs(end_s * 1000)) };
  const request = { organization, idempotencyKey, action: "payment_method.create_update_link", input };
  const made = await postgres.inOrganization(organization, (sql) =>
    runOnce(sql, request, async () => {
      await recordAudit(sql, {
        organization,
        actor: caller,
        action: request.action,
        target: customer,
        before: undefined,
        after: { account, expiresAt: given.expiresAt },
        at: clock.now(),
      });
      return given;
    }),
  );
  const expiresAt = parseInstant(made.expiresAt);
  if (expiresAt === undefined)
    throw new Error(`a link was made until ${made.expiresAt}, which is no instant`);
  const grant = { organization, customer: made.customer, account: made.account, expiresAt };
  return { ...grant, url: linkTo(services, grant) };
}

export interface MailedLinks {
  readonly secrets: Secrets;
  readonly clocks: Clocks;
  readonly publicUrl: () => string;
}

/** The same link in a mail that Weir writes by itself: the mail's row is the record of it. */
export function mailedCardLinks(on: MailedLinks): MailPort["cardLinkOf"] {
  return (organization, customer, account) => {
    const expiresAt = (on.clocks.of(organization).now() + valid_days * day) as Instant;
    return linkTo(on, { organization, customer, account, expiresAt });
  };
}

function linkTo({ secrets, publicUrl }: Omit<MailedLinks, "clocks">, grant: CardUpdateGrant): string {
  return `${publicUrl()}/pay/${writeCardUpdateToken(secrets, grant)}`;
}

function erased(key: string): Refusal {
  const detail = `The personal data of "${key}" was erased, for good.`;
  return new Refusal(makeProblem("customer-erased", 409, "The customer was erased", detail));
}
