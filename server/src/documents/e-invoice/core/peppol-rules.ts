import type { EInvoice } from "./e-invoice.js";
import { checkIdentifiers } from "./peppol-identifier-rules.js";
import { checkNational } from "./peppol-national-rules.js";
import { isGiven, type RuleFaults } from "./rule-fault.js";

const profile = "weir organization billing-profile --name …";
const customer = "weir customers update CUSTOMER";

/** What Peppol BIS Billing 3.0 asks for beyond the standard. */
export function checkPeppol(invoice: EInvoice, faults: RuleFaults): void {
  if (invoice.specification !== "peppol") return;
  faults.expect(
    "PEPPOL-EN16931-R003",
    isGiven(invoice.buyerReference),
    `the buyer's reference is missing, which Peppol asks for (a Leitweg-ID, a cost centre, an order): ${customer} --buyer-reference …`,
  );
  faults.expect(
    "PEPPOL-EN16931-R010",
    invoice.buyer.electronicAddress !== undefined,
    `the buyer's electronic address is missing: ${customer} --electronic-address 9930:DE123456789`,
  );
  faults.expect(
    "PEPPOL-EN16931-R020",
    invoice.seller.electronicAddress !== undefined,
    `the seller's electronic address is missing: ${profile} --electronic-address 9930:DE123456789`,
  );
  checkIdentifiers(invoice, faults);
  checkNational(invoice, faults);
}
