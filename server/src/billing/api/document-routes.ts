import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import {
  renderEInvoice,
  renderHtml,
  renderJson,
  renderPdf,
  type InvoiceDocument,
} from "../../documents/index.js";
import { authenticated, callerOf } from "../../http/authentication.js";
import type { OrganizationId } from "../../kernel/ids.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import type { Services } from "../../services.js";

const formats = {
  pdf: { type: "application/pdf", render: renderPdf },
  html: { type: "text/html; charset=utf-8", render: renderHtml },
  xml: { type: "application/xml; charset=utf-8", render: renderEInvoice },
  json: { type: "application/json; charset=utf-8", render: renderJson },
} as const;

interface FileRoute {
  readonly Params: { readonly file: string };
}

/** Invoices and credit notes as files, by id or number. Everything else of them is GraphQL's. */
export function registerDocumentRoutes(app: FastifyInstance, services: Services): void {
  const mayRead = { preHandler: authenticated(services, "secret", "read") };
  const { invoiceDocuments } = services.billing;
  const send =
    (find: (organization: OrganizationId, idOrNumber: string) => Promise<InvoiceDocument>) =>
    async (request: FastifyRequest<FileRoute>, reply: FastifyReply) => {
      const { name, format } = readFile(request.params.file);
      const document = await find(callerOf(request).organization, name);
      const { type, render } = formats[format];
      return reply
        .header("content-type", type)
        .header("content-disposition", `attachment; filename="${fileNameOf(document)}.${format}"`)
        .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
        .header("x-content-type-options", "nosniff")
        .send(await render(document));
    };

  app.get<FileRoute>(
    "/v1/invoices/:file",
    mayRead,
    send((organization, name) => invoiceDocuments.ofInvoice(organization, name)),
  );
  app.get<FileRoute>(
    "/v1/credit-notes/:file",
    mayRead,
    send((organization, name) => invoiceDocuments.ofCreditNote(organization, name)),
  );
}

/** @throws Refusal 404 for a name without one of the formats */
function readFile(file: string): { name: string; format: keyof typeof formats } {
  const dot = file.lastIndexOf(".");
  const format = file.slice(dot + 1);
  if (dot > 0 && Object.hasOwn(formats, format))
    return { name: file.slice(0, dot), format: format as keyof typeof formats };
  const detail = `"${file.slice(0, 64)}" names no format. Ask for an id or number with ${Object.keys(formats)
    .map((known) => `.${known}`)
    .join(", ")}.`;
  throw new Refusal(makeProblem("document-format-unknown", 404, "No such document", detail));
}

/** The number; of a draft its id. */
function fileNameOf({ number, reference }: InvoiceDocument): string {
  return (number ?? `draft-${reference}`).replace(/[^\w.-]/g, "_");
}
