import type { EInvoice } from "./e-invoice.js";
import { checkPeppol } from "./peppol-rules.js";
import { checkRequired } from "./required-rules.js";
import { RuleFaults, type RuleFault } from "./rule-fault.js";
import { checkTotals } from "./total-rules.js";
import { checkVat } from "./vat-rules.js";

/**
 * The business rules of EN 16931-1:2017 that data can break (and those of Peppol, for what goes there), each that is broken
 * by its name and with what to do. What gives no fault here is meant to pass the standard's own validation.
 */
export function checkEInvoice(invoice: EInvoice): readonly RuleFault[] {
  const faults = new RuleFaults();
  checkRequired(invoice, faults);
  checkTotals(invoice, faults);
  checkVat(invoice, faults);
  checkPeppol(invoice, faults);
  return faults.all;
}
