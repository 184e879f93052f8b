/** Which steps are at work, so that a process that stops can let them finish and begins no other. */
export class StepActivity {
  readonly #doing = new Set<{ working: boolean }>();
  #stopping = false;

  get stopping(): boolean {
    return this.#stopping;
  }

  begin(): { atWork(now: boolean): void; end(): void } {
    const step = { working: false };
    this.#doing.add(step);
    return {
      atWork(now) {
        step.working = now;
      },
      end: () => this.#doing.delete(step),
    };
  }

  /** Lets no further step begin; resolves when those at work are done and recorded, or after so long. */
  async stop(wait_ms_max: number): Promise<void> {
    this.#stopping = true;
    const giveUpAt = performance.now() + wait_ms_max;
    while ([...this.#doing].some((step) => step.working) && performance.now() < giveUpAt) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
