import { findEarlierAnswer, recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId, type ProviderAccountId } from "../kernel/ids.js";
import { formatInstant } from "../kernel/instant.js";
import type { JsonValue } from "../kernel/json.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Ledger } from "../ledger/index.js";
import { disputeFeePosting, disputePosting, onDisputeState, type DisputeState } from "./core/index.js";
import type { NoticesPort } from "./ports.js";
import { abilityOf } from "./ability.js";
import { askProvider } from "./ask-provider.js";
import type { KnownDispute, ReportedDispute } from "./provider.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import type { ProviderGate } from "./provider-gate.js";
import {
  findDispute,
  findDisputeByRef,
  insertDispute,
  listDisputes,
  updateDispute,
  type Dispute,
  type DisputePage,
} from "./store/disputes.js";
import { findPayment, findPaymentByRef, lockPayment } from "./store/payments.js";

export interface DisputesDependencies {
  readonly postgres: Postgres;
  readonly accounts: ProviderAccounts;
  readonly gate: ProviderGate;
  readonly ledger: Ledger;
  readonly notices: NoticesPort;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

const evidence_fields_max = 30;
const evidence_length_max = 20_000;

/** Chargebacks: what the provider says of them is booked; evidence is kept, and sent once a person says so. */
export class Disputes {
  readonly #on: DisputesDependencies;

  constructor(dependencies: DisputesDependencies) {
    this.#on = dependencies;
  }

  async list(organization: OrganizationId, page: DisputePage): Promise<Dispute[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listDisputes(sql, page));
  }

  async find(organization: OrganizationId, id: string): Promise<Dispute | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findDispute(sql, id));
  }

  /** What the provider says of a dispute, in the caller's transaction. The same again changes nothing. */
  async reported(
    sql: Sql,
    organization: OrganizationId,
    account: ProviderAccountId,
    reported: ReportedDispute,
  ): Promise<string> {
    const found = await findPaymentByRef(sql, account, reported.chargeRef);
    if (found === undefined) return "a dispute of a charge that Weir does not know";
    // One writer of a payment's disputes and refunds at a time.
    await lockPayment(sql, found.id);
    const known = await findDisputeByRef(sql, account, reported.ref);
    const { ledger, clocks, notices } = this.#on;
    const now = clocks.of(organization).now();
    const transition = onDisputeState(known?.state, reported.state);
    // Older than what is known: so are its amounts.
    if (known !== undefined && transition.kind === "ignored" && known.state !== reported.state)
      return `${known.id} ${known.state}`;
    const dispute: Dispute =
      known === undefined
        ? {
            id: newId("dsp", now),
            payment: found.id,
            account,
            ref: reported.ref,
            amount: reported.amount,
            held: reported.held,
            fee: { currency: reported.fee.currency, minor: 0n },
            reason: reported.reason,
            state: reported.state,
            evidence: undefined,
            evidenceDueAt: reported.evidenceDueAt,
            submittedAt: undefined,
            openedAt: now,
            changedAt: now,
            closedAt: undefined,
          }
        : known;
    const state = transition.kind === "accepted" ? transition.next : dispute.state;
    const after: Dispute = {
      ...dispute,
      state,
      // An inquiry holds nothing yet: what is taken off, and in which currency, is told when it becomes a dispute.
      held: known?.state === "inquiry" ? reported.held : dispute.held,
      fee: reported.fee,
      evidenceDueAt: reported.evidenceDueAt ?? dispute.evidenceDueAt,
      changedAt: now,
      closedAt: isClosed(state) ? (dispute.closedAt ?? now) : undefined,
    };
    if (known === undefined) await insertDispute(sql, organization, after);
    else await updateDispute(sql, after);
    const fee = disputeFeePosting(dispute.id, account, dispute.fee.minor, reported.fee);
    if (fee !== undefined) await ledger.post(sql, organization, [fee]);
    if (transition.kind === "ignored") return `${dispute.id} ${state}`;
    const change = `${known?.state ?? "none"}-${state}`;
    const posting = disputePosting(dispute.id, change, account, after.held, transition.effects);
    if (posting !== undefined) await ledger.post(sql, organization, [posting]);
    const type =
      known === undefined ? "dispute.opened" : isClosed(state) ? "dispute.closed" : "dispute.updated";
    await notices.publish(sql, organization, [
      { type, key: `${type}:${dispute.id}:${change}`, data: describe(after) },
    ]);
    return `${dispute.id} ${state}`;
  }

  /**
   * Keeps evidence against a dispute, field by field as the provider names them, and sends it for good when told to.
   * @throws Refusal 400, 404; 409 for one that is decided or was answered; 422 when the provider does not take it; 503
   */
  async submitEvidence(
    caller: Caller,
    input: {
      readonly dispute: string;
      readonly evidence: Readonly<Record<string, string>>;
      readonly submit: boolean;
    },
    idempotencyKey?: string,
  ): Promise<Dispute> {
    checkEvidence(input.evidence);
    return this.#answer(caller, "dispute.submit_evidence", input, idempotencyKey, {
      evidence: input.evidence,
      isSubmitted: input.submit,
    });
  }

  /** Gives in: the money stays with the customer. @throws Refusal 404, 409, 422, 503 */
  async accept(caller: Caller, id: string, idempotencyKey?: string): Promise<Dispute> {
    return this.#answer(caller, "dispute.accept", { dispute: id }, idempotencyKey, undefined);
  }

  async #answer(
    caller: Caller,
    action: string,
    input: { readonly dispute: string },
    idempotencyKey: string | undefined,
    answer:
      | { readonly evidence: Readonly<Record<string, string>>; readonly isSubmitted: boolean }
      | undefined,
  ): Promise<Dispute> {
    const { organization } = caller;
    const { postgres, accounts, gate, clock, clocks } = this.#on;
    const request = { organization, idempotencyKey, action, input };
    const { dispute, opened, charge, wasDone } = await postgres.inOrganization(organization, async (sql) => {
      const found = await mustFind(sql, input.dispute);
      const earlier = await findEarlierAnswer<string>(sql, request);
      return {
        dispute: found,
        opened: await accounts.open(sql, organization, found.account),
        charge: (await findPayment(sql, found.payment))?.ref,
        wasDone: earlier !== undefined,
      };
    });
    const { account } = opened;
    if (charge === undefined) throw new RangeError(`dispute ${dispute.id} is of no charge`);
    // Said again after it was done: the answer is the dispute as it is.
    if (wasDone) return dispute;
    if (isClosed(dispute.state)) throw closed(dispute);
    const answering = abilityOf(opened.provider, "disputes");
    const known = knownDispute(dispute, charge);
    const reported = await askProvider(() =>
      gate.call(opened, () =>
        answer === undefined
          ? answering.acceptDispute(account, known)
          : answering.submitEvidence(account, known, {
              evidence: { ...dispute.evidence, ...answer.evidence },
              submit: answer.isSubmitted,
            }),
      ),
    );
    return postgres.inOrganization(organization, async (sql) => {
      await runOnce(sql, request, async () => {
        await this.reported(sql, organization, account.id, reported);
        const current = await mustFind(sql, dispute.id, { lock: true });
        const now = clocks.of(organization).now();
        if (answer !== undefined)
          await updateDispute(sql, {
            ...current,
            evidence: { ...current.evidence, ...answer.evidence },
            submittedAt: answer.isSubmitted ? (current.submittedAt ?? now) : current.submittedAt,
          });
        await recordAudit(sql, {
          organization,
          actor: caller,
          action,
          target: dispute.id,
          before: { state: dispute.state },
          after: {
            state: current.state,
            submitted: answer?.isSubmitted ?? false,
            fields: Object.keys(answer?.evidence ?? {}),
          },
          at: clock.now(),
        });
        return dispute.id;
      });
      return mustFind(sql, dispute.id);
    });
  }
}

function knownDispute(dispute: Dispute, chargeRef: string): KnownDispute {
  const { id, ref, amount, held, fee, reason, state, evidenceDueAt } = dispute;
  return { id, ref, chargeRef, amount, held, fee, reason, state, evidenceDueAt };
}

function isClosed(state: DisputeState): boolean {
  return state === "won" || state === "lost";
}

async function mustFind(sql: Sql, id: string, options: { lock?: boolean } = {}): Promise<Dispute> {
  const found = await findDispute(sql, id, options);
  if (found !== undefined) return found;
  const detail = `There is no dispute "${id.slice(0, 64)}".`;
  throw new Refusal(makeProblem("dispute-not-found", 404, "No such dispute", detail));
}

function describe(dispute: Dispute): Record<string, JsonValue> {
  return {
    dispute: dispute.id,
    payment: dispute.payment,
    state: dispute.state,
    reason: dispute.reason,
    currency: dispute.amount.currency,
    amount: dispute.amount.minor.toString(),
    evidenceDueAt: dispute.evidenceDueAt === undefined ? null : formatInstant(dispute.evidenceDueAt),
  };
}

function checkEvidence(evidence: Readonly<Record<string, string>>): void {
  const fields = Object.entries(evidence);
  const errors = fields.flatMap(([name, text]) => {
    const field = `evidence.${name.slice(0, 64)}`;
    if (!/^[a-z][a-z0-9_]{0,63}$/.test(name))
      return [{ field, message: "a field's name has a-z, 0-9 and _" }];
    return text.length <= evidence_length_max
      ? []
      : [{ field, message: `at most ${evidence_length_max} characters` }];
  });
  if (fields.length === 0 || fields.length > evidence_fields_max)
    errors.push({ field: "evidence", message: `1 to ${evidence_fields_max} fields` });
  if (errors.length === 0) return;
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  throw new Refusal(makeProblem("invalid-evidence", 400, "The evidence is not valid", detail, { errors }));
}

function closed({ id, state }: Dispute): Refusal {
  const detail = `Dispute ${id} is decided: ${state}.`;
  return new Refusal(makeProblem("dispute-closed", 409, "The dispute is decided", detail));
}
