import { formatInstant, hour, type Instant } from "../kernel/instant.js";
import { nimbus, nimbusCustomers, type NimbusCustomer } from "./nimbus.js";
import { seededRandom } from "./random.js";

/** A CloudEvent as any sender would write it. */
export interface DemoEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: "nimbus/simulator";
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly data: Readonly<Record<string, string | number>>;
}

/**
 * One hour of the demo's past: the same events at every call, so that sending them again counts nothing twice.
 * @param start the first instant of a UTC hour
 */
export function trafficOfHour(start: Instant): DemoEvent[] {
  return nimbusCustomers.flatMap((customer) => {
    const random = seededRandom(`${customer.key}:${start}`);
    const events = Math.round(1 + (customer.scale / 3) * dayCurve(start) * (0.5 + random()));
    return Array.from({ length: events }, (_, index) =>
      makeEvent(
        customer,
        `${customer.key}-${start / hour}-${index}`,
        (start + Math.floor(random() * hour)) as Instant,
        random,
      ),
    );
  });
}

/** A few events of this moment. */
export function trafficOfNow(now: Instant, count: number): DemoEvent[] {
  const random = seededRandom(`now:${now}`);
  return Array.from({ length: count }, (_, index) => {
    const customer = nimbusCustomers[Math.floor(random() * nimbusCustomers.length)] ?? nimbusCustomers[0];
    if (customer === undefined) throw new RangeError("the demo has no customers");
    return makeEvent(customer, `live-${now}-${index}`, now, random);
  });
}

function makeEvent(customer: NimbusCustomer, id: string, at: Instant, random: () => number): DemoEvent {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const base = {
    specversion: "1.0",
    id,
    source: "nimbus/simulator",
    subject: customer.key,
    time: formatInstant(at),
  } as const;
  const kind = random();
  if (kind < 0.4) {
    const data = {
      seconds: Math.round(60 + random() * 3540 * customer.scale),
      region: pick(nimbus.regions),
      instance: pick(nimbus.instances),
    };
    return { ...base, type: "compute.usage", data };
  }
  if (kind < 0.6) {
    const data = { bytes: Math.round(random() * 5e9 * customer.scale), region: pick(nimbus.regions) };
    return { ...base, type: "network.egress", data };
  }
  const data = { tokens: Math.round(200 + random() * 8000 * customer.scale), model: pick(nimbus.models) };
  return { ...base, type: "llm.request", data };
}

/** Traffic over a UTC day: quiet nights, busy afternoons; between 0.3 and 1.7. */
function dayCurve(at: Instant): number {
  const hourOfDay = Math.floor(at / hour) % 24;
  return 1 + 0.7 * Math.sin(((hourOfDay - 8) / 24) * 2 * Math.PI);
}
