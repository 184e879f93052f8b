import type { Account } from "./account.js";
import { emptyStores } from "./account.js";
import { Agenda } from "./agenda.js";
import { RequestHandler, type SimulatorReply, type SimulatorRequest } from "./api/request-handler.js";
import { Ledger } from "./ledger.js";
import { ObjectIds } from "./object-ids.js";
import { authenticate } from "./objects/confirmation.js";
import { attach, enterCard, type EnteredCard } from "./objects/payment-methods.js";
import { customerFor } from "./objects/live-customer.js";
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
  readonly secret: string;
  readonly events?: readonly string[];
  readonly receive?: (delivery: WebhookDelivery) => Promise<number>;
}

// Any instant will do; this one is a Tuesday in 2030, after the dates on which test cards begin to be valid.
const start_ms_default = Date.UTC(2030, 0, 1);

/** One account at a provider that speaks the part of Stripe's API which Weir uses, and keeps books of its own. */
export class StripeSimulator {
  readonly #account: Account;
  readonly #handler: RequestHandler;
  readonly #agenda: Agenda;
  readonly #sender: WebhookSender;
  readonly #ownClock: VirtualClock | undefined;
  #timer: NodeJS.Timeout | undefined;
  #followsRealTime = false;

  constructor(options: StripeSimulatorOptions = {}) {
    this.#ownClock = options.now === undefined ? new VirtualClock(start_ms_default) : undefined;
    const clock = options.now ?? (() => this.#ownClock?.now() ?? 0);
    let last_ms = -Infinity;
    const now_ms = (): number => (last_ms = Math.max(last_ms, clock()));
    const settings = settingsWith(options.settings ?? {});
    const random = seededRandom(options.seed ?? "weir");
    const ids = new ObjectIds(random);
    const { objects_max, events_max, deliveries_max } = settings.limits;
    this.#agenda = new Agenda(() => this.#setTimer());
    this.#sender = new WebhookSender({
      agenda: this.#agenda,
      now_ms,
      firstDelay_ms: settings.delays.webhook_ms,
      deliveries_max,
      twist: () => ({ isLost: false, copies: 1, delay_ms: 0, rank: 0 }),
    });
    this.#account = {
      settings,
      ids,
      random,
      agenda: this.#agenda,
      ledger: new Ledger({ ids, objects_max, now_ms }),
      events: new EventLog({ ids, events_max, now_ms, onEvent: (event) => this.#sender.send(event) }),
      ...emptyStores(ids, objects_max),
      pagesUrl: options.pagesUrl ?? "http://127.0.0.1:12111",
      now_ms,
    };
    this.#handler = new RequestHandler(this.#account);
  }

  /** The simulator's own books. */
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

  handle(request: SimulatorRequest): Promise<SimulatorReply> {
    return this.#handler.handle(request);
  }

  /** Sends events somewhere, from now on; gives the id by which `removeWebhook` ends it. */
  addWebhook(target: NewWebhookTarget): string {
    const id = this.#account.ids.next("we");
    this.#sender.targets.set(id, { ...target, id, events: target.events ?? ["*"] });
    return id;
  }

  removeWebhook(id: string): void {
    this.#sender.targets.delete(id);
  }

  /** A payment method for a test card's number, as Stripe's own pages make it; attached when a customer is named. */
  createPaymentMethod(card: EnteredCard, customer?: string): string {
    const method = enterCard(this.#account, card);
    if (customer !== undefined) attach(this.#account, method, customerFor(this.#account, customer));
    return method.wire.id;
  }

  /** Lets the owner of a card prove who they are, or fail to, for a payment that requires it. */
  authenticate(paymentIntent: string, outcome: "pass" | "fail"): void {
    authenticate(this.#account, this.#account.paymentIntents.get(paymentIntent), outcome);
  }

  /** Lets everything happen that is due by now, webhooks included, and waits until it has. */
  async settle(): Promise<void> {
    do {
      while (this.#agenda.runNext(this.now()));
      await this.#sender.whenIdle();
    } while ((this.#agenda.next_ms() ?? Infinity) <= this.now());
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

  /** Nothing more happens by itself. */
  async stop(): Promise<void> {
    this.#followsRealTime = false;
    clearTimeout(this.#timer);
    this.#sender.targets.clear();
    await this.#sender.whenIdle();
  }

  #setTimer(): void {
    if (!this.#followsRealTime) return;
    clearTimeout(this.#timer);
    const next_ms = this.#agenda.next_ms();
    if (next_ms === undefined) return;
    // A timer takes at most 2^31 ms, and is looked at again then.
    const wait_ms = Math.min(Math.max(next_ms - this.now(), 0), 2 ** 31 - 1);
    this.#timer = setTimeout(() => {
      while (this.#agenda.runNext(this.now()));
      this.#setTimer();
    }, wait_ms);
    this.#timer.unref();
  }
}
