/** An event of the load, and how its quantity is to be counted independently. */
export interface LoadEvent {
  readonly id: string;
  readonly subject: string;
  readonly n: number;
}

/**
 * Sends each batch until it is acknowledged, whatever happens to the server: what a careful client does.
 * `url` is asked anew for every attempt, since the server comes back elsewhere.
 */
export class RetryingSender {
  readonly acknowledged = new Map<string, LoadEvent>();
  readonly sent = new Map<string, LoadEvent>();
  #stopped = false;

  constructor(
    private readonly url: () => string,
    private readonly key: string,
  ) {}

  stop(): void {
    this.#stopped = true;
  }

  /** Resolves when the batch is acknowledged, or when the sender was stopped before. */
  async send(batch: readonly LoadEvent[]): Promise<void> {
    for (const event of batch) this.sent.set(event.id, event);
    const body = JSON.stringify(
      batch.map(({ id, subject, n }) => ({
        specversion: "1.0",
        id,
        source: "load",
        type: "t",
        subject,
        data: { n },
      })),
    );
    while (!this.#stopped) {
      try {
        const response = await fetch(new URL("/v1/events", this.url()), {
          method: "POST",
          headers: {
            authorization: `Bearer ${this.key}`,
            "content-type": "application/cloudevents-batch+json",
          },
          body,
          signal: AbortSignal.timeout(10_000),
        });
        const text = await response.text();
        if (response.status === 202) {
          for (const event of batch) this.acknowledged.set(event.id, event);
          return;
        }
        if (response.status !== 503 && response.status !== 429)
          throw new UnexpectedAnswer(`${response.status}: ${text}`);
      } catch (error) {
        if (error instanceof UnexpectedAnswer) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

class UnexpectedAnswer extends Error {}
