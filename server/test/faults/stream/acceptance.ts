import { expect } from "vitest";
import { scanFrames, type SignalStream } from "../../../src/engines/stream/index.js";
import { append } from "./open-test-stream.js";
import type { RecordingSink } from "./recording-sink.js";
import type { SimulatedDisk } from "./simulated-disk.js";

export const dir = "/stream";

/** What senders know: what they sent, and what was acknowledged. */
export class Acceptance {
  readonly sent: string[] = [];
  readonly acknowledged: string[] = [];

  /** Sends one body. @returns after the acknowledgement or the refusal */
  async send(stream: SignalStream, body: string): Promise<void> {
    let durable: Promise<void>;
    try {
      ({ durable } = append(stream, body));
    } catch {
      return;
    }
    this.sent.push(body);
    await durable.then(
      () => void this.acknowledged.push(body),
      () => {},
    );
  }

  /** Everything acknowledged is in the store or in quarantine, exactly once, and nothing is there twice. */
  check(sink: RecordingSink, disk: SimulatedDisk, { gapless }: { gapless: boolean }): void {
    const quarantined = quarantinedFrames(disk);
    const bodies = [...sink.bodies(), ...quarantined.map(({ body }) => body)];
    expect(new Set(bodies).size, `stored twice: ${bodies.join()}`).toBe(bodies.length);
    expect(this.acknowledged.filter((body) => !bodies.includes(body))).toEqual([]);
    expect(bodies.filter((body) => !this.sent.includes(body))).toEqual([]);
    const sequences = [...sink.sequences(), ...quarantined.map(({ sequence }) => sequence)].sort(
      (a, b) => a - b,
    );
    expect(new Set(sequences).size).toBe(sequences.length);
    if (gapless) expect(sequences).toEqual(sequences.map((_, index) => index + 1));
  }
}

export function quarantinedFrames(disk: SimulatedDisk): { sequence: number; body: string }[] {
  const folder = `${dir}/quarantine`;
  return disk
    .names(folder)
    .filter((name) => name.endsWith(".frames"))
    .flatMap((name) => [...scanFrames(disk.peek(`${folder}/${name}`) ?? Buffer.alloc(0))])
    .map(({ sequence, body }) => ({ sequence, body: Buffer.from(body).toString("latin1") }));
}

/** A repeatable source of numbers in [0, 1). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
