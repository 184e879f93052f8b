import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { compareDigests, compareSums, type LedgerFault } from "./core/index.js";
import { fingerprintOf } from "./fingerprint.js";
import type { LedgerMonths } from "./ledger-months.js";
import { lastBlock } from "./store/blocks.js";
import { selectPostings } from "./store/postings.js";
import { readControlSums } from "./store/sums-at.js";
import { checkBlock, countBlocks } from "./store/verify-blocks.js";
import { checkRows, replayAccounts, selectUnsealedIds } from "./store/verify-rows.js";

/** How far a verification has come, and what it found. Counts are of this part of it. */
export interface VerificationPart {
  /** What was looked at last. */
  readonly stage: VerificationStage;
  /** Blocks there are in all. */
  readonly blocksInAll: number;
  readonly blocks: number;
  readonly postings: number;
  readonly accounts: number;
  readonly fault: LedgerFault | undefined;
  /** Where to go on; undefined at the end, or where something is wrong. */
  readonly next: string | undefined;
}

/**
 * What is computed anew, in this order: the chain of blocks with every posting, transfer and sum in them; rows that no block
 * knows of; postings that wait for a block, by their fingerprints; kept sums, those of control accounts and then of each
 * customer's; closed months.
 */
export const verification_stages = ["blocks", "rows", "unsealed", "control", "accounts", "months"] as const;
export type VerificationStage = (typeof verification_stages)[number];

// A part ends after so long: a whole verification is as many requests as it takes.
const part_ms_max = 4_000;
const rows_page = 20_000;
const postings_page = 500;
const accounts_page = 200;

interface Place {
  readonly stage: VerificationStage;
  /** What was looked at last in the stage; "" at its beginning. */
  readonly after: string;
}

interface StageStep {
  readonly fault?: LedgerFault | undefined;
  /** Where to go on in the stage; undefined when it is done. */
  readonly after?: string | undefined;
  readonly blocks?: number;
  readonly postings?: number;
  readonly accounts?: number;
}

/** Computes the books anew and compares: nothing in them is believed. */
export class LedgerVerification {
  readonly #postgres: Postgres;
  readonly #months: Pick<LedgerMonths, "check">;

  constructor(options: { postgres: Postgres; months: Pick<LedgerMonths, "check"> }) {
    this.#postgres = options.postgres;
    this.#months = options.months;
  }

  /**
   * Goes on with a verification for some seconds.
   * @param after  where the part before ended (its `next`); from the beginning when left out
   * @throws Refusal 400 for an `after` that is none
   */
  async verify(organization: OrganizationId, after?: string): Promise<VerificationPart> {
    const began = performance.now();
    let place: Place | undefined = after === undefined ? { stage: "blocks", after: "" } : readPlace(after);
    let done = { blocks: 0, postings: 0, accounts: 0 };
    const blocksInAll = await this.#postgres.inOrganization(organization, countBlocks);
    for (;;) {
      const { stage } = place;
      const step = await this.#step(organization, place, blocksInAll);
      done = {
        blocks: done.blocks + (step.blocks ?? 0),
        postings: done.postings + (step.postings ?? 0),
        accounts: done.accounts + (step.accounts ?? 0),
      };
      place = step.fault === undefined ? placeAfter(place, step.after) : undefined;
      const isOver = place === undefined || performance.now() - began > part_ms_max;
      if (!isOver && place !== undefined) continue;
      const next = place === undefined ? undefined : `${place.stage}:${place.after}`;
      return { stage, blocksInAll, ...done, fault: step.fault, next };
    }
  }

  #step(organization: OrganizationId, { stage, after }: Place, blocks: number): Promise<StageStep> {
    return this.#postgres.inOrganization(organization, async (sql) => {
      switch (stage) {
        case "blocks":
          return verifyBlock(sql, organization, after, blocks);
        case "rows":
          return verifyRows(sql, after);
        case "unsealed":
          return verifyUnsealed(sql, after);
        case "control":
          return verifyControlSums(sql);
        case "accounts":
          return verifyAccounts(sql, after);
        case "months":
          return verifyMonth(await this.#months.check(sql, after));
        default:
          return stage satisfies never;
      }
    });
  }
}

/** @param after  the block before and its hash, as "12 1f2e…"; "" before the first */
async function verifyBlock(
  sql: Sql,
  organization: OrganizationId,
  after: string,
  blocks: number,
): Promise<StageStep> {
  const [before = "0", hash = await seedOf(sql, organization)] = after === "" ? [] : after.split(" ");
  const number = Number(before) + 1;
  if (number > blocks) return {};
  const block = await checkBlock(sql, organization, number);
  const fault = (message: string): StageStep => ({ fault: { kind: "block", block: number, message } });
  if (block === undefined) return fault(`block ${number} of ${blocks} is missing`);
  if (block.changed !== null) {
    const { position, posting, sealed, found } = block.changed;
    const changed = compareDigests({ block: number, position, posting }, sealed, found ?? undefined);
    if (changed !== undefined) return { fault: changed };
  }
  if (block.previous !== hash)
    return fault(`block ${number} does not follow the block before it: that has another hash`);
  if (block.computedHash !== block.hash)
    return fault(
      `block ${number} has another hash than what is sealed in it: a part of it was changed, removed or put in`,
    );
  if (!block.fits)
    return fault(`block ${number} says another number of postings, or other times, than it has`);
  if (block.differing !== null) {
    const { code, currency } = block.differing;
    const message = `the sums of ${code} in ${currency} that block ${number} keeps are not those of its postings`;
    return { fault: { kind: "sums", block: number, account: code, message } };
  }
  return { blocks: 1, postings: block.postings, after: `${number} ${block.hash}` };
}

async function seedOf(sql: Sql, organization: OrganizationId): Promise<string> {
  return (await lastBlock(sql, organization, { before: 1 })).hash;
}

async function verifyRows(sql: Sql, after: string): Promise<StageStep> {
  const { until, unsealed, orphan } = await checkRows(sql, { after, limit: rows_page });
  if (orphan !== undefined) {
    const { posting, position } = orphan;
    const message = `there is a transfer at position ${position} of posting ${posting}, which is not there`;
    return { fault: { kind: "transfer", posting, position, message } };
  }
  if (unsealed !== undefined) {
    const message = `posting ${unsealed} is in no block, though postings of later transactions are sealed: it was put in, or its block was removed`;
    return { fault: { kind: "posting", posting: unsealed, message } };
  }
  return { after: until };
}

async function verifyUnsealed(sql: Sql, after: string): Promise<StageStep> {
  const ids = await selectUnsealedIds(sql, { after, limit: postings_page });
  for (const posting of await selectPostings(sql, ids)) {
    if (fingerprintOf(posting) === posting.fingerprint) continue;
    const message = `posting ${posting.id}, in no block yet, has other transfers, or another reason or reference, than its fingerprint is of`;
    return { fault: { kind: "posting", posting: posting.id, message } };
  }
  return { postings: ids.length, after: ids.length < postings_page ? undefined : ids.at(-1) };
}

async function verifyControlSums(sql: Sql): Promise<StageStep> {
  const { kept, transferred } = await readControlSums(sql, { at: undefined, kept: true });
  const [difference] = compareSums(kept, transferred);
  if (difference === undefined) return { accounts: kept.length };
  const { code, currency, side } = difference;
  const message = `${code} in ${currency}: the kept ${side} sum is ${difference.kept}, its transfers add up to ${difference.transferred}`;
  return { fault: { kind: "sums", account: code, message } };
}

/** @param after  an account as "code currency" */
async function verifyAccounts(sql: Sql, after: string): Promise<StageStep> {
  const [code = "", currency = ""] = after.split(" ");
  const accounts = await replayAccounts(sql, { after: { code, currency }, limit: accounts_page });
  for (const account of accounts) {
    if (account.kept.every((sum, index) => sum === account.replayed[index])) continue;
    const message = `${account.code} in ${account.currency}: kept are ${sumsText(account.kept)}, its transfers add up to ${sumsText(account.replayed)}`;
    return { fault: { kind: "sums", account: account.code, message } };
  }
  const last = accounts.length < accounts_page ? undefined : accounts.at(-1);
  return { accounts: accounts.length, after: last && `${last.code} ${last.currency}` };
}

function verifyMonth(checked: Awaited<ReturnType<LedgerMonths["check"]>>): StageStep {
  return checked === undefined ? {} : { fault: checked.fault, after: checked.month };
}

function sumsText([debit, credit, pendingDebit, pendingCredit]: readonly string[]): string {
  return `debit ${debit}, credit ${credit}, pending ${pendingDebit} and ${pendingCredit}`;
}

function placeAfter({ stage }: Place, after: string | undefined): Place | undefined {
  if (after !== undefined) return { stage, after };
  const next = verification_stages[verification_stages.indexOf(stage) + 1];
  return next === undefined ? undefined : { stage: next, after: "" };
}

function readPlace(text: string): Place {
  const colon = text.indexOf(":");
  const stage = verification_stages.find((one) => one === text.slice(0, colon));
  const after = text.slice(colon + 1);
  const shape = stage === "blocks" ? /^(\d{1,9} [0-9a-f]{64})?$/ : /^[ -~]{0,256}$/;
  if (stage !== undefined && shape.test(after)) return { stage, after };
  const detail = "`after` is where no verification ended: take it from the `next` of the part before.";
  throw new Refusal(makeProblem("invalid-cursor", 400, "Not the end of a part", detail));
}
