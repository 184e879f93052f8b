import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Clocks } from "../kernel/clock.js";
import { newId, uuidBytesOf, type OrganizationId, type PostingId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import {
  balanceChanges,
  balanceOf,
  checkPosting,
  compareSums,
  isBalanced,
  resolvedTransfers,
  reversed,
  type AccountSums,
  type MovedTransfers,
  type Posting,
  type Resolution,
  type SumDifference,
} from "./core/index.js";
import { openInstant } from "./ledger-months.js";
import { fingerprintOf } from "./fingerprint.js";
import { releasePending, writePostings, type Moves, type NewPosting } from "./store/write-postings.js";
import {
  findFingerprints,
  findPosting,
  findPostingByKey,
  listPostings,
  type PostingPage,
  type StoredPosting,
} from "./store/postings.js";
import { readAccountsAt, readControlSums } from "./store/sums-at.js";
import { lockSums, readBalances, readSums, type AccountInCurrency } from "./store/sums.js";

/** What posting did: the same posting again changes nothing. */
export type PostingOutcome = "posted" | "already_posted";

/** The books of an organization as of one moment. What is pending does not count. */
export interface TrialBalance {
  /** By code and currency. */
  readonly accounts: readonly AccountSums[];
  /** Debits equal credits in every currency. */
  readonly balanced: boolean;
  /** Kept balances that are not what the transfers add up to: none, ever. Of an instant that has passed none are kept. */
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
   * @throws Refusal 409 when a key stands for another content, or a posting's time has not come or lies in a closed month;
   *         nothing is posted then, once the transaction rolls back
   */
  async post(
    sql: Sql,
    organization: OrganizationId,
    postings: readonly Posting[],
  ): Promise<PostingOutcome[]> {
    if (postings.length === 0) return [];
    for (const posting of postings) checkPosting(posting);
    const now = this.#clocks.of(organization).now();
    // They are listed by id: those of one call in its order.
    const ids = postings.map(() => newId("pst", now)).sort();
    return this.#write(
      sql,
      organization,
      postings.map((posting, index) => newPosting(posting, now, ids[index])),
      now,
    );
  }

  /**
   * Undoes a posting by its opposite; both stay. Again changes nothing.
   * @throws Refusal 404; 409 for one that is pending, or that has voided one: neither moved anything
   */
  async reverse(
    sql: Sql,
    organization: OrganizationId,
    id: PostingId,
    reason: string,
  ): Promise<PostingOutcome> {
    const posting = await findPosting(sql, id);
    if (posting === undefined) throw unknownPosting(id);
    if (posting.pending || posting.transfers.length === 0) throw nothingToReverse(posting);
    const now = this.#clocks.of(organization).now();
    const opposite = newPosting(
      {
        idempotencyKey: `reverse:${id}`,
        reason,
        reference: posting.reference,
        transfers: reversed(posting.transfers),
        reverses: id,
      },
      now,
    );
    const [outcome = "already_posted"] = await this.#write(sql, organization, [opposite], now);
    return outcome;
  }

  /**
   * Ends a pending posting, once, by a posting of its own that names it: what was pending is posted, wholly or in part, or
   * voided. The same again changes nothing.
   *
   * @param pendingKey  the pending posting's idempotency key
   * @param how.amounts  of each of its transfers in turn, in minor units, at most what is pending; all of it when left out
   * @throws Refusal 404 for an unknown key; 409 for a posting that is not pending, or was resolved otherwise
   * @throws RangeError for amounts that are not of what is pending
   */
  async resolve(
    sql: Sql,
    organization: OrganizationId,
    pendingKey: string,
    resolution: Resolution,
    how: { readonly reason: string; readonly amounts?: readonly bigint[]; readonly at?: Instant },
  ): Promise<PostingOutcome> {
    const pending = await findPostingByKey(sql, pendingKey);
    if (pending === undefined) throw unknownPosting(pendingKey);
    if (!pending.pending) throw notPending(pending);
    if (resolution === "void" && how.amounts !== undefined)
      throw new RangeError("what is voided has no amounts");
    const now = this.#clocks.of(organization).now();
    const resolving = newPosting(
      {
        idempotencyKey: `resolve:${pending.id}`,
        reason: how.reason,
        reference: pending.reference,
        transfers: resolution === "void" ? [] : resolvedTransfers(pending.transfers, how.amounts),
        resolves: pending.id,
        resolution,
        ...(how.at === undefined ? {} : { at: how.at }),
      },
      now,
    );
    const shardOf = shardOfPending(pending.id);
    const released: MovedTransfers = { transfers: pending.transfers, shardOf, as: "released" };
    const changes = balanceChanges([
      { transfers: resolving.transfers, shardOf, as: "posted" },
      // Nothing in all: so that every row is locked here already, in the one order.
      released,
      { ...released, as: "pending" },
    ]);
    try {
      const [outcome = "already_posted"] = await this.#writeMoves(
        sql,
        organization,
        [resolving],
        now,
        () => changes,
      );
      if (outcome === "posted") await releasePending(sql, balanceChanges([released]));
      return outcome;
    } catch (error) {
      throw error instanceof Refusal && error.slug === posting_differs ? resolvedOtherwise(pending) : error;
    }
  }

  /** The first instant, at or after one, that is in no closed month: when what belongs to it can be posted. */
  openInstant(sql: Sql, at: Instant): Promise<Instant> {
    return openInstant(sql, at);
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

  /** Accounts by code and currency: as they are now, or as their transfers up to an instant make them, that included. */
  async accounts(
    organization: OrganizationId,
    { at, ...page }: { at?: Instant; prefix?: string; after?: AccountInCurrency; limit: number },
  ): Promise<AccountSums[]> {
    return this.#postgres.inOrganization(organization, async (sql) => {
      if (at === undefined) return readBalances(sql, page);
      const accounts = await readAccountsAt(sql, { ...page, at });
      if (accounts.every(({ isControl }) => !isControl)) return accounts.map(({ sums }) => sums);
      const { transferred } = await readControlSums(sql, { at, kept: false });
      const controls = new Map(transferred.map((sums) => [`${sums.code} ${sums.currency}`, sums]));
      return accounts.map(({ sums }) => controls.get(`${sums.code} ${sums.currency}`) ?? sums);
    });
  }

  /**
   * The control accounts: each kind of customers' accounts added up, every other account by itself, and whether they
   * balance. Now, compared with what is kept; or at an instant, postings of that very instant included.
   */
  async trialBalance(organization: OrganizationId, at?: Instant): Promise<TrialBalance> {
    const { transferred, kept } = await this.#postgres.inOrganization(organization, (sql) =>
      readControlSums(sql, { at, kept: at === undefined }),
    );
    const differences = at === undefined ? compareSums(kept, transferred) : [];
    return { accounts: transferred, balanced: isBalanced(transferred), differences };
  }

  #write(
    sql: Sql,
    organization: OrganizationId,
    postings: readonly NewPosting[],
    now: Instant,
  ): Promise<PostingOutcome[]> {
    return this.#writeMoves(sql, organization, postings, now, (some) => {
      // The same shards for all of a call: each row is written once.
      const chosen = this.#random();
      return balanceChanges(
        some.map(
          ({ id, pending, transfers }): MovedTransfers =>
            pending === true
              ? { transfers, shardOf: shardOfPending(id), as: "pending" }
              : { transfers, shardOf: (shards) => Math.floor(chosen * shards), as: "posted" },
        ),
      );
    });
  }

  async #writeMoves(
    sql: Sql,
    organization: OrganizationId,
    postings: readonly NewPosting[],
    now: Instant,
    changesOf: (postings: readonly NewPosting[]) => Moves["changes"],
  ): Promise<PostingOutcome[]> {
    const early = postings.find(({ at }) => at > now);
    if (early !== undefined) throw notYet(early, now);
    const sorted = sortedByKey(postings);
    const moves = (some: readonly NewPosting[]) => ({ postings: some, changes: changesOf(some) });
    const written = await writePostings(sql, organization, sorted, moves(sorted)).catch((error: unknown) => {
      throw isMonthClosed(error) ? monthClosed(error) : error;
    });
    if (written.size < postings.length) {
      const known = postings.filter(({ id }) => !written.has(id));
      await refuseOtherContent(sql, known);
      const fresh = sorted.filter(({ id }) => written.has(id));
      if (fresh.length > 0) await writePostings(sql, organization, [], moves(fresh));
    }
    return postings.map(({ id }) => (written.has(id) ? "posted" : "already_posted"));
  }
}

/** What the database says of a posting into a closed month: see weir_check_postings. */
function isMonthClosed(error: unknown): error is Error {
  return (
    error instanceof Error && "constraint_name" in error && error.constraint_name === "ledger_month_closed"
  );
}

function monthClosed({ message }: Error): Refusal {
  const detail = `${message}. What comes late is posted in the first month that is open, with its original service period.`;
  return new Refusal(makeProblem("month-closed", 409, "The month is closed", detail));
}

const posting_differs = "posting-differs";

function newPosting(
  posting: Omit<NewPosting, "id" | "at" | "fingerprint"> & { readonly at?: Instant },
  now: Instant,
  id: PostingId = newId("pst", now),
): NewPosting {
  return { ...posting, id, at: posting.at ?? now, fingerprint: fingerprintOf(posting) };
}

/** Pending sums are taken off the rows that they were added to. */
function shardOfPending(id: PostingId): (shards: number) => number {
  const last = uuidBytesOf(id).at(-1) ?? 0;
  return (shards) => last % shards;
}

function sortedByKey(postings: readonly NewPosting[]): readonly NewPosting[] {
  if (postings.length < 2) return postings;
  return [...postings].sort((one, other) => (one.idempotencyKey < other.idempotencyKey ? -1 : 1));
}

async function refuseOtherContent(sql: Sql, postings: readonly NewPosting[]): Promise<void> {
  const known = await findFingerprints(
    sql,
    postings.map(({ idempotencyKey }) => idempotencyKey),
  );
  const other = postings.find((posting) => known.get(posting.idempotencyKey) !== posting.fingerprint);
  if (other === undefined) return;
  const detail = `"${other.idempotencyKey}" was posted before with other transfers. A correction is a posting of its own.`;
  throw new Refusal(makeProblem(posting_differs, 409, "The posting differs from what stands", detail));
}

function notYet({ idempotencyKey, at }: NewPosting, now: Instant): Refusal {
  const detail = `"${idempotencyKey}" is to count at ${formatInstant(at)}, and it is ${formatInstant(now)}.`;
  return new Refusal(makeProblem("posting-in-future", 409, "The posting's time has not come", detail));
}

function nothingToReverse({ id, pending }: StoredPosting): Refusal {
  const detail = pending
    ? `Posting ${id} is pending: it is voided, not reversed.`
    : `Posting ${id} voided another and moved nothing.`;
  return new Refusal(makeProblem("posting-moved-nothing", 409, "There is nothing to reverse", detail));
}

function notPending({ id, idempotencyKey }: StoredPosting): Refusal {
  const detail = `"${idempotencyKey}" (${id}) counted at once. Reverse it instead.`;
  return new Refusal(makeProblem("posting-not-pending", 409, "The posting is not pending", detail));
}

function resolvedOtherwise({ id }: StoredPosting): Refusal {
  const detail = `Posting ${id} was resolved before, in another way or with other amounts.`;
  return new Refusal(makeProblem("posting-resolved", 409, "The posting was resolved before", detail));
}

function unknownPosting(idOrKey: string): Refusal {
  const detail = `There is no posting "${idOrKey.slice(0, 64)}".`;
  return new Refusal(makeProblem("posting-not-found", 404, "No such posting", detail));
}
