import type { Sql } from "../../engines/postgres/index.js";
import { makeProblem, Refusal } from "../../kernel/problem.js";
import { findInvoice, findInvoiceByNumber } from "../store/invoices.js";
import type { Invoice } from "./invoice.js";

/** By id or number. @throws Refusal 404; 409 for a draft when told to */
export async function mustFindFinalized(sql: Sql, idOrNumber: string, refuseDrafts: boolean): Promise<Invoice> {
  const found = (await findInvoice(sql, idOrNumber)) ?? (await findInvoiceByNumber(sql, idOrNumber));
  if (found === undefined) {
    const detail = `There is no invoice with the id or number "${idOrNumber.slice(0, 64)}".`;
    throw new Refusal(makeProblem("invoice-not-found", 404, "No such invoice", detail));
  }
  if (refuseDrafts && found.status === "draft") {
    const detail = `Invoice ${found.id} is a draft: it can be computed anew, and nothing of it has been charged.`;
    throw new Refusal(makeProblem("invoice-not-finalized", 409, "The invoice is a draft", detail));
  }
  return found;
}
