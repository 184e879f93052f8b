import { expect, test } from "vitest";
import type { AppendRequest, ConfirmedBatch, SignalStream } from "../engines/stream/index.js";
import type { OrganizationId } from "../kernel/ids.js";
import { UsageArrivals } from "./usage-arrivals.js";

/** The part of a stream that arrivals listen to. */
function listenedTo() {
  let next = 1;
  let tell: (batch: ConfirmedBatch) => void = () => undefined;
  const stream = {
    append: () => ({ sequence: next++, segment: 1, durable: Promise.resolve() }),
    onConfirmed(listener: typeof tell) {
      tell = listener;
      return () => undefined;
    },
  } as unknown as SignalStream;
  const arrivals = new UsageArrivals(stream);
  const noting = arrivals.noting();
  const told: string[][] = [];
  arrivals.onArrival((organizations) => told.push([...organizations]));
  return {
    append: (organization: string) =>
      noting.append({ organization: organization as OrganizationId } as AppendRequest),
    confirm: (lastSequence: number) => tell({ lastSequence } as ConfirmedBatch),
    told,
  };
}

test("whose usage has come into the store is told once for each batch that holds some of it", () => {
  const { append, confirm, told } = listenedTo();
  for (const organization of ["a", "b", "a", "c", "a"]) append(organization);
  confirm(2);
  confirm(3);
  confirm(5);
  confirm(6);
  expect(told).toEqual([["a", "b"], ["a"], ["a", "c"]]);
});

test("what is appended while a batch is confirmed waits for its own", () => {
  const { append, confirm, told } = listenedTo();
  append("a");
  append("a");
  confirm(1);
  append("a");
  confirm(2);
  confirm(3);
  expect(told).toEqual([["a"], ["a"], ["a"]]);
});
