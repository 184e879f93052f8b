import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { SubjectSpan } from "./core/index.js";
import type { Customer } from "./customer.js";

/** The subject is another's, or the customer's own for another time. */
export function subjectTaken(overlap: SubjectSpan, owner: Customer): Refusal {
  const until = overlap.to === undefined ? "for good" : `until ${formatInstant(overlap.to)}`;
  const detail = `"${overlap.subject}" belongs to customer "${owner.key}" from ${formatInstant(overlap.from)} ${until}. End that first, or assign another time.`;
  return new Refusal(
    makeProblem("subject-taken", 409, "The subject is assigned within that time", detail, {
      owner: owner.id,
      span: describeSpan(overlap),
    }),
  );
}

export function subjectNotAssigned(subject: string, customer: Customer, at: Instant): Refusal {
  const detail = `"${subject}" is not assigned to customer "${customer.key}" at ${formatInstant(at)}.`;
  return new Refusal(
    makeProblem("subject-not-assigned", 404, "The subject is not the customer's then", detail),
  );
}

export function describeSpan(span: SubjectSpan) {
  return {
    subject: span.subject,
    from: formatInstant(span.from),
    to: span.to === undefined ? null : formatInstant(span.to),
  };
}
