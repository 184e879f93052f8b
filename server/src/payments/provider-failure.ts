import type { Decline } from "./core/index.js";

/** It is not known whether the provider did what it was asked: no reply, a lost connection, a 5xx. */
export class ProviderUnanswered extends Error {
  override readonly name = "ProviderUnanswered";
  readonly retry = true;
}

/** The provider did nothing, and may be asked again after a while: 429, or our own limit towards it. */
export class ProviderBusy extends Error {
  override readonly name = "ProviderBusy";
  readonly retry = true;
  readonly wait_ms: number;

  constructor(message: string, wait_ms: number) {
    super(message);
    this.wait_ms = wait_ms;
  }
}

/** The provider did nothing, and will not: the request itself is wrong. */
export class ProviderRefusal extends Error {
  override readonly name = "ProviderRefusal";
  readonly retry = false;
  readonly decline: Decline;

  constructor(decline: Decline) {
    super(`${decline.code}: ${decline.message}`);
    this.decline = decline;
  }
}

/** Whether an error says that a provider gave no answer: by its name, since a recorded one is no instance any more. */
export function isUnanswered(error: unknown): error is Error {
  return error instanceof Error && (error.name === "ProviderBusy" || error.name === "ProviderUnanswered");
}
