import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId, type PostingId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import {
  balanceOf,
  checkPosting,
  compareSums,
  isBalanced,
  reversed,
  type AccountSums,
  type Posting,
  type SumDifference,
} from "./core/index.js";
import {
  addToBalances,
  fingerprintOf,
  insertPostings,
  insertTransfers,
  openAccounts,
  type NewPosting,
} from "./store/post.js";
import {
  findFingerprints,
  findPosting,
  listPostings,
  type PostingPage,
  type StoredPosting,
} from "./store/postings.js";
import { lockSums, readBalances, readSums, readTrialBalance, type AccountInCurrency } from "./store/sums.js";

/** What posting did: the same posting again changes nothing. */
export type PostingOutcome = "posted" | "already_posted";

/** The books of an organization as of one moment. */
export interface TrialBalance {
  readonly accounts: readonly AccountSums[];
  /** Debits equal credits in every currency. */
  readonly balanced: boolean;
  /** Kept balances that are not what the transfers add up to: none, ever. */
  readonly differences: readonly SumDifference[];
}

/** Double entry: postings of transfers between accounts, append-only. The invariants are in docs/spec/ledger.md. */
export class Ledger {
  readonly #postgres: Postgres;
  readonly #clocks: Clocks;
  readonly #random: () => number;

  constructor(options: { postgres: Postgres; clocks: Clocks; random?: () => number }) {
    this.#postgres = options.postgres;
    this.#clocks = options.clocks;
    this.#random = options.random ?? Math.random;
  }

  /**
   * Posts in the caller's transaction, so that the ledger and what it stands for commit together. Many at once cost
   * little more than one.
   *
   * @returns the outcome of each, in order
   * @throws Refusal 409 when a key stands for another content, or a posting's time has not come; nothing is posted then,
   *         once the transaction rolls back
   */
  async post(
    sql: Sql,
    organization: OrganizationId,
    postings: readonly Posting[],
  ): Promise<PostingOutcome[]> {
    if (postings.length === 0) return [];
    for (const posting of postings) checkPosting(posting);
    const now = this.#clocks.of(organization).now();
    const fresh = postings.map((posting) => ({ ...posting, id: newId("pst", now), at: posting.at ?? now }));
    const early = fresh.find(({ at }) => at > now);
    if (early !== undefined) throw notYet(early, now);
    return this.#write(sql, organization, fresh, now);
  }

  /**
   * Undoes a posting by its opposite; both stay. Again changes nothing.
   * @throws Refusal 404
   */
  async reverse(
    sql: Sql,
    organization: OrganizationId,
    id: PostingId,
    reason: string,
  ): Promise<PostingOutcome> {
    const posting = await findPosting(sql, id);
    if (posting === undefined) throw unknownPosting(id);
    const now = this.#clocks.of(organization).now();
    const opposite: NewPosting = {
      id: newId("pst", now),
      at: now,
      idempotencyKey: `reverse:${id}`,
      reason,
      reference: posting.reference,
      transfers: reversed(posting.transfers),
      reverses: id,
    };
    const [outcome = "already_posted"] = await this.#write(sql, organization, [opposite], now);
    return outcome;
  }

  /**
   * What accounts hold now, by `code currency`, in the caller's transaction; those without a transfer are left out.
   * @param hold  keeps others from changing them until the transaction ends
   */
  async balancesOf(
    sql: Sql,
    accounts: readonly AccountInCurrency[],
    { hold = false } = {},
  ): Promise<ReadonlyMap<string, bigint>> {
    if (accounts.length === 0) return new Map();
    if (hold) await lockSums(sql, accounts);
    const sums = await readSums(sql, accounts);
    return new Map(sums.map((one) => [`${one.code} ${one.currency}`, balanceOf(one.type, one)]));
  }

  async postings(organization: OrganizationId, page: PostingPage): Promise<StoredPosting[]> {
    return this.#postgres.inOrganization(organization, (sql) => listPostings(sql, page));
  }

  async findPosting(organization: OrganizationId, id: string): Promise<StoredPosting | undefined> {
    return this.#postgres.inOrganization(organization, (sql) => findPosting(sql, id));
  }

  /** @throws Refusal 404 */
  async posting(organization: OrganizationId, id: string): Promise<StoredPosting> {
    const found = await this.findPosting(organization, id);
    if (found === undefined) throw unknownPosting(id);
    return found;
  }

  /** Accounts with their kept sums, by code and currency. */
  async accounts(
    organization: OrganizationId,
    page: { prefix?: string; after?: string; limit: number },
  ): Promise<AccountSums[]> {
    return this.#postgres.inOrganization(organization, (sql) => readBalances(sql, page));
  }

  /** Adds everything up anew and compares. */
  async trialBalance(organization: OrganizationId): Promise<TrialBalance> {
    const { kept, transferred } = await this.#postgres.inOrganization(organization, readTrialBalance);
    return { accounts: kept, balanced: isBalanced(kept), differences: compareSums(kept, transferred) };
  }

  async #write(
    sql: Sql,
    organization: OrganizationId,
    postings: readonly NewPosting[],
    now: Instant,
  ): Promise<PostingOutcome[]> {
    const written = await insertPostings(sql, organization, postings);
    const fresh = postings.filter(({ id }) => written.has(id));
    if (fresh.length < postings.length) {
      await refuseOtherContent(
        sql,
        postings.filter(({ id }) => !written.has(id)),
      );
    }
    if (fresh.length > 0) {
      await openAccounts(sql, organization, fresh, now);
      await insertTransfers(sql, organization, fresh);
      await addToBalances(sql, organization, fresh, this.#random);
    }
    return postings.map(({ id }) => (written.has(id) ? "posted" : "already_posted"));
  }
}

async function refuseOtherContent(sql: Sql, postings: readonly NewPosting[]): Promise<void> {
  const known = await findFingerprints(
    sql,
    postings.map(({ idempotencyKey }) => idempotencyKey),
  );
  const other = postings.find((posting) => known.get(posting.idempotencyKey) !== fingerprintOf(posting));
  if (other === undefined) return;
  const detail = `"${other.idempotencyKey}" was posted before with other transfers. A correction is a posting of its own.`;
  throw new Refusal(makeProblem("posting-differs", 409, "The posting differs from what stands", detail));
}

function notYet({ idempotencyKey, at }: NewPosting, now: Instant): Refusal {
  const detail = `"${idempotencyKey}" is to count at ${formatInstant(at)}, and it is ${formatInstant(now)}.`;
  return new Refusal(makeProblem("posting-in-future", 409, "The posting's time has not come", detail));
}

function unknownPosting(id: string): Refusal {
  return new Refusal(
    makeProblem("posting-not-found", 404, "No such posting", `There is no posting "${id}".`),
  );
}
