import type { Instant } from "../../src/kernel/instant.js";
import type { Log } from "../../src/kernel/log.js";

export const silentLog: Log = { info() {}, warn() {}, error() {}, debug() {} };

export class TestClock {
  #now: number;

  constructor(now: number) {
    this.#now = now;
  }

  now(): Instant {
    return this.#now as Instant;
  }

  advance(microseconds: number): void {
    this.#now += microseconds;
  }
}
