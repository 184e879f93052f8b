export type {
  DocumentAmount,
  DocumentDetail,
  DocumentDiscount,
  DocumentLine,
  DocumentParty,
  DocumentPeriod,
  DocumentSection,
  DocumentSeller,
  DocumentTax,
  InvoiceDocument,
  PostalAddress,
} from "./invoice-document.js";
export { renderHtml } from "./render-html.js";
export { renderPdf, type PdfOptions } from "./render-pdf.js";
export { documentLimits } from "./printed-document.js";
