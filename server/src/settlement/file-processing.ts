import { recordAudit } from "../audit/index.js";
import type { Sql } from "../engines/postgres/index.js";
import type { Secrets } from "../engines/secrets/index.js";
import type { Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId, type SettlementFileId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { formatMoney } from "../kernel/money.js";
import type { Ledger } from "../ledger/index.js";
import { gapsAround, type ExceptionKind, type SequenceGap } from "./core/matching/index.js";
import type { FormatName } from "./core/index.js";
import type { FileQueue } from "./file-queue.js";
import type { FileReadings } from "./file-readings.js";
import { matchNamed, matchRest, rest_records_max, unallotted } from "./match-records.js";
import type { SettlementAccount, SettlementPayments } from "./payments-port.js";
import { postRecords } from "./post-records.js";
import { aboutFile } from "./settlement-files.js";
import { stageRecords } from "./stage-records.js";
import { countSuspended, findClaims, sumPayouts } from "./store/allotments.js";
import {
  closeExceptionsAbout,
  insertExceptions,
  listOpenAbout,
  type NewException,
} from "./store/exceptions.js";
import {
  findPostedFile,
  lockFile,
  saveFile,
  type FileRefusal,
  type FileState,
  type StoredFile,
} from "./store/files.js";
import { deleteRecords } from "./store/records.js";
import { findNeighbours, insertSequence } from "./store/sequences.js";

export interface FileProcessingOptions {
  readonly payments: SettlementPayments;
  readonly ledger: Ledger;
  readonly secrets: Pick<Secrets, "keyedHash">;
  readonly readings: FileReadings;
  readonly queue: FileQueue;
  readonly clocks: Clocks;
}

/** What is wrong with a file as a whole, for a person to decide. */
export interface Hold {
  readonly kind: ExceptionKind;
  readonly reason: string;
}

const deleted_at_once = 20_000;
const checks_named_max = 5;
const payouts_max = 10_000;
const missing_page = 1_000;

/** The steps of reading a file. Each is one transaction, which commits with the workflow's checkpoint. */
export class FileProcessing {
  readonly #on: FileProcessingOptions;

  constructor(options: FileProcessingOptions) {
    this.#on = options;
  }

  /** What is to be done; undefined when a newer run has the file. */
  async begin(sql: Sql, id: SettlementFileId, attempt: number): Promise<"read" | "discard" | undefined> {
    const file = await lockFile(sql, id);
    if (file === undefined || file.attempt !== attempt) return undefined;
    if (file.state === "discarding") return "discard";
    return file.state === "parsing" ? "read" : undefined;
  }

  /** Stages the next records. */
  async stage(
    sql: Sql,
    organization: OrganizationId,
    id: SettlementFileId,
  ): Promise<{ readonly ended: boolean; readonly refusal: FileRefusal | null }> {
    const file = await mustLock(sql, id, "parsing");
    const account = await this.#accountOf(sql, file);
    const piece = await stageRecords(sql, this.#on, organization, file);
    if (piece.kind === "refused") return { ended: true, refusal: piece.refusal };
    const foreign = sideFault(piece.file, account);
    if (foreign !== undefined) return { ended: true, refusal: foreign };
    await saveFile(sql, { ...piece.file, changedAt: this.#now(organization) });
    return { ended: piece.kind === "ended", refusal: null };
  }

  /** What keeps the whole file from being posted; nothing when a person has waived it. */
  async check(sql: Sql, organization: OrganizationId, id: SettlementFileId): Promise<readonly Hold[]> {
    const file = await mustLock(sql, id, "parsing");
    const account = await this.#accountOf(sql, file);
    const holds = file.waiver === undefined ? await this.#faultsOf(sql, file, account) : [];
    if (holds.length === 0)
      await saveFile(sql, { ...file, state: "staged", changedAt: this.#now(organization) });
    return holds;
  }

  /** Matches the next records by what they name. @returns the position up to which it is done; -1 at the end */
  async matchNamed(
    sql: Sql,
    organization: OrganizationId,
    id: SettlementFileId,
    after: number,
  ): Promise<number> {
    const file = await mustLock(sql, id, "staged");
    const account = await this.#accountOf(sql, file);
    const { through, matched } = await matchNamed(sql, this.#on.payments, organization, file, account, after);
    await saveFile(sql, { ...file, matched: file.matched + matched, changedAt: this.#now(organization) });
    return through < file.records ? through : -1;
  }

  /** The rest by amount and date. */
  async matchRest(
    sql: Sql,
    organization: OrganizationId,
    id: SettlementFileId,
  ): Promise<{ readonly ended: boolean; readonly holds: readonly Hold[] }> {
    const file = await mustLock(sql, id, "staged");
    const account = await this.#accountOf(sql, file);
    if (file.waiver === undefined && unallotted(file) > rest_records_max)
      return { ended: true, holds: [mostlyUnknown(file)] };
    const matched = await matchRest(sql, this.#on.payments, organization, file, account);
    const after = { ...file, matched: file.matched + matched, changedAt: this.#now(organization) };
    const ended = unallotted(after) === 0;
    if (!ended) {
      await saveFile(sql, after);
      return { ended, holds: [] };
    }
    const unmatched = await countSuspended(sql, id);
    if (file.waiver === undefined && unmatched > rest_records_max)
      return { ended: true, holds: [mostlyUnknown(file)] };
    await saveFile(sql, { ...after, state: "matched", unmatched });
    return { ended, holds: [] };
  }

  /** Posts the next records. @returns whether it was the last of them */
  async post(sql: Sql, organization: OrganizationId, id: SettlementFileId): Promise<boolean> {
    const file = await mustLock(sql, id, "matched");
    const account = await this.#accountOf(sql, file);
    const now = this.#now(organization);
    const posted = await postRecords(sql, this.#on, organization, file, account, now);
    await saveFile(sql, { ...file, posted, changedAt: now });
    return posted >= file.records;
  }

  /** The file is in the books: what follows from it as a whole. */
  async finish(sql: Sql, organization: OrganizationId, id: SettlementFileId): Promise<void> {
    const file = await mustLock(sql, id, "matched");
    const now = this.#now(organization);
    await insertExceptions(sql, organization, badRowsOf(file, now));
    await this.#noteSequences(sql, organization, file, now);
    await this.#comparePayouts(sql, organization, file, now);
    const unmatched = await countSuspended(sql, id);
    const after: StoredFile = { ...file, state: "posted", unmatched, changedAt: now, endedAt: now };
    await saveFile(sql, after);
    await this.#closeFound(sql, "missing:", ["charge", "decline"], now);
    await this.#closeFound(sql, "late:", ["bank"], now);
    await this.#audit(sql, organization, "settlement_file.post", file, after, now);
    await this.#on.queue.startNext(sql, organization, file.account, now);
  }

  /** Deletes some of what is kept of the file's records. @returns whether there are more */
  async clear(sql: Sql, id: SettlementFileId): Promise<boolean> {
    return (await deleteRecords(sql, id, deleted_at_once)) > 0;
  }

  /** Nothing of it is used. */
  async refuse(
    sql: Sql,
    organization: OrganizationId,
    id: SettlementFileId,
    refusal: FileRefusal | undefined,
  ): Promise<void> {
    const file = await mustLock(sql, id);
    const now = this.#now(organization);
    const why = refusal ?? {
      line: null,
      record: null,
      field: null,
      detail: "A person gave the file up",
      advice: "Retry it if it is needed after all",
    };
    const after: StoredFile = {
      ...emptied(file),
      state: "refused",
      refusal: why,
      changedAt: now,
      endedAt: now,
    };
    await saveFile(sql, after);
    await this.#audit(sql, organization, "settlement_file.refuse", file, after, now);
    await this.#on.queue.startNext(sql, organization, file.account, now);
  }

  /** A person has to decide. */
  async hold(
    sql: Sql,
    organization: OrganizationId,
    id: SettlementFileId,
    holds: readonly Hold[],
  ): Promise<void> {
    const file = await mustLock(sql, id);
    const [first] = holds;
    if (first === undefined) throw new RangeError("a file is held for a reason");
    const now = this.#now(organization);
    const after: StoredFile = { ...emptied(file), state: "held", changedAt: now };
    await saveFile(sql, after);
    await insertExceptions(sql, organization, [
      {
        ...exceptionOf(file, now),
        kind: first.kind,
        about: aboutFile(file.id),
        reason: holds.map(({ reason }) => reason).join(" "),
      },
    ]);
    await this.#audit(sql, organization, "settlement_file.hold", file, after, now);
    await this.#on.queue.startNext(sql, organization, file.account, now);
  }

  async #faultsOf(sql: Sql, file: StoredFile, account: SettlementAccount): Promise<Hold[]> {
    const { summary, format, logicalId } = file;
    if (summary === undefined || format === undefined)
      throw new RangeError(`file ${file.id} was not read to its end`);
    const holds: Hold[] = [];
    const failed = summary.checks.filter(({ ok }) => !ok);
    if (failed.length > 0) {
      const named = failed
        .slice(0, checks_named_max)
        .map(({ name, expected, found }) => `${name}: ${expected} expected, ${found} found`);
      const more = failed.length > named.length ? `; and ${failed.length - named.length} more` : "";
      holds.push({
        kind: "file_check_failed",
        reason: `The file does not agree with itself: ${named.join("; ")}${more}.`,
      });
    }
    const { accounts } = summary;
    const isOurs = accounts.length === 0 || accounts.some((each) => account.identifiers.includes(each));
    if (account.identifiers.length > 0 && !isOurs) {
      const reason = `The file is of ${accounts.slice(0, checks_named_max).join(", ")}, and account ${account.key} of ${account.identifiers.join(", ")}.`;
      holds.push({ kind: "file_check_failed", reason });
    }
    const before =
      logicalId === undefined
        ? undefined
        : await findPostedFile(sql, { account: file.account, format, logicalId });
    if (before !== undefined) {
      const reason = `Its sender calls it ${logicalId ?? ""}, and so was ${before}, which is in the books, with other content.`;
      holds.push({ kind: "file_replayed", reason });
    }
    for (const { series, number } of before === undefined ? summary.sequences : []) {
      const { file: taken } = await findNeighbours(
        sql,
        { account: file.account, format, series },
        BigInt(number),
      );
      if (taken === undefined) continue;
      const reason = `It is number ${number} of ${series}, and so was ${taken}, which is in the books.`;
      holds.push({ kind: "file_replayed", reason });
      break;
    }
    return holds;
  }

  /** A number that arrives ends the gap that it falls into; what is left of it, or a new one, is open. */
  async #noteSequences(
    sql: Sql,
    organization: OrganizationId,
    file: StoredFile,
    now: Instant,
  ): Promise<void> {
    const { format, account, summary } = file;
    if (format === undefined || summary === undefined) return;
    for (const { series, number: text } of summary.sequences) {
      const number = BigInt(text);
      const of = { account, format, series };
      const { file: taken, previous, next } = await findNeighbours(sql, of, number);
      if (taken !== undefined) continue;
      await insertSequence(sql, organization, of, number, file.id);
      const { ended, begun } = gapsAround(number, { previous, next });
      const about = ({ from, to }: SequenceGap) => `gap:${account}:${format}:${series}:${from}-${to}`;
      if (ended !== undefined) await this.#close(sql, [about(ended)], file, now);
      await insertExceptions(
        sql,
        organization,
        begun.map((gap) => ({
          ...exceptionOf(file, now),
          file: undefined,
          kind: "sequence_gap",
          about: about(gap),
          reason:
            gap.from === gap.to
              ? `Of ${series}, number ${gap.from} is missing: ${file.name} is number ${number}.`
              : `Of ${series}, numbers ${gap.from} to ${gap.to} are missing: ${file.name} is number ${number}.`,
        })),
      );
    }
  }

  /** A payout is what its records come to, over all files of the account. */
  async #comparePayouts(
    sql: Sql,
    organization: OrganizationId,
    file: StoredFile,
    now: Instant,
  ): Promise<void> {
    const sums = await sumPayouts(sql, file.id, file.account, payouts_max);
    const about = (payout: string) => `payout:${file.account}:${payout}`;
    const same = sums.filter(({ paidOut, components }) => paidOut === components);
    await this.#close(
      sql,
      same.map(({ payout }) => about(payout)),
      file,
      now,
    );
    const differing = sums.filter(({ paidOut, components }) => paidOut !== components);
    // Said anew with what is known now.
    await this.#close(
      sql,
      differing.map(({ payout }) => about(payout)),
      file,
      now,
    );
    await insertExceptions(
      sql,
      organization,
      differing.map(({ payout, currency, paidOut, components, count }) => ({
        ...exceptionOf(file, now),
        kind: "payout_differs",
        about: about(payout),
        amount: { currency, minor: paidOut - components },
        reason: `Payout ${payout} is ${formatMoney({ currency, minor: paidOut })}, and its ${count} records come to ${formatMoney({ currency, minor: components })}.`,
      })),
    );
  }

  /** What was missed has turned up. */
  async #closeFound(
    sql: Sql,
    prefix: "missing:" | "late:",
    movements: readonly string[],
    now: Instant,
  ): Promise<void> {
    for (let after = ""; ; ) {
      const open = await listOpenAbout(sql, prefix, { after, limit: missing_page });
      const claimsOf = (about: string) =>
        movements.map((movement) => `${about.slice(prefix.length)}:${movement}`);
      const found = await findClaims(sql, open.flatMap(claimsOf));
      const closed = open.filter((about) => claimsOf(about).some((claim) => found.has(claim)));
      await this.#close(sql, closed, undefined, now);
      if (open.length < missing_page) return;
      after = open.at(-1) ?? "";
    }
  }

  async #close(sql: Sql, about: readonly string[], file: StoredFile | undefined, at: Instant): Promise<void> {
    const note = file === undefined ? "It turned up in a file." : `Settled by ${file.name}.`;
    const resolution = { kind: "gone", note, to: file?.id ?? null, actions: [], parts: [] } as const;
    await closeExceptionsAbout(sql, about, { resolution, by: "system", at });
  }

  async #audit(
    sql: Sql,
    organization: OrganizationId,
    action: string,
    before: StoredFile,
    after: StoredFile,
    at: Instant,
  ): Promise<void> {
    const described = ({ state, records, repeated, unmatched, refusal }: StoredFile) => ({
      state,
      records,
      repeated,
      unmatched,
      refusal: refusal ?? null,
    });
    await recordAudit(sql, {
      organization,
      actor: "system",
      action,
      target: before.id,
      before: described(before),
      after: described(after),
      at,
    });
  }

  async #accountOf(sql: Sql, file: StoredFile): Promise<SettlementAccount> {
    const account = await this.#on.payments.findAccount(sql, file.account);
    if (account === undefined)
      throw new RangeError(`account ${file.account} of file ${file.id} is not there`);
    return account;
  }

  #now(organization: OrganizationId): Instant {
    return this.#on.clocks.of(organization).now();
  }
}

async function mustLock(sql: Sql, id: SettlementFileId, state?: FileState): Promise<StoredFile> {
  const file = await lockFile(sql, id);
  if (file === undefined || (state !== undefined && file.state !== state))
    throw new RangeError(`file ${id} is ${file?.state ?? "not there"}, and was to be ${state ?? "there"}`);
  return file;
}

/** What a file says of itself stays; of its records nothing is kept. */
function emptied(file: StoredFile): StoredFile {
  return { ...file, matched: 0, unmatched: 0, repeated: 0 };
}

/** A bank's statement is of a bank's account, and everything else is not. */
function sideFault(file: StoredFile, account: SettlementAccount): FileRefusal | undefined {
  const side = sideOf(file.format as FormatName);
  if (side === account.side) return undefined;
  const at = { line: null, record: null, field: null };
  return side === "bank"
    ? {
        ...at,
        detail: `The file is a bank's statement, and account ${account.key} is at ${account.provider}`,
        advice: "Import it to the account that stands for the bank",
      }
    : {
        ...at,
        detail: `The file is a provider's report, and account ${account.key} stands for a bank`,
        advice: "Import it to the account at that provider",
      };
}

function sideOf(format: FormatName): SettlementAccount["side"] {
  return format === "camt.053" || format === "camt.054" ? "bank" : "provider";
}

function mostlyUnknown({ records }: StoredFile): Hold {
  const reason = `More than ${rest_records_max} of its ${records} records match nothing of ours. Is it another account's? If not, accept it: they then wait in suspense.`;
  return { kind: "too_many_unmatched", reason };
}

function badRowsOf(file: StoredFile, now: Instant): NewException[] {
  return (file.summary?.refusedRows ?? []).map(({ position, field, detail, advice }) => ({
    ...exceptionOf(file, now),
    kind: "bad_row" as const,
    about: `row:${file.id}:${position.record}`,
    reason: `${position.line === undefined ? `Record ${position.record}` : `Line ${position.line}`}${field === undefined ? "" : `, ${field}`}: ${detail}. ${advice}.`,
  }));
}

function exceptionOf(file: StoredFile, now: Instant): Omit<NewException, "kind" | "about" | "reason"> {
  return {
    id: newId("rex", now),
    account: file.account,
    file: file.id,
    position: undefined,
    target: undefined,
    amount: undefined,
    suspense: 0n,
    happenedAt: file.period?.to ?? file.landedAt,
    openedAt: now,
  };
}
