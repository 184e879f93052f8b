import type { Account } from "./account.js";
import { ApiError } from "./api/api-error.js";
import { subjectOfObject } from "./api/fault-subject.js";
import {
  RequestHandler,
  type SimulatorAnswer,
  type SimulatorReply,
  type SimulatorRequest,
} from "./api/request-handler.js";
import { emptyStores } from "./empty-stores.js";
import { FaultPlan } from "./faults/fault-plan.js";
import { forcedOutcome } from "./faults/forced-outcome.js";
import { plannedDeliveries } from "./faults/planned-deliveries.js";
import { Journal, UnusableJournal, type JournalEntry } from "./journal.js";
import { Ledger } from "./ledger.js";
import { ObjectIds } from "./object-ids.js";
import type { DeclineName } from "./objects/decline.js";
import type { NewDispute } from "./objects/disputes.js";
import type { EnteredCard } from "./objects/payment-methods.js";
import { amountToPayOut } from "./objects/payouts.js";
import { writableNumber } from "./objects/test-instrument.js";
import { outsideActs, type ActArguments, type OutsideActs } from "./outside-acts.js";
import { answerControl } from "./pages/control.js";
import { answerPage } from "./pages/hosted-pages.js";
import { Recorder } from "./recorder.js";
import { seededRandom } from "./seeded-random.js";
import { settingsWith, type SettingsChange, type SimulatorSettings } from "./settings.js";
import { Timeline } from "./timeline.js";
import { api_version, EventLog } from "./webhooks/event-log.js";
import { WebhookSender, type WebhookDelivery } from "./webhooks/webhook-sender.js";

export interface StripeSimulatorOptions {
  /**
   * The time, in milliseconds since 1970: `Date.now`, or the clock of a simulation. What is due then happens at `settle`,
   * or by itself after `followRealTime`. Without it the simulator has a clock of its own, which `advance` moves.
   */
  readonly now?: () => number;
  /** The same seed and the same requests give the same ids and the same chances. */
  readonly seed?: string;
  readonly settings?: SettingsChange;
  /** Where its hosted pages are reached. */
  readonly pagesUrl?: string;
  /**
   * A file that keeps what happened: started again with it, the simulator has the same objects, keys and books, and what
   * was due meanwhile happens. Faults, and webhooks that were on their way, are not kept.
   */
  readonly journal?: string;
}

export interface NewWebhookTarget {
  readonly url: string;
  /** `whsec_…` */
  readonly secret: string;
  /** The types of events that are sent; all when not given. */
  readonly events?: readonly string[];
  /** Takes a webhook in place of HTTP, and gives the status of its reply. */
  readonly receive?: (delivery: WebhookDelivery) => Promise<number>;
}

/**
 * One account at a provider that speaks the part of Stripe's API which Weir uses, and keeps books of its own. What a
 * person, a bank or a card's issuer does is a method here; what a merchant does goes through the API.
 */
export class StripeSimulator {
  /** When something goes wrong, and what. */
  readonly faults: FaultPlan;
  readonly #account: Account;
  readonly #handler: RequestHandler;
  readonly #timeline: Timeline;
  readonly #recorder: Recorder;
  readonly #sender: WebhookSender;
  readonly #journal: Journal | undefined;

  /** @throws UnusableJournal; RangeError for settings that are none */
  constructor(options: StripeSimulatorOptions = {}) {
    const settings = settingsWith(options.settings ?? {});
    const seed = options.seed ?? "weir";
    const { objects_max, events_max, deliveries_max, faults_max } = settings.limits;
    const timeline = new Timeline({
      now: options.now,
      onTick: (run) => this.#tick(run),
      whenIdle: () => this.#sender.whenIdle(),
    });
    const now_ms = (): number => timeline.now_ms();
    const ids = new ObjectIds(seededRandom(`${seed} ids`));
    const chances = seededRandom(`${seed} deliveries`);
    const ledger = new Ledger({ ids, objects_max, now_ms });
    this.#timeline = timeline;
    this.faults = new FaultPlan(seed, faults_max);
    this.#journal = openJournal(options.journal, seed, settings);
    this.#recorder = new Recorder(timeline, this.#journal);
    this.#sender = new WebhookSender({
      agenda: timeline.outside,
      now_ms,
      firstDelay_ms: settings.delays.webhook_ms,
      deliveries_max,
      plan: (event, object) =>
        plannedDeliveries(
          this.faults.strikeEvent(event.type, () => subjectOfObject(object)),
          chances,
        ),
    });
    this.#account = {
      settings,
      ids,
      agenda: timeline.account,
      ledger,
      events: new EventLog({
        ids,
        events_max,
        now_ms,
        onEvent: (event, object) => this.#sender.send(event, object),
      }),
      ...emptyStores(ids, objects_max, (charge) => ledger.dropCharge(charge)),
      webhooks: this.#sender,
      exchangeRates: new Map(),
      pagesUrl: options.pagesUrl ?? "http://127.0.0.1:12111",
      now_ms,
    };
    for (const [pair, rate] of Object.entries(settings.exchangeRates)) {
      const [from = "", to = ""] = pair.split("/");
      outsideActs.setExchangeRate(this.#account, from, to, rate);
    }
    this.#handler = new RequestHandler({
      account: this.#account,
      faults: this.faults,
      recorder: this.#recorder,
      agenda: timeline.outside,
      requestIds: new ObjectIds(seededRandom(`${seed} requests`)),
    });
    this.#replay(this.#journal?.takeEntries() ?? []);
    if (settings.payoutEvery_ms !== undefined) this.#payOutEvery(settings.payoutEvery_ms);
  }

  /** The simulator's own books: what a user's are compared with. */
  get ledger(): Ledger {
    return this.#account.ledger;
  }

  get pagesUrl(): string {
    return this.#account.pagesUrl;
  }

  set pagesUrl(url: string) {
    this.#account.pagesUrl = url;
  }

  /** Milliseconds since 1970. */
  now(): number {
    return this.#timeline.now_ms();
  }

  /** A request to the API, to a hosted page or to the control endpoint. */
  async handle(request: SimulatorRequest): Promise<SimulatorAnswer> {
    if (!request.path.startsWith("/_simulator")) return this.#handler.handle(request);
    return answerPage(this.#account, this.#recorder, request) ?? answerControl(this, request) ?? unknown_page;
  }

  /** Sends events somewhere, from now on; gives the id by which `removeWebhook` ends it. */
  addWebhook(target: NewWebhookTarget): string {
    return this.#sender.addTarget({ ...target, events: target.events ?? ["*"], isEnabled: true });
  }

  removeWebhook(id: string): void {
    this.#sender.targets.delete(id);
  }

  /**
   * A payment method for a test card's number, as Stripe's own pages make it; attached when a customer is named.
   * @returns its id
   * @throws ApiError 402 for a card that is refused, 400 for what is no test card or no customer
   */
  createPaymentMethod(card: EnteredCard, customer?: string): string {
    const args = [{ ...card, number: writableNumber(card.number) }, customer];
    return this.#recorder.do({ kind: "call", name: "createPaymentMethod", args: withoutTail(args) }, () =>
      outsideActs.createPaymentMethod(this.#account, card, customer),
    );
  }

  /**
   * Lets the owner of a card prove who they are, or fail to, for a payment intent or a setup intent that waits for it.
   * @throws ApiError 400 when it does not
   */
  authenticate(intent: string, outcome: "pass" | "fail"): void {
    this.#act("authenticate", intent, outcome);
  }

  /** The bank's word on a payment that is processing. @throws ApiError 400 when it is not */
  finishProcessing(paymentIntent: string, outcome: "succeeds" | DeclineName): void {
    this.#act("finishProcessing", paymentIntent, outcome);
  }

  /**
   * The owner of a card disputes a charge.
   * @returns the dispute's id
   * @throws ApiError 400 for more than the charge took
   */
  dispute(charge: string, dispute: NewDispute = {}): string {
    return this.#act("dispute", charge, dispute);
  }

  /** The bank decides a dispute. @throws ApiError 400 when it is closed */
  decideDispute(dispute: string, outcome: "won" | "lost"): void {
    this.#act("decideDispute", dispute, outcome);
  }

  /** An inquiry becomes a dispute. @throws ApiError 400 when it is no open inquiry */
  escalateDispute(dispute: string): void {
    this.#act("escalateDispute", dispute);
  }

  /** A refund does not arrive, and its money comes back. @throws ApiError 400 when it failed already */
  failRefund(refund: string, reason?: string): void {
    this.#act("failRefund", refund, reason);
  }

  /**
   * Pays out all that is available, as Stripe does on a schedule.
   * @param difference  what the payout is to be more, or less, than its balance transactions come to
   * @returns the payout's id; undefined when there is nothing to pay out
   */
  payOut(currency: string, difference = 0): string | undefined {
    // Faults are matched by payouts, and where there is nothing to pay out there is none.
    if (amountToPayOut(this.#account, currency) <= 0) return undefined;
    const effects = this.faults.strikeOperation("payouts.automatic", () => ({
      customer: undefined,
      metadata: {},
    }));
    return this.#act("payOut", currency, difference, forcedOutcome(effects));
  }

  /** The bank sends a payout back, also one that was paid. @throws ApiError 400 when it failed already */
  failPayout(payout: string, code?: string): void {
    this.#act("failPayout", payout, code);
  }

  /**
   * What one unit of a currency is in another, from now on: refunds are exchanged at the rate of their own time.
   * @throws RangeError when the text is no rate
   */
  setExchangeRate(from: string, to: string, rate: string): void {
    this.#act("setExchangeRate", from, to, rate);
  }

  /** Lets everything happen that is due by now, webhooks included, and waits until it has. */
  settle(): Promise<void> {
    return this.#timeline.settle();
  }

  /** When the next thing happens, in milliseconds since 1970; undefined when nothing is left to happen. */
  nextDue(): number | undefined {
    return this.#timeline.next_ms();
  }

  /**
   * Moves the simulator's own clock, from one thing that is due to the next, in order.
   * @throws Error when the clock is the caller's
   */
  advance(duration_ms: number): Promise<void> {
    return this.#timeline.advance(duration_ms);
  }

  /** From now on, what is due happens by itself; for a clock that is real time. */
  followRealTime(): void {
    this.#timeline.followRealTime();
  }

  /** Nothing more happens by itself; waits for the webhooks that are on their way, and closes the journal. */
  async stop(): Promise<void> {
    this.#timeline.stop();
    this.#sender.targets.clear();
    await this.#sender.whenIdle();
    this.#journal?.close();
  }

  #act<Name extends keyof OutsideActs>(
    name: Name,
    ...args: ActArguments<Name>
  ): ReturnType<OutsideActs[Name]> {
    return this.#recorder.do({ kind: "call", name, args: withoutTail(args) }, () =>
      this.#carryOut(name, args),
    );
  }

  #carryOut<Name extends keyof OutsideActs>(
    name: Name,
    args: readonly unknown[],
  ): ReturnType<OutsideActs[Name]> {
    const act = outsideActs[name] as (
      account: Account,
      ...args: readonly unknown[]
    ) => ReturnType<OutsideActs[Name]>;
    return act(this.#account, ...args);
  }

  #tick(run: () => void): void {
    this.#recorder.do({ kind: "tick" }, run);
  }

  /** Everything happens again that did, at its time, and nobody is told. */
  #replay(entries: readonly JournalEntry[]): void {
    this.#sender.isMuted = true;
    for (const entry of entries) this.#timeline.hold(entry.at_ms, () => this.#repeat(entry));
    this.#sender.isMuted = false;
  }

  #repeat(entry: JournalEntry): void {
    try {
      if (entry.kind === "request") this.#handler.repeat(entry);
      else if (entry.kind === "tick") this.#timeline.tick();
      else if (entry.kind === "page")
        answerPage(this.#account, undefined, { ...entry, method: "POST", headers: {} });
      else if (Object.hasOwn(outsideActs, entry.name))
        this.#carryOut(entry.name as keyof OutsideActs, entry.args);
      else
        throw new UnusableJournal(`the journal names an act that the simulator does not have: ${entry.name}`);
    } catch (error) {
      // What was refused then is refused again.
      if (!(error instanceof ApiError) && !(error instanceof RangeError)) throw error;
    }
  }

  #payOutEvery(every_ms: number): void {
    this.#timeline.outside.add(this.now() + every_ms, () => {
      for (const { currency } of this.ledger.balances()) this.payOut(currency);
      this.#payOutEvery(every_ms);
    });
  }
}

/** What happened depends on the seed and the settings: with others it would not happen again. */
function openJournal(
  file: string | undefined,
  seed: string,
  settings: SimulatorSettings,
): Journal | undefined {
  if (file === undefined) return undefined;
  const { journalBytes_max, ...limits } = settings.limits;
  return new Journal(
    file,
    JSON.stringify({ seed, api_version, settings: { ...settings, limits } }),
    journalBytes_max,
  );
}

/** Arguments that were not given are no JSON. */
function withoutTail(args: readonly unknown[]): unknown[] {
  return args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1);
}

const unknown_page: SimulatorReply = {
  status: 404,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    error: { message: "The simulator has no such page; see docs/guide/stripe-simulator.md." },
  }),
};
