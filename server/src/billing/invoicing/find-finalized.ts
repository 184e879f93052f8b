import type { Sql } from "../../engines/postgres/index.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { findInvoice, findInvoiceByNumber } from "../store/invoices.js";
import { findPayableInvoice, type PayableInvoice } from "../store/payable-invoice.js";
import type { Invoice } from "./invoice.js";

/** By id or number. @throws Refusal 404; 409 for a draft when told to */
export async function mustFindFinalized(
  sql: Sql,
  idOrNumber: string,
  refuseDrafts: boolean,
): Promise<Invoice> {
  const found = (await findInvoice(sql, idOrNumber)) ?? (await findInvoiceByNumber(sql, idOrNumber));
  if (found === undefined) throw unknownInvoice(idOrNumber);
  if (refuseDrafts && found.status === "draft") throw isDraft(found.id);
  return found;
}

/** A finalized one by id or number, without its lines. @throws Refusal 404; 409 for a draft */
export async function mustFindPayable(sql: Sql, idOrNumber: string): Promise<PayableInvoice> {
  const found = await findPayableInvoice(sql, idOrNumber);
  if (found === undefined) throw unknownInvoice(idOrNumber);
  if (found.status === "draft") throw isDraft(found.id);
  return found;
}

function unknownInvoice(idOrNumber: string): Refusal {
  const detail = `There is no invoice with the id or number "${idOrNumber.slice(0, 64)}".`;
  return new Refusal(makeProblem("invoice-not-found", 404, "No such invoice", detail));
}

function isDraft(id: string): Refusal {
  const detail = `Invoice ${id} is a draft: it can be computed anew, and nothing of it has been charged.`;
  return new Refusal(makeProblem("invoice-not-finalized", 409, "The invoice is a draft", detail));
}
