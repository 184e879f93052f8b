import type { Sql } from "../engines/postgres/index.js";
import type { Currency } from "../kernel/currency.js";
import {
  newId,
  type CreditGrantId,
  type CreditMovementId,
  type CustomerId,
  type InvoiceId,
  type OrganizationId,
} from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Ledger, Posting } from "../ledger/index.js";
import { draw, expire, giveBack } from "./core/index.js";
import { expiryPosting, revivalPosting } from "./grant-postings.js";
import { lockGrantsById, lockOpenGrants, type StoredGrant } from "./store/credit-grants.js";
import {
  insertMovements,
  selectUses,
  updateBalances,
  type CreditMovement,
  type GrantUse,
  type MovementKind,
} from "./store/credit-movements.js";

/**
 * What invoices do with grants, always in the caller's transaction, for many customers at once: a handful of statements
 * however many there are.
 */
export class GrantDraws {
  readonly #ledger: Ledger;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /**
   * The open grants of customers, each in the currency of its invoice, locked until the transaction ends. `selectGrants`
   * decides from them, service period by service period; then `applyGrants`.
   */
  async lockGrants(
    sql: Sql,
    of: readonly { readonly customer: CustomerId; readonly currency: Currency }[],
  ): Promise<StoredGrant[]> {
    return of.length === 0 ? [] : lockOpenGrants(sql, of);
  }

  /**
   * Draws on grants. The invoices' own postings (debit promotional_credit or prepaid_credit) are the caller's; what was
   * booked as expired before comes back from there by a posting of its own.
   *
   * @param uses  one per grant and invoice
   * @throws RangeError for an unknown grant, for more than remains of it, or for two uses of one by the same invoice
   */
  async applyGrants(
    sql: Sql,
    organization: OrganizationId,
    uses: readonly GrantUse[],
    at: Instant,
  ): Promise<void> {
    if (uses.length === 0) return;
    const grants = await this.#lock(sql, uses);
    const movements: CreditMovement[] = [];
    const postings: Posting[] = [];
    const seen = new Set<string>();
    for (const { grant: id, invoice, amount } of uses) {
      if (seen.size === seen.add(`${id} ${invoice}`).size)
        throw new RangeError(`invoice ${invoice} draws on grant ${id} twice`);
      const grant = mustHave(grants, id);
      const { balance, revived } = draw(grant, amount);
      grants.set(id, { ...grant, ...balance });
      movements.push(movement(grant, "use", amount, at, { invoice }));
      if (revived === 0n) continue;
      movements.push(movement(grant, "revive", revived, at, { invoice }));
      postings.push(...revivalPosting(grant, invoice, revived));
    }
    await this.#write(sql, organization, grants, movements, postings);
  }

  /**
   * Gives back what voided invoices drew, once, whoever asks how often. What goes back to a grant that is over by `at` is
   * booked as expired again; an invoice for a service period within its validity may still draw it.
   *
   * @returns what was given back by this call
   */
  async restoreGrants(
    sql: Sql,
    organization: OrganizationId,
    invoices: readonly InvoiceId[],
    at: Instant,
  ): Promise<GrantUse[]> {
    if (invoices.length === 0) return [];
    const known = await selectUses(sql, invoices);
    if (known.length === 0) return [];
    const grants = await this.#lock(sql, known);
    // Read again under the locks: another transaction may have restored in between.
    const uses = (await selectUses(sql, invoices)).filter(({ restored }) => !restored);
    const movements: CreditMovement[] = [];
    const postings: Posting[] = [];
    for (const { grant: id, invoice, amount } of uses) {
      const grant = mustHave(grants, id);
      grants.set(id, { ...grant, ...giveBack(grant, amount) });
      movements.push(movement(grant, "restore", amount, at, { invoice }));
    }
    for (const id of new Set(uses.map(({ grant }) => grant))) {
      const grant = mustHave(grants, id);
      if (grant.expiresAt === undefined || at < grant.expiresAt) continue;
      const { balance, amount } = expire(grant);
      if (amount === 0n) continue;
      grants.set(id, { ...grant, ...balance });
      const expiry = movement(grant, "expire", amount, at);
      movements.push(expiry);
      postings.push(...expiryPosting(grant, expiry.id, amount));
    }
    await this.#write(sql, organization, grants, movements, postings);
    return uses.map(({ grant, invoice, amount }) => ({ grant, invoice, amount }));
  }

  /**
   * Books what is left of a grant that is over: breakage, when it was paid for. Again changes nothing.
   * @returns what was booked, in minor units; undefined when there is no such grant or it is not over at `at`
   */
  async expireGrant(
    sql: Sql,
    organization: OrganizationId,
    id: CreditGrantId,
    at: Instant,
  ): Promise<{ readonly grant: StoredGrant; readonly amount: bigint } | undefined> {
    const [grant] = await lockGrantsById(sql, [id]);
    if (grant?.expiresAt === undefined || at < grant.expiresAt) return undefined;
    const { balance, amount } = expire(grant);
    if (amount === 0n) return { grant, amount };
    const expiry = movement(grant, "expire", amount, at);
    const after = { ...grant, ...balance };
    const postings = expiryPosting(grant, expiry.id, amount);
    await this.#write(sql, organization, new Map([[id, after]]), [expiry], postings);
    return { grant: after, amount };
  }

  async #lock(
    sql: Sql,
    uses: readonly { readonly grant: CreditGrantId }[],
  ): Promise<Map<CreditGrantId, StoredGrant>> {
    const locked = await lockGrantsById(sql, [...new Set(uses.map(({ grant }) => grant))]);
    return new Map(locked.map((grant) => [grant.id, grant]));
  }

  async #write(
    sql: Sql,
    organization: OrganizationId,
    grants: ReadonlyMap<CreditGrantId, StoredGrant>,
    movements: readonly CreditMovement[],
    postings: readonly Posting[],
  ): Promise<void> {
    if (movements.length === 0) return;
    await insertMovements(sql, organization, movements);
    await updateBalances(sql, grants);
    await this.#ledger.post(sql, organization, postings);
  }
}

export function movement(
  grant: StoredGrant,
  kind: MovementKind,
  amount: bigint,
  at: Instant,
  more: { readonly invoice?: InvoiceId; readonly reason?: string } = {},
): CreditMovement & { readonly id: CreditMovementId } {
  const { invoice, reason } = more;
  return { id: newId("crm", at), grant: grant.id, kind, amount, invoice, reason, at };
}

function mustHave(grants: ReadonlyMap<CreditGrantId, StoredGrant>, id: CreditGrantId): StoredGrant {
  const grant = grants.get(id);
  if (grant === undefined) throw new RangeError(`there is no credit grant ${id}`);
  return grant;
}
