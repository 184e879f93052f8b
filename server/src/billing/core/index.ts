export { servicePeriodAt, subscriptionStart, type Period, type PeriodTerms } from "./service-period.js";
export { cutToPeriod, type BilledSpan, type SubjectSpan } from "./subject-span.js";
export {
  compareLines,
  rateLine,
  totalOf,
  type Difference,
  type MeteredInput,
  type RatedLine,
  type Totals,
} from "./invoice-line.js";
