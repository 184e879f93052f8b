export type {
  DetailWord,
  DocumentAmount,
  DocumentDetail,
  DocumentDiscount,
  DocumentLine,
  DocumentParty,
  DocumentPayment,
  DocumentPeriod,
  DocumentSection,
  DocumentSeller,
  DocumentTax,
  InvoiceDocument,
  PostalAddress,
} from "./invoice-document.js";
export { renderHtml } from "./render-html.js";
export { renderPdf, type PdfOptions } from "./render-pdf.js";
export { documentLimits } from "./limits.js";
export { detailsOf } from "./rated-details.js";
export { sellerOf } from "./seller.js";
export { renderJson } from "./render-json.js";
export { wordingOf, type Wording } from "./wording.js";
export { languageOf } from "./labels.js";
export { formatsOf, type Formats } from "./formats.js";
export { eInvoiceOf, renderEInvoice, writeEInvoice } from "./e-invoice/index.js";
export { checkEInvoice, type EInvoice, type RuleFault } from "./e-invoice/core/index.js";
