import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";
import { z } from "zod";

const common = { at_ms: z.number() };

const entrySchema = z.discriminatedUnion("kind", [
  /** A request that was carried out, or whose error was kept. */
  z.object({
    kind: z.literal("request"),
    ...common,
    method: z.string(),
    path: z.string(),
    form: z.string(),
    requestId: z.string(),
    key: z.string().nullable(),
    /** What faults made of it. */
    forced: z.record(z.string(), z.unknown()),
    error: z
      .object({ when: z.enum(["before", "after"]), status: z.number(), isKept: z.boolean() })
      .optional(),
  }),
  /** A form of a hosted page that was sent. */
  z.object({ kind: z.literal("page"), ...common, path: z.string(), body: z.string() }),
  /** What a person, a bank or an issuer did. */
  z.object({ kind: z.literal("call"), ...common, name: z.string(), args: z.array(z.unknown()) }),
  /** Something that was due. */
  z.object({ kind: z.literal("tick"), ...common }),
]);

export type JournalEntry = z.output<typeof entrySchema>;

const headerSchema = z.object({
  journal: z.literal("weir-stripe-simulator"),
  version: z.number(),
  account: z.string(),
});

/** A journal that cannot be taken up. */
export class UnusableJournal extends Error {
  override readonly name = "UnusableJournal";
}

const version = 1;

/**
 * What happened to a simulated account, one JSON line each, so that it can happen again when the simulator is started
 * again. A line is written before the reply to what it is about: killing the process loses nothing that was answered.
 * A power cut may, which a simulator need not survive.
 */
export class Journal {
  readonly #file: number;
  readonly #bytes_max: number;
  #bytes: number;
  #entries: readonly JournalEntry[];

  /**
   * @param account  what the entries depend on besides themselves, as text: seed, settings, version of the API
   * @throws UnusableJournal for the journal of another account, or one with a line that is damaged, the last one apart
   */
  constructor(path: string, account: string, bytes_max: number) {
    const header = JSON.stringify({ journal: "weir-stripe-simulator", version, account });
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    this.#file = openSync(path, "a+");
    this.#bytes_max = bytes_max;
    this.#bytes = Buffer.byteLength(whole);
    // A line that was cut is one that nobody got an answer to.
    ftruncateSync(this.#file, this.#bytes);
    this.#entries = [];
    if (whole === "") this.#write(header);
    else this.#entries = readEntries(path, whole, account);
  }

  /** What happened so far, once. */
  takeEntries(): readonly JournalEntry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#bytes_max;
  }

  append(entry: JournalEntry): void {
    this.#write(JSON.stringify(entry));
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(line: string): void {
    this.#bytes += writeSync(this.#file, `${line}\n`);
  }
}

function readEntries(path: string, text: string, account: string): readonly JournalEntry[] {
  const [first = "", ...lines] = text.trimEnd().split("\n");
  const header = headerSchema.safeParse(parse(first));
  if (!header.success || header.data.version !== version)
    throw new UnusableJournal(`${path} is no journal of this simulator: move it away, or name another file`);
  if (header.data.account !== account)
    throw new UnusableJournal(
      `${path} was written with other settings, another seed or another version of the API (${header.data.account.slice(0, 300)}): restore them, or move the file away to begin anew`,
    );
  return lines.map((line, index) => {
    const entry = entrySchema.safeParse(parse(line));
    if (!entry.success)
      throw new UnusableJournal(`${path}, line ${index + 2}, is damaged: ${line.slice(0, 100)}`);
    return entry.data;
  });
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
