import { inspect } from "node:util";

const ask_every_ms = 50;
const ask_for_ms = 60_000;

/** Asks again until it is so. @throws Error with what was answered last, after a minute */
export async function eventually<T>(ask: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
  const deadline = performance.now() + ask_for_ms;
  for (;;) {
    const value = await ask();
    if (isDone(value)) return value;
    if (performance.now() > deadline) throw new Error(`it never came to it: ${inspect(value)}`);
    await new Promise((resolve) => setTimeout(resolve, ask_every_ms));
  }
}
