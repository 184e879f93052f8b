import { makeProblem, Refusal } from "../kernel/problem.js";
import type { CatalogFault } from "./core/index.js";

/** A refusal that lists everything that is wrong. @param what  "plan", "coupon": the slug is invalid-<what> */
export function invalidDefinition(what: string, faults: readonly CatalogFault[]): Refusal {
  const detail = faults
    .map(({ field, message }) => (field === "" ? message : `${field}: ${message}`))
    .join("; ");
  return new Refusal(
    makeProblem(`invalid-${what}`, 400, `The ${what.replace("-", " ")} is not valid`, detail, {
      errors: faults,
    }),
  );
}

/** @throws Refusal when there is any fault */
export function refuseFaults(what: string, faults: readonly CatalogFault[]): void {
  if (faults.length > 0) throw invalidDefinition(what, faults);
}

/** @throws Refusal 409 when there are as many as there may be */
export function refuseTooMany(what: string, count: number, most: number): void {
  if (count < most) return;
  throw new Refusal(
    makeProblem(
      `too-many-${what}`,
      409,
      `Too many ${what}`,
      `An organization has at most ${most} ${what} at a time.`,
    ),
  );
}
