import type { InvoiceDocument } from "../documents/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import { findBillingProfile, findOrganization } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { parseEmailAddress, type Mailbox } from "../kernel/email-address.js";
import type { MailId, OrganizationId } from "../kernel/ids.js";
import { minute, parseInstant, type Instant } from "../kernel/instant.js";
import { Refusal } from "../kernel/problem.js";
import { composeMail, Unmailable, type Sender } from "./compose-mail.js";
import { decideAttempt, pauseAfter, SendingRate, type AttemptOutcome } from "./core/index.js";
import type { MailSender } from "./smtp-sender.js";
import { holdDelivery, releaseDelivery } from "./store/mail-deliveries.js";
import { mail_settings_default, selectMailSettings, type MailSettings } from "./store/mail-settings.js";
import {
  countAttempt,
  lockMail,
  recordResult,
  selectDueMails,
  selectNextDue,
  type Mail,
} from "./store/mails.js";

export interface DeliveriesOptions {
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly clocks: Clocks;
  readonly server: { readonly from: Mailbox; readonly sender: MailSender; readonly perMinuteMax: number };
  /** The document of a finalized invoice. @throws Refusal when there is none */
  readonly documentOf: (organization: OrganizationId, invoice: string) => Promise<InvoiceDocument>;
}

/** What a run does next: deliver these, or end, with when mails wait for another. */
export type NextMails =
  | { readonly kind: "deliver"; readonly mails: MailId[] }
  | { readonly kind: "end"; readonly next: Instant | undefined }
  /** Another run is at work. */
  | { readonly kind: "busy" };

/** What a step of deliveries ended with. */
export interface Delivered {
  readonly sent: number;
  readonly failed: number;
  readonly later: number;
  /** Wait so long before the next: the rate says so, or the server was not reached. */
  readonly pause_ms: number;
  readonly unreached: boolean;
}

export const mails_per_step = 10;
/** Longer than a step of ten mails takes, each with its time-outs. */
const hold_seconds = 1_800;
/** A step ends after so long, and the hold is renewed. */
const step_time_max = 5 * minute;
const latest = parseInstant("9999-01-01T00:00:00Z") as Instant;
/** A wait that is worth keeping a place in the queue for. */
const wait_in_step_max = 1_000_000;

/** Delivers an organization's mails: one run at a time, one mail after the other. */
export class Deliveries {
  readonly #on: DeliveriesOptions;
  readonly #rate: SendingRate;
  /** In a row, of whichever organization: there is one server. */
  #failures = 0;

  constructor(options: DeliveriesOptions) {
    this.#on = options;
    this.#rate = new SendingRate(options.server.perMinuteMax);
  }

  /** In the run's transaction: what it delivers next, while it is the one that does. */
  async next(sql: Sql, organization: OrganizationId, run: string): Promise<NextMails> {
    if (!(await holdDelivery(sql, organization, run, hold_seconds))) return { kind: "busy" };
    const now = this.#on.clocks.of(organization).now();
    const mails = await selectDueMails(sql, now, mails_per_step);
    if (mails.length > 0) return { kind: "deliver", mails };
    // Holding the delivery: a mail that is queued from here on starts a run that finds it free.
    return { kind: "end", next: await this.release(sql, run) };
  }

  /** In the run's transaction: lets another one deliver. @returns the mail that is next */
  async leave(sql: Sql, run: string): Promise<MailId | undefined> {
    await releaseDelivery(sql, run);
    const [next] = await selectDueMails(sql, latest, 1);
    return next;
  }

  /** In the run's transaction: lets another one deliver. @returns when the next mail is due */
  async release(sql: Sql, run: string): Promise<Instant | undefined> {
    await releaseDelivery(sql, run);
    return selectNextDue(sql);
  }

  /**
   * Delivers mails, one after the other, until the server is not reached or the rate asks for a longer wait. Each result is
   * recorded by itself: after a crash, what was sent is not sent again, but for one whose answer was under way.
   */
  async deliver(organization: OrganizationId, ids: readonly MailId[]): Promise<Delivered> {
    let [sent, failed, later] = [0, 0, 0];
    const endAt = this.#on.clock.now() + step_time_max;
    for (const id of ids) {
      if (this.#on.clock.now() > endAt) break;
      const wait = this.#rate.take(organization, this.#on.clock.now());
      if (wait > 0) await delay(Math.min(wait, wait_in_step_max) / 1_000);
      const result = await this.#deliver(organization, id);
      if (result.state === "sent") sent += 1;
      else if (result.state === "failed") failed += 1;
      else if (result.state === "queued") later += 1;
      if (result.unreached) {
        this.#failures += 1;
        return { sent, failed, later, pause_ms: pauseAfter(this.#failures) / 1_000, unreached: true };
      }
      if (result.state !== undefined) this.#failures = 0;
      if (wait > wait_in_step_max)
        return { sent, failed, later, pause_ms: (wait - wait_in_step_max) / 1_000, unreached: false };
    }
    return { sent, failed, later, pause_ms: 0, unreached: false };
  }

  async #deliver(
    organization: OrganizationId,
    id: MailId,
  ): Promise<{ state: Mail["state"] | undefined; unreached: boolean }> {
    const { postgres, clock, clocks, server } = this.#on;
    const taken = await postgres.inOrganization(organization, (sql) =>
      takeMail(sql, organization, id, server.from),
    );
    if (taken === undefined) return { state: undefined, unreached: false };
    const outcome = await this.#attempt(organization, taken);
    const now = clocks.of(organization).now();
    const { mail } = taken;
    const result =
      outcome.kind === "unmailable"
        ? { state: "failed" as const, reason: outcome.reason, reply: undefined }
        : decideAttempt(mail, outcome, now, Math.random());
    await postgres.inOrganization(organization, (sql) =>
      recordResult(sql, mail, {
        state: result.state,
        reply: result.reply,
        reason: "reason" in result ? result.reason : undefined,
        ...("dueAt" in result ? { dueAt: result.dueAt } : {}),
        ...(result.state === "sent" ? { sentAt: clock.now() } : {}),
      }),
    );
    return {
      state: result.state,
      unreached: outcome.kind === "unreachable" || outcome.kind === "unknown",
    };
  }

  async #attempt(
    organization: OrganizationId,
    { mail, settings, sender }: TakenMail,
  ): Promise<AttemptOutcome | { readonly kind: "unmailable"; readonly reason: string }> {
    const { server, documentOf } = this.#on;
    const { kind, invoice } = mail;
    try {
      if (parseEmailAddress(mail.recipient) === undefined)
        throw new Unmailable("This is no address that mail can be sent to.");
      const document = kind === "invoice" ? await documentOf(organization, invoice ?? "") : undefined;
      const outgoing = await composeMail(organization, mail, {
        sender,
        settings,
        document,
      });
      return await server.sender.send(outgoing);
    } catch (error) {
      // An outage of a store passes; what cannot be made today cannot be made tomorrow.
      if (!(error instanceof Unmailable) && !(error instanceof Refusal)) throw error;
      return { kind: "unmailable", reason: error.message };
    }
  }
}

interface TakenMail {
  /** With this attempt counted. */
  readonly mail: Mail;
  readonly settings: MailSettings;
  readonly sender: Sender;
}

/** Counts the attempt, and reads what the mail is made of; undefined when it is not queued any more. */
async function takeMail(
  sql: Sql,
  organization: OrganizationId,
  id: MailId,
  from: Mailbox,
): Promise<TakenMail | undefined> {
  const mail = await lockMail(sql, id);
  if (mail?.state !== "queued") return undefined;
  await countAttempt(sql, id);
  const settings = (await selectMailSettings(sql, organization)) ?? mail_settings_default;
  const profile = await findBillingProfile(sql, organization);
  const name = profile?.legalName ?? from.name ?? (await findOrganization(sql, organization))?.name ?? "Weir";
  const email = profile?.email === undefined ? undefined : parseEmailAddress(profile.email);
  return { mail: { ...mail, attempts: mail.attempts + 1 }, settings, sender: { from, name, email } };
}

function delay(duration_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, duration_ms));
}
