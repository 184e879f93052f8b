import { msOf } from "../kernel/instant.js";
import { fontFile } from "./fonts.js";
import type { InvoiceDocument } from "./invoice-document.js";
import { drawInvoice } from "./pdf-invoice.js";
import { PdfPage } from "./pdf-page.js";
import { describeDocument } from "./printed-document.js";

export interface PdfOptions {
  /** false leaves the text legible in the file, for tests. */
  readonly compress?: boolean;
}

/** Countries that print on US Letter; the others on A4. */
const letterCountries = new Set(["US", "CA", "MX"]);

/**
 * The document as PDF, with its fonts embedded. The same document gives the same bytes, with the same version of Node
 * (whose Intl writes numbers and dates): nothing in it depends on the clock or on chance.
 */
export async function renderPdf(document: InvoiceDocument, options: PdfOptions = {}): Promise<Buffer> {
  // Loaded by the first document: a start need not wait for it.
  const { default: PDFDocument } = await import("pdfkit");
  const issuedAt = new Date(msOf(document.issuedAt));
  const country = document.seller.address?.country;
  const printed = describeDocument(document);
  const pdf = new PDFDocument({
    autoFirstPage: false,
    bufferPages: true,
    compress: options.compress ?? true,
    displayTitle: true,
    lang: printed.language,
    size: country !== undefined && letterCountries.has(country) ? "LETTER" : "A4",
    margin: 0,
    info: {
      Title: `${printed.title} ${printed.number}`,
      Author: document.seller.name.slice(0, 256),
      Producer: "Weir",
      Creator: "Weir",
      CreationDate: issuedAt,
      ModDate: issuedAt,
    },
  });
  pdf.registerFont("regular", fontFile("regular"));
  pdf.registerFont("bold", fontFile("bold"));
  const chunks: Buffer[] = [];
  const done = new Promise<Buffer>((resolve, reject) => {
    pdf.on("data", (chunk: Buffer) => void chunks.push(chunk));
    pdf.on("end", () => resolve(Buffer.concat(chunks)));
    pdf.on("error", reject);
  });
  const page = new PdfPage(pdf);
  const symbolPrints = page.canPrint(printed.due.value);
  await drawInvoice(page, symbolPrints ? printed : describeDocument(document, "code"));
  pdf.end();
  return done;
}
