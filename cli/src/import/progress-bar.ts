const width = 30;
const redraw_ms = 100;
const line_ms = 5_000;

/** Progress of long work on standard error: a bar on a terminal, a line now and then elsewhere. */
export class ProgressBar {
  readonly #err: NodeJS.WritableStream & { readonly isTTY?: boolean };
  readonly #total: number;
  readonly #began = performance.now();
  #shown = 0;

  /** @param total  what done counts up to, such as the bytes of a file */
  constructor(err: NodeJS.WritableStream & { readonly isTTY?: boolean }, total: number) {
    this.#err = err;
    this.#total = total;
  }

  update(done: number, text: string): void {
    const now = performance.now();
    const terminal = this.#err.isTTY === true;
    if (now - this.#shown < (terminal ? redraw_ms : line_ms)) return;
    this.#shown = now;
    const share = this.#total === 0 ? 1 : Math.min(1, done / this.#total);
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    if (!terminal) {
      this.#err.write(`${percent}  ${text}\n`);
      return;
    }
    const full = Math.round(share * width);
    const left_s = share === 0 ? 0 : ((now - this.#began) / share - (now - this.#began)) / 1000;
    const left = share < 1 ? `  ${formatSeconds(left_s)} left` : "";
    this.#err.write(`\r\u001b[K${"█".repeat(full)}${"░".repeat(width - full)} ${percent}  ${text}${left}`);
  }

  /** Leaves the line to what comes next. */
  end(): void {
    if (this.#err.isTTY === true) this.#err.write("\r\u001b[K");
  }
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
