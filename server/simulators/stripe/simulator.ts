import type { Account } from "./account.js";
import { Agenda } from "./agenda.js";
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
import { plannedDeliveries } from "./faults/planned-deliveries.js";
import { Ledger } from "./ledger.js";
import { ObjectIds } from "./object-ids.js";
import { authenticatePayment, finishProcessing } from "./objects/confirmation.js";
import type { DeclineName } from "./objects/decline.js";
import { decideDispute, escalateDispute, openDispute, type NewDispute } from "./objects/disputes.js";
import { exchangeAt } from "./objects/exchange.js";
import { customerFor } from "./objects/live-customer.js";
import { attach, enterCard, type EnteredCard } from "./objects/payment-methods.js";
import { failPayout, payOutAvailable } from "./objects/payouts.js";
import { failRefund } from "./objects/refunds.js";
import { authenticateSetup } from "./objects/setup-intents.js";
import { answerControl } from "./pages/control.js";
import { answerPage } from "./pages/hosted-pages.js";
import { seededRandom } from "./seeded-random.js";
import { settingsWith, type SettingsChange } from "./settings.js";
import { VirtualClock } from "./virtual-clock.js";
import { EventLog } from "./webhooks/event-log.js";
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

// Any instant will do; this one is after the dates on which test cards begin to be valid.
const start_ms_default = Date.UTC(2030, 0, 1);
// A timer takes at most 2^31 - 1 ms; what is later is looked at again then.
const timer_ms_max = 2 ** 31 - 1;

/**
 * One account at a provider that speaks the part of Stripe's API which Weir uses, and keeps books of its own. What a
 * person, a bank or a card's issuer does is a method here; what a merchant does goes through the API.
 */
export class StripeSimulator {
  /** When something goes wrong, and what. */
  readonly faults: FaultPlan;
  readonly #account: Account;
  readonly #handler: RequestHandler;
  readonly #agenda: Agenda;
  readonly #sender: WebhookSender;
  readonly #ownClock: VirtualClock | undefined;
  #timer: NodeJS.Timeout | undefined;
  #followsRealTime = false;

  constructor(options: StripeSimulatorOptions = {}) {
    const ownClock = options.now === undefined ? new VirtualClock(start_ms_default) : undefined;
    const clock = options.now ?? (() => ownClock?.now() ?? start_ms_default);
    // Lists are searched by the order in which their objects were made: it never falls, whatever the clock does.
    let last_ms = -Infinity;
    const now_ms = (): number => (last_ms = Math.max(last_ms, clock()));
    const settings = settingsWith(options.settings ?? {});
    const seed = options.seed ?? "weir";
    const ids = new ObjectIds(seededRandom(`${seed} ids`));
    const { objects_max, events_max, deliveries_max, faults_max } = settings.limits;
    const faults = new FaultPlan(seed, faults_max);
    const chances = seededRandom(`${seed} deliveries`);
    this.#ownClock = ownClock;
    this.faults = faults;
    this.#agenda = new Agenda(() => this.#setTimer());
    this.#sender = new WebhookSender({
      agenda: this.#agenda,
      now_ms,
      firstDelay_ms: settings.delays.webhook_ms,
      deliveries_max,
      plan: (event, object) =>
        plannedDeliveries(
          faults.strikeEvent(event.type, () => subjectOfObject(object)),
          chances,
        ),
    });
    const ledger = new Ledger({ ids, objects_max, now_ms });
    this.#account = {
      settings,
      ids,
      requestIds: new ObjectIds(seededRandom(`${seed} requests`)),
      agenda: this.#agenda,
      ledger,
      events: new EventLog({
        ids,
        events_max,
        now_ms,
        onEvent: (event, object) => this.#sender.send(event, object),
      }),
      ...emptyStores(ids, objects_max, (charge) => ledger.dropCharge(charge)),
      webhooks: this.#sender,
      faults,
      exchangeRates: new Map(),
      pagesUrl: options.pagesUrl ?? "http://127.0.0.1:12111",
      now_ms,
    };
    for (const [pair, rate] of Object.entries(settings.exchangeRates)) {
      const [from = "", to = ""] = pair.split("/");
      this.setExchangeRate(from, to, rate);
    }
    if (settings.payoutEvery_ms !== undefined) this.#payOutEvery(settings.payoutEvery_ms);
    this.#handler = new RequestHandler(this.#account);
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
    return this.#account.now_ms();
  }

  /** A request to the API, to a hosted page or to the control endpoint. */
  async handle(request: SimulatorRequest): Promise<SimulatorAnswer> {
    if (!request.path.startsWith("/_simulator")) return this.#handler.handle(request);
    return answerPage(this.#account, request) ?? answerControl(this, request) ?? unknown_page;
  }

  /** Sends events somewhere, from now on; gives the id by which `removeWebhook` ends it. */
  addWebhook(target: NewWebhookTarget): string {
    const id = this.#account.ids.next("we");
    this.#sender.targets.set(id, { ...target, id, events: target.events ?? ["*"], isEnabled: true });
    return id;
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
    const owner = customer === undefined ? undefined : customerFor(this.#account, customer);
    const method = enterCard(this.#account, card);
    if (owner !== undefined) attach(this.#account, method, owner);
    return method.wire.id;
  }

  /**
   * Lets the owner of a card prove who they are, or fail to, for a payment intent or a setup intent that waits for it.
   * @throws ApiError 400 when it does not
   */
  authenticate(intent: string, outcome: "pass" | "fail"): void {
    const account = this.#account;
    if (intent.startsWith("seti_")) authenticateSetup(account, account.setupIntents.get(intent), outcome);
    else authenticatePayment(account, account.paymentIntents.get(intent), outcome);
  }

  /** The bank's word on a payment that is processing. @throws ApiError 400 when it is not */
  finishProcessing(paymentIntent: string, outcome: "succeeds" | DeclineName): void {
    finishProcessing(this.#account, this.#account.paymentIntents.get(paymentIntent), outcome);
  }

  /**
   * The owner of a card disputes a charge.
   * @returns the dispute's id
   * @throws ApiError 400 for more than the charge took
   */
  dispute(charge: string, dispute: NewDispute = {}): string {
    return openDispute(this.#account, this.#account.charges.get(charge), dispute).wire.id;
  }

  /** The bank decides a dispute. @throws ApiError 400 when it is closed */
  decideDispute(dispute: string, outcome: "won" | "lost"): void {
    decideDispute(this.#account, this.#account.disputes.get(dispute), outcome);
  }

  /** An inquiry becomes a dispute. @throws ApiError 400 when it is no open inquiry */
  escalateDispute(dispute: string): void {
    escalateDispute(this.#account, this.#account.disputes.get(dispute));
  }

  /** A refund does not arrive, and its money comes back. @throws ApiError 400 when it failed already */
  failRefund(refund: string, reason?: string): void {
    failRefund(this.#account, this.#account.refunds.get(refund), reason);
  }

  /**
   * Pays out all that is available, as Stripe does on a schedule.
   * @param difference  what the payout is to be more, or less, than its balance transactions come to
   * @returns the payout's id; undefined when there is nothing to pay out
   */
  payOut(currency: string, difference = 0): string | undefined {
    return payOutAvailable(this.#account, currency, difference)?.wire.id;
  }

  /** The bank sends a payout back, also one that was paid. @throws ApiError 400 when it failed already */
  failPayout(payout: string, code?: string): void {
    failPayout(this.#account, this.#account.payouts.get(payout), code);
  }

  /**
   * What one unit of a currency is in another, from now on: refunds are exchanged at the rate of their own time.
   * @throws RangeError when the text is no rate
   */
  setExchangeRate(from: string, to: string, rate: string): void {
    exchangeAt(from, to, rate);
    this.#account.exchangeRates.set(`${from}/${to}`, rate);
  }

  /** Lets everything happen that is due by now, webhooks included, and waits until it has. */
  async settle(): Promise<void> {
    do {
      this.#runDue();
      await this.#sender.whenIdle();
    } while ((this.#agenda.next_ms() ?? Infinity) <= this.now());
  }

  /** When the next thing happens, in milliseconds since 1970; undefined when nothing is left to happen. */
  nextDue(): number | undefined {
    return this.#agenda.next_ms();
  }

  /**
   * Moves the simulator's own clock, from one thing that is due to the next, in order.
   * @throws Error when the clock is the caller's
   */
  async advance(duration_ms: number): Promise<void> {
    const clock = this.#ownClock;
    if (clock === undefined)
      throw new Error(
        "the simulator was given a clock: move that, and call settle() for what is due by then",
      );
    const end_ms = clock.now() + duration_ms;
    await this.settle();
    for (;;) {
      const next_ms = this.#agenda.next_ms();
      if (next_ms === undefined || next_ms > end_ms) break;
      clock.moveTo(next_ms);
      await this.settle();
    }
    clock.moveTo(end_ms);
  }

  /** From now on, what is due happens by itself; for a clock that is real time. */
  followRealTime(): void {
    this.#followsRealTime = true;
    this.#setTimer();
  }

  /** Nothing more happens by itself; waits for the webhooks that are on their way. */
  async stop(): Promise<void> {
    this.#followsRealTime = false;
    clearTimeout(this.#timer);
    this.#sender.targets.clear();
    await this.#sender.whenIdle();
  }

  #runDue(): void {
    for (let isDue = true; isDue; ) {
      try {
        isDue = this.#agenda.runNext(this.now());
      } catch (error) {
        // There is no request to answer: what was to happen is about an object that was dropped for want of room.
        if (!(error instanceof ApiError)) throw error;
      }
    }
  }

  #payOutEvery(every_ms: number): void {
    this.#agenda.add(this.now() + every_ms, () => {
      for (const { currency } of this.ledger.balances()) this.payOut(currency);
      this.#payOutEvery(every_ms);
    });
  }

  #setTimer(): void {
    if (!this.#followsRealTime) return;
    clearTimeout(this.#timer);
    const next_ms = this.#agenda.next_ms();
    if (next_ms === undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#runDue();
        this.#setTimer();
      },
      Math.min(Math.max(next_ms - this.now(), 0), timer_ms_max),
    );
    this.#timer.unref();
  }
}

const unknown_page: SimulatorReply = {
  status: 404,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({
    error: { message: "The simulator has no such page; see docs/guide/stripe-simulator.md." },
  }),
};
