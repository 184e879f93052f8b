import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { SubjectSpan } from "./core/index.js";
import type { Customer } from "./customer.js";

/** The subject is another's, or the customer's own for another time. */
export function subjectTaken(overlap: SubjectSpan, owner: Customer): Refusal {
  const until = overlap.to === undefined ? "for good" : `until ${formatInstant(overlap.to)}`;
  const detail = `"${overlap.subject}" belongs to customer "${owner.key}" from ${formatInstant(overlap.from)} ${until}. End that first, or assign another time; to hand it over from an instant on, reassign it.`;
  const span = {
    subject: overlap.subject,
    from: formatInstant(overlap.from),
    to: overlap.to === undefined ? null : formatInstant(overlap.to),
  };
  return new Refusal(
    makeProblem("subject-taken", 409, "The subject is assigned within that time", detail, {
      owner: owner.id,
      span,
    }),
  );
}

export function subjectNotAssigned(subject: string, customer: Customer, at: Instant): Refusal {
  const detail = `"${subject}" is not assigned to customer "${customer.key}" at ${formatInstant(at)}.`;
  return new Refusal(
    makeProblem("subject-not-assigned", 404, "The subject is not the customer's then", detail),
  );
}

/** Whose usage it was is settled up to there. */
export function subjectInvoiced(subject: string, customer: Customer, from: Instant): Refusal {
  const detail = `Finalized invoices of customer "${customer.key}" cover the time up to ${formatInstant(from)}, so whose usage "${subject}" was does not change before that. It can be changed from ${formatInstant(from)} on.`;
  return new Refusal(
    makeProblem("already-invoiced", 409, "That time is invoiced already", detail, {
      from: formatInstant(from),
    }),
  );
}
