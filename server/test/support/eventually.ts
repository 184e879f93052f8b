/** Asks until the answer is what is waited for, for 20 s at most; gives the last answer. */
export async function eventually<T>(ask: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    const value = await ask();
    if (isDone(value) || tries >= 400) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
