import type { Account } from "../account.js";
import type { FaultSubject } from "../faults/fault-plan.js";
import type { FormNode } from "./form.js";
import { findWire } from "./find-object.js";

/** The parameters that name what a request is about, besides its path. */
const naming = ["payment_intent", "charge", "payment_method", "customer"];

/** Whom and what a request is about: by its parameters, and by the object that it names. */
export function subjectOfRequest(account: Account, ids: readonly string[], form: FormNode): FaultSubject {
  const named = naming.map((name) => form.get(name)).filter((value) => typeof value === "string");
  const objects = [...ids, ...named].map((id) => findWire(account, id)).filter((wire) => wire !== undefined);
  const customer = form.get("customer");
  const given = form.get("metadata");
  const subjects = objects.map(subjectOfObject);
  return {
    customer:
      typeof customer === "string" ? customer : subjects.find((subject) => subject.customer)?.customer,
    metadata: {
      ...Object.assign({}, ...subjects.map(({ metadata }) => metadata)),
      ...(given instanceof Map && Object.fromEntries(given)),
    },
  };
}

/** Whom an object is about, as it goes over the wire. */
export function subjectOfObject(wire: object): FaultSubject {
  const { object, id, customer, metadata } = wire as Record<string, unknown>;
  return {
    customer: object === "customer" ? String(id) : typeof customer === "string" ? customer : undefined,
    metadata: (metadata ?? {}) as Readonly<Record<string, string>>,
  };
}
