import { createHmac } from "node:crypto";
import type Stripe from "stripe";
import {
  inProcessClient,
  StripeSimulator,
  type EnteredCard,
  type SettingsChange,
  type SimulatorRequest,
} from "../../simulators/stripe/index.js";

const secretKey = "sk_test_conservation";

/** Takes a webhook: the status of the reply. */
export type TakeWebhook = (headers: Readonly<Record<string, string>>, body: Buffer) => Promise<number>;

/**
 * An organization's provider: a simulator whose time is the organization's. Webhooks go out while requests are at work, as on a
 * network; and requests can be late: they time out, and are carried out hours later all the same.
 */
export class SimulatedProvider {
  readonly simulator: StripeSimulator;
  readonly client: Stripe.HttpClient;
  readonly webhookSecret: string;
  readonly #direct: Stripe.HttpClient;
  readonly #now_ms: () => number;
  readonly #late: { readonly after_ms: number; left: number }[] = [];
  readonly #underWay: { readonly due_ms: number; readonly send: () => Promise<unknown> }[] = [];
  #isKicked = false;
  #settling: Promise<void> = Promise.resolve();

  constructor(options: { seed: string; settings: SettingsChange; now_ms: () => number; take: TakeWebhook }) {
    const { seed, settings, now_ms, take } = options;
    this.#now_ms = now_ms;
    this.webhookSecret = `whsec_conservation_${seed.replace(/[^a-z0-9]/g, "_")}`;
    this.simulator = new StripeSimulator({ seed, settings, now: now_ms });
    this.simulator.addWebhook({
      url: "http://weir.example",
      secret: this.webhookSecret,
      // What Weir hears of: as an account is set up, not everything there is.
      events: [...heard],
      receive: ({ body }) => take(this.#signed(body), Buffer.from(body)),
    });
    this.#direct = inProcessClient(this.simulator);
    this.client = {
      getClientName: () => this.#direct.getClientName(),
      makeRequest: (...request) => this.#request(request),
    };
  }

  get secretKey(): string {
    return secretKey;
  }

  /** A token of a test card, by its number, or of a bank account, by its name. */
  methodOf(numberOrName: string): string {
    if (numberOrName.startsWith("pm_")) return numberOrName;
    const card: EnteredCard = { number: numberOrName };
    return this.simulator.createPaymentMethod(card);
  }

  /** The next so many requests that time out arrive later all the same, once more or for the first time. */
  addLate(times: number, after_h: number): void {
    this.#late.push({ left: times, after_ms: after_h * 3_600_000 });
  }

  /** Nothing goes wrong any more, but what is under way. */
  clearFaults(kept: ReadonlySet<string>): void {
    for (const { id } of this.simulator.faults.list()) if (!kept.has(id)) this.simulator.faults.remove(id);
    this.#late.length = 0;
  }

  /** When the next thing happens by itself. */
  nextDue_ms(): number | undefined {
    const dues = this.#underWay.map(({ due_ms }) => due_ms);
    return [...dues, ...[this.simulator.nextDue() ?? []].flat()].sort((one, other) => one - other)[0];
  }

  /** Lets happen what is due by now. */
  async settle(): Promise<void> {
    await this.#settling;
    for (let index = 0; index < this.#underWay.length; ) {
      const late = this.#underWay[index];
      if (late === undefined || late.due_ms > this.#now_ms()) index += 1;
      else {
        this.#underWay.splice(index, 1);
        await late.send().catch(() => undefined);
      }
    }
    await this.simulator.settle();
  }

  /** What the provider says, asked by somebody else than Weir. */
  async ask<T>(method: string, path: string, form: Readonly<Record<string, string>> = {}): Promise<T> {
    const request: SimulatorRequest = {
      method,
      path,
      headers: { authorization: `Bearer ${secretKey}` },
      body: new URLSearchParams(form).toString(),
    };
    let answer = await this.simulator.handle(request);
    // Faults strike whoever asks.
    for (let tries = 0; (typeof answer === "string" || answer.status >= 429) && tries < 20; tries += 1)
      answer = await this.simulator.handle(request);
    if (typeof answer === "string" || answer.status >= 300)
      throw new ProviderSaysNo(
        `${method} ${path}: ${typeof answer === "string" ? answer : `${answer.status} ${answer.body}`}`,
      );
    return JSON.parse(answer.body) as T;
  }

  /** All objects of a list, oldest first, whatever the faults. */
  async all<T extends { readonly id: string }>(path: string): Promise<T[]> {
    const found: T[] = [];
    for (let after = ""; ; ) {
      const page = await this.ask<{ data: T[]; has_more: boolean }>("GET", `${path}?limit=100${after}`);
      found.push(...page.data);
      if (!page.has_more) return found.reverse();
      after = `&starting_after=${page.data.at(-1)?.id ?? ""}`;
    }
  }

  async #request(request: Parameters<Stripe.HttpClient["makeRequest"]>): Promise<Stripe.HttpClientResponse> {
    try {
      return await this.#direct.makeRequest(...request);
    } catch (error) {
      const [, , , method] = request;
      const late =
        method === "POST" && isTimeout(error) ? this.#late.find(({ left }) => left > 0) : undefined;
      if (late !== undefined) {
        late.left -= 1;
        const send = () => this.#direct.makeRequest(...request);
        this.#underWay.push({ due_ms: this.#now_ms() + late.after_ms, send });
      }
      throw error;
    } finally {
      this.#kick();
    }
  }

  /** Webhooks of what just happened go out while the request's caller goes on. */
  #kick(): void {
    if (this.#isKicked) return;
    this.#isKicked = true;
    setImmediate(() => {
      this.#isKicked = false;
      this.#settling = this.simulator.settle().catch(() => undefined);
    });
  }

  /** Signed when it is sent, in real time, which Weir checks it by. */
  #signed(body: string): Record<string, string> {
    const at_s = Math.floor(Date.now() / 1_000);
    const signature = createHmac("sha256", this.webhookSecret).update(`${at_s}.${body}`).digest("hex");
    return { "stripe-signature": `t=${at_s},v1=${signature}` };
  }
}

/** The provider refuses what somebody asked of it. */
export class ProviderSaysNo extends Error {
  override readonly name = "ProviderSaysNo";
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ETIMEDOUT";
}

const heard = [
  "payment_intent.succeeded",
  "payment_intent.payment_failed",
  "payment_intent.canceled",
  "payment_intent.requires_action",
  "charge.updated",
  "refund.created",
  "refund.updated",
  "refund.failed",
  "charge.dispute.created",
  "charge.dispute.updated",
  "charge.dispute.closed",
  "charge.dispute.funds_withdrawn",
  "charge.dispute.funds_reinstated",
  "payout.created",
  "payout.updated",
  "payout.paid",
  "payout.failed",
  "payout.canceled",
  "payment_method.detached",
];
