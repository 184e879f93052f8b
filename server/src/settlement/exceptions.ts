import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId, type SettlementFileId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import type { Money } from "../kernel/money.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Ledger, Transfer } from "../ledger/index.js";
import { claimOf, type ExceptionKind, type Target } from "./core/matching/index.js";
import {
  clearingOf,
  keyByHand,
  Movements,
  planPosting,
  type PlannedAction,
  type RecordSource,
} from "./core/posting/index.js";
import { resolveRecord, type Meaning } from "./core/resolution/index.js";
import { toMatchable, toPosted, type StagedRecord } from "./core/staging/index.js";
import { mustFindAccount } from "./must-find-account.js";
import type { SettlementAccount, SettlementPayments } from "./payments-port.js";
import { sourceOf } from "./post-records.js";
import {
  findClaims,
  insertAllotments,
  lastPartOf,
  readAllotments,
  retargetAllotments,
  voidAllotments,
  type StoredAllotment,
} from "./store/allotments.js";
import {
  closeException,
  findException,
  insertExceptions,
  listExceptions,
  lockException,
  reopenException,
  wasEverAbout,
  type ExceptionPage,
  type Resolution,
  type StoredException,
} from "./store/exceptions.js";
import { findFile } from "./store/files.js";
import { readRecords } from "./store/records.js";

export interface ExceptionsOptions {
  readonly postgres: Postgres;
  readonly payments: SettlementPayments;
  readonly ledger: Ledger;
  readonly clocks: Clocks;
}

export const book_accounts = ["provider_fees", "rounding", "bad_debt"] as const;
export type BookAccount = (typeof book_accounts)[number];

/** What a person says that an exception is. */
export type ExceptionResolution =
  /** A payment, attempt, refund, dispute, payout or invoice of ours: its id, or an invoice's number. */
  | { readonly kind: "match"; readonly target: string }
  /** A customer's money, by id or key: it goes to the balance. */
  | { readonly kind: "balance"; readonly customer: string }
  | { readonly kind: "book"; readonly account: BookAccount }
  /** It goes back to whoever sent it; the bank's line that says so is matched when it comes. */
  | { readonly kind: "return" };

interface Decision {
  readonly exception: string;
  /** The one that was looked at: another person may have been faster. */
  readonly version: number;
}

/** Something that another domain found and a person has to look at. */
export interface FoundException {
  readonly kind: ExceptionKind;
  /** Once per kind, whatever becomes of it. */
  readonly key: string;
  readonly detail: string;
  /** The id of what it is about. */
  readonly reference: string;
  readonly amount: Money | undefined;
}

/** A record and all that stands of it. */
interface RecordAtHand {
  readonly account: SettlementAccount;
  readonly file: SettlementFileId;
  readonly record: StagedRecord;
  readonly parts: readonly StoredAllotment[];
}

type Closing = { readonly state: "resolved" | "ignored"; readonly resolution: Resolution };

const note_length_max = 512;

const bookEffects: Readonly<Record<BookAccount, "fee" | "rounding" | "bad_debt">> = {
  provider_fees: "fee",
  rounding: "rounding",
  bad_debt: "bad_debt",
};

/** What did not match: listed with age and reason, and decided by people, each decision posted, audited and undoable. */
export class Exceptions {
  readonly #on: ExceptionsOptions;

  constructor(options: ExceptionsOptions) {
    this.#on = options;
  }

  /** Oldest first. @throws Refusal 404 for an unknown account */
  async list(
    organization: OrganizationId,
    { account, ...page }: Omit<ExceptionPage, "account"> & { readonly account?: string },
  ): Promise<StoredException[]> {
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      if (account === undefined) return listExceptions(sql, page);
      const { id } = await mustFindAccount(sql, this.#on.payments, account);
      return listExceptions(sql, { ...page, account: id });
    });
  }

  async find(organization: OrganizationId, id: string): Promise<StoredException | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findException(sql, id));
  }

  /** Opens one for another domain, in its transaction. The same kind and key again changes nothing. */
  async open(sql: Sql, organization: OrganizationId, found: FoundException, at: Instant): Promise<void> {
    const about = `payments:${found.kind}:${found.key}`;
    if (await wasEverAbout(sql, about)) return;
    await insertExceptions(sql, organization, [
      {
        id: newId("rex", at),
        kind: found.kind,
        about,
        account: undefined,
        file: undefined,
        position: undefined,
        target: { kind: targetKinds[found.reference.split("_", 1)[0] ?? ""] ?? "other", id: found.reference },
        amount: found.amount,
        suspense: 0n,
        reason: found.detail,
        happenedAt: at,
        openedAt: at,
      },
    ]);
  }

  /**
   * Says what an exception is: it is posted as that, and is open no more.
   * @throws Refusal 400, 404; 409 when another person was faster, the exception cannot be that, or what is named is settled
   */
  async resolve(
    caller: Caller,
    input: Decision & { readonly resolution: ExceptionResolution; readonly note?: string },
    idempotencyKey?: string,
  ): Promise<StoredException> {
    const { resolution, note = null } = input;
    if (note !== null) checkText("note", note);
    return this.#decide(caller, "exception.resolve", input, idempotencyKey, async (sql, exception) => {
      if (resolution.kind !== "return") {
        const done = await this.#allot(sql, caller.organization, exception, resolution);
        return { state: "resolved", resolution: { kind: resolution.kind, note, ...done } };
      }
      if (exception.suspense <= 0n)
        throw cannotBe("Only money that came in, and lies in suspense, can go back.");
      return { state: "resolved", resolution: { kind: "return", note, to: null, actions: [], parts: [] } };
    });
  }

  /** Leaves it as it is, for a reason. What lies in suspense stays there. @throws Refusal 400, 404, 409 */
  async ignore(
    caller: Caller,
    input: Decision & { readonly reason: string },
    idempotencyKey?: string,
  ): Promise<StoredException> {
    checkText("reason", input.reason);
    const resolution: Resolution = { kind: "ignore", note: input.reason, to: null, actions: [], parts: [] };
    return this.#decide(caller, "exception.ignore", input, idempotencyKey, () =>
      Promise.resolve({ state: "ignored", resolution }),
    );
  }

  /**
   * Takes a decision back: what it posted is posted the other way round, and the exception is open again.
   * @throws Refusal 400, 404; 409 when it is open, another person was faster, or something was built on it
   */
  async reopen(
    caller: Caller,
    input: Decision & { readonly reason: string },
    idempotencyKey?: string,
  ): Promise<StoredException> {
    const { organization } = caller;
    checkText("reason", input.reason);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "exception.reopen", input };
      const id = await runOnce(sql, request, async () => {
        const before = await mustLock(sql, input);
        if (before.resolution === undefined) throw notDecided(before);
        await this.#takeBack(sql, organization, before, before.resolution);
        await reopenException(sql, before);
        await this.#audit(sql, caller, "exception.reopen", before, input.reason);
        return before.id;
      });
      return mustFind(sql, id);
    });
  }

  async #decide(
    caller: Caller,
    action: string,
    input: Decision & { readonly note?: string; readonly reason?: string },
    idempotencyKey: string | undefined,
    work: (sql: Sql, exception: StoredException) => Promise<Closing>,
  ): Promise<StoredException> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const id = await runOnce(sql, { organization, idempotencyKey, action, input }, async () => {
        const exception = await mustLock(sql, input);
        if (exception.state !== "open") throw changed(exception);
        if (exception.about.startsWith("file:")) throw decideFile(exception);
        const closing = await work(sql, exception);
        const at = this.#on.clocks.of(organization).now();
        await closeException(sql, exception, { ...closing, by: caller.key, at });
        await this.#audit(sql, caller, action, exception, input.note ?? input.reason);
        return exception.id;
      });
      return mustFind(sql, id);
    });
  }

  /** Gives the record of an exception the meaning that a person says. */
  async #allot(
    sql: Sql,
    organization: OrganizationId,
    exception: StoredException,
    resolution: Exclude<ExceptionResolution, { kind: "return" }>,
  ): Promise<Pick<Resolution, "to" | "actions" | "parts">> {
    const at = await this.#recordOf(sql, exception);
    const { account, file, record } = at;
    const { meaning, to } = await this.#meaningOf(sql, resolution);
    const suspended = Number(exception.about.split(":").at(-1));
    const said = resolveRecord(toMatchable(record, account.side), at.parts, suspended, meaning);
    if (!said.ok) throw cannotBe(said.error);
    if ((await findClaims(sql, said.value.claims)).size > 0) throw settledAlready(to);
    const last = await lastPartOf(sql, file, record.position);
    const parts = said.value.parts.map(
      (part, index): StoredAllotment => ({ ...part, position: record.position, part: last + 1 + index }),
    );
    await insertAllotments(sql, organization, file, parts);
    const plan = planPosting(await this.#sourceOf(sql, at), [{ record: toPosted(record), parts }]);
    const key = `exception:${exception.id}:${exception.version}`;
    const actions = plan.actions.map((planned, index) => ({
      ...planned,
      action: { ...planned.action, key: keyByHand(exception.id, exception.version, index) },
    }));
    await this.#apply(sql, organization, exception, at, actions);
    await this.#post(sql, organization, exception, key, "exception.resolve", plan.movements.transfers());
    const done = actions.map(({ action: { key: name, kind }, parts: [part] }) => ({
      key: name,
      kind,
      target: part?.target?.id ?? null,
    }));
    return { to, actions: done, parts: parts.map(({ part }) => part) };
  }

  async #apply(
    sql: Sql,
    organization: OrganizationId,
    exception: StoredException,
    { account, file, record }: RecordAtHand,
    planned: readonly PlannedAction[],
  ): Promise<void> {
    const actions = planned.map(({ action }) => action);
    const outcomes =
      actions.length === 0
        ? []
        : await this.#on.payments.apply(sql, organization, account, actions, exception.id);
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.kind === "refused") throw cannotBe(outcome.reason);
      const [part] = planned[index]?.parts ?? [];
      if (outcome.target === undefined || part === undefined || part.target?.kind === "invoice") continue;
      if (part.effect === "receipt") continue;
      const { kind, id, root } = outcome.target;
      const claim = claimOf({ ...record, side: account.side }, { kind, root });
      if (claim === undefined) continue;
      const target = { kind, id, ...(kind === "payout" ? { account: account.id } : {}) };
      await retargetAllotments(sql, file, [{ position: record.position, part: part.part, target, claim }]);
    }
  }

  async #takeBack(
    sql: Sql,
    organization: OrganizationId,
    exception: StoredException,
    resolution: Resolution,
  ): Promise<void> {
    switch (resolution.kind) {
      case "ignore":
        return;
      case "return":
        if ((await findClaims(sql, [`${exception.id}:bank`])).size > 0) throw settledAlready(exception.id);
        return;
      case "gone":
      case "accept_file":
      case "discard_file":
        throw notByHand(exception);
      case "match":
      case "balance":
      case "book": {
        const { account, file, record, parts } = await this.#recordOf(sql, exception);
        await this.#on.payments.undo(sql, organization, account, resolution.actions, exception.id);
        const opposite = new Movements(clearingOf(account.side, account.id));
        for (const { part, effect, amount } of parts)
          if (resolution.parts.includes(part))
            opposite.addEffect(effect, { ...amount, minor: -amount.minor });
        await voidAllotments(sql, file, record.position, resolution.parts);
        const key = `exception:${exception.id}:${exception.version}`;
        await this.#post(sql, organization, exception, key, "exception.reopen", opposite.transfers());
      }
    }
  }

  async #post(
    sql: Sql,
    organization: OrganizationId,
    { id }: StoredException,
    idempotencyKey: string,
    reason: string,
    transfers: readonly Transfer[],
  ): Promise<void> {
    if (transfers.length === 0) return;
    await this.#on.ledger.post(sql, organization, [{ idempotencyKey, reason, reference: id, transfers }]);
  }

  async #recordOf(sql: Sql, { account: id, file, position }: StoredException): Promise<RecordAtHand> {
    if (id === undefined || file === undefined || position === undefined)
      throw cannotBe("No money of a record lies in suspense for it: ignore it once it is settled elsewhere.");
    const account = await this.#on.payments.findAccount(sql, id);
    const place = { after: position - 1, through: position };
    const [record] = await readRecords(sql, file, { ...place, limit: 1 });
    if (account === undefined || record === undefined)
      throw new RangeError(`record ${position} of ${file} is not there`);
    return { account, file, record, parts: await readAllotments(sql, file, place) };
  }

  async #sourceOf(sql: Sql, { account, file }: RecordAtHand): Promise<RecordSource> {
    const found = await findFile(sql, file);
    if (found === undefined) throw new RangeError(`file ${file} is not there`);
    return sourceOf(account, found);
  }

  async #meaningOf(
    sql: Sql,
    resolution: Exclude<ExceptionResolution, { kind: "return" }>,
  ): Promise<{ readonly meaning: Meaning; readonly to: string }> {
    switch (resolution.kind) {
      case "book":
        return { meaning: { kind: "book", effect: bookEffects[resolution.account] }, to: resolution.account };
      case "balance": {
        const customer = await this.#on.payments.findCustomer(sql, resolution.customer);
        if (customer === undefined) throw unknownCustomer(resolution.customer);
        return { meaning: { kind: "balance", customer: customer.id }, to: customer.id };
      }
      case "match": {
        const target = await this.#on.payments.findTarget(sql, resolution.target);
        if (target === undefined) throw unknownTarget(resolution.target);
        return { meaning: { kind: "match", target: believed(target) }, to: target.id };
      }
    }
  }

  async #audit(
    sql: Sql,
    caller: Caller,
    action: string,
    before: StoredException,
    note: string | undefined,
  ): Promise<void> {
    const after = await mustFind(sql, before.id);
    const described = ({ state, version, resolution }: StoredException) => ({
      state,
      version,
      resolution: resolution ?? null,
    });
    await recordAudit(sql, {
      organization: caller.organization,
      actor: caller,
      action,
      target: before.id,
      before: described(before),
      after: { ...described(after), note: note ?? null },
      at: this.#on.clocks.of(caller.organization).now(),
    });
  }
}

const targetKinds: Readonly<Record<string, string>> = {
  pat: "attempt",
  pay: "payment",
  ref: "refund",
  dsp: "dispute",
  pyo: "payout",
  inv: "invoice",
};

/** A person who says that a charge took money is believed, whatever our books say. */
function believed(target: Target): Target {
  return target.kind === "attempt" ? { ...target, state: "open" } : target;
}

async function mustFind(sql: Sql, id: string): Promise<StoredException> {
  const found = await findException(sql, id);
  if (found === undefined) throw unknownException(id);
  return found;
}

/** @throws Refusal 404; 409 for another version than was looked at */
async function mustLock(sql: Sql, { exception: id, version }: Decision): Promise<StoredException> {
  const found = await lockException(sql, id);
  if (found === undefined) throw unknownException(id);
  if (found.version !== version) throw changed(found);
  return found;
}

function checkText(field: "note" | "reason", text: string): void {
  if (text.length > 0 && text.length <= note_length_max) return;
  const errors = [{ field, message: `1 to ${note_length_max} characters` }];
  const detail = `${field}: 1 to ${note_length_max} characters`;
  throw new Refusal(makeProblem(`invalid-${field}`, 400, `The ${field} is not valid`, detail, { errors }));
}

/** Who did what meanwhile. */
function changed({ id, state, version, resolution, closedBy, closedAt }: StoredException): Refusal {
  const what =
    resolution === undefined || closedAt === undefined
      ? `It is ${state} at version ${version}.`
      : `It is ${state} by ${closedBy ?? "system"} since ${formatInstant(closedAt)}: ${resolution.kind}${resolution.to === null ? "" : ` ${resolution.to}`}${resolution.note === null ? "" : ` (${resolution.note})`}.`;
  const detail = `Another decision on ${id} came first. ${what} Look at it again.`;
  return new Refusal(
    makeProblem("exception-changed", 409, "The exception has changed", detail, {
      state,
      version,
      by: closedBy ?? null,
      at: closedAt === undefined ? null : formatInstant(closedAt),
      resolution: resolution ?? null,
    }),
  );
}

function unknownException(id: string): Refusal {
  const detail = `There is no exception "${id.slice(0, 64)}"; list them with \`weir reconcile exceptions\`.`;
  return new Refusal(makeProblem("exception-not-found", 404, "No such exception", detail));
}

function unknownTarget(id: string): Refusal {
  const detail = `There is no payment, attempt, refund, dispute, payout or invoice "${id.slice(0, 64)}".`;
  return new Refusal(makeProblem("target-not-found", 404, "Nothing of that name", detail));
}

function unknownCustomer(idOrKey: string): Refusal {
  const detail = `There is no customer "${idOrKey.slice(0, 64)}".`;
  return new Refusal(makeProblem("customer-not-found", 404, "No such customer", detail));
}

function cannotBe(detail: string): Refusal {
  return new Refusal(makeProblem("exception-not-that", 409, "The exception cannot be that", detail));
}

function settledAlready(id: string): Refusal {
  const detail = `${id} was settled by another record.`;
  return new Refusal(makeProblem("target-settled", 409, "It is settled already", detail));
}

function notDecided({ id }: StoredException): Refusal {
  const detail = `${id} is open: there is nothing to take back.`;
  return new Refusal(makeProblem("exception-open", 409, "The exception is open", detail));
}

function notByHand({ id, resolution }: StoredException): Refusal {
  const detail = `${id} was closed as "${resolution?.kind ?? ""}", which is not taken back here.`;
  return new Refusal(makeProblem("exception-not-by-hand", 409, "The decision cannot be taken back", detail));
}

function decideFile({ id, file }: StoredException): Refusal {
  const detail = `${id} is about file ${file ?? ""} as a whole: accept, retry or discard the file.`;
  return new Refusal(makeProblem("exception-of-file", 409, "Decide about the file", detail));
}
