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
