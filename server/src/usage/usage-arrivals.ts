import type { Appended, AppendRequest, SignalStream } from "../engines/stream/index.js";
import type { OrganizationId } from "../kernel/ids.js";

export type ArrivalListener = (organizations: ReadonlySet<OrganizationId>) => void;

/** An organization's envelopes that are not in the store yet. */
interface OnTheWay {
  readonly first: number;
  readonly last: number;
}

/** Knows whose usage is on its way into the store, and tells when it has come. */
export class UsageArrivals {
  readonly #stream: SignalStream;
  readonly #onTheWay = new Map<OrganizationId, OnTheWay>();
  readonly #listeners = new Set<ArrivalListener>();

  constructor(stream: SignalStream) {
    this.#stream = stream;
    stream.onConfirmed(({ lastSequence }) => this.#confirmed(lastSequence));
  }

  /** The same stream, whose appends are noted. */
  noting(): SignalStream {
    const stream = this.#stream;
    return {
      writer: stream.writer,
      signal: stream.signal,
      get nextSequence() {
        return stream.nextSequence;
      },
      append: (request) => this.#append(request),
      flushed: () => stream.flushed(),
      watermark: () => stream.watermark(),
      whenConfirmed: (sequence) => stream.whenConfirmed(sequence),
      onConfirmed: (listener) => stream.onConfirmed(listener),
      stats: () => stream.stats(),
      sealNow: () => stream.sealNow(),
      close: () => stream.close(),
    };
  }

  /** @returns the function that stops it */
  onArrival(listener: ArrivalListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #append(request: AppendRequest): Appended {
    const appended = this.#stream.append(request);
    const { organization } = request;
    const first = this.#onTheWay.get(organization)?.first ?? appended.sequence;
    this.#onTheWay.set(organization, { first, last: appended.sequence });
    return appended;
  }

  #confirmed(sequence: number): void {
    const arrived = new Set<OrganizationId>();
    for (const [organization, { first, last }] of this.#onTheWay) {
      if (first > sequence) continue;
      arrived.add(organization);
      if (last <= sequence) this.#onTheWay.delete(organization);
      else this.#onTheWay.set(organization, { first: sequence + 1, last });
    }
    if (arrived.size > 0) for (const listener of this.#listeners) listener(arrived);
  }
}
