export { eInvoiceOf } from "./e-invoice-of.js";
export { renderEInvoice, writeEInvoice } from "./render-e-invoice.js";
