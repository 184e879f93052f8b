import { formatInstant } from "../../kernel/instant.js";
import { formatMoney } from "../../kernel/money.js";
import type { InvoiceHead, InvoiceSection } from "./invoice.js";

/** An invoice as the audit log keeps it. */
export function describeInvoice(
  invoice: Omit<InvoiceHead, "sections">,
  sections: readonly InvoiceSection[],
): unknown {
  const { kind, status, boundary, issueAt, watermark, currency, totals, revision, finalized } = invoice;
  return {
    kind,
    status,
    number: finalized?.number ?? null,
    boundary: formatInstant(boundary),
    issueAt: formatInstant(issueAt),
    sections: sections.map(({ subscription, period: { start, end } }) => ({
      subscription,
      periodStart: formatInstant(start),
      periodEnd: formatInstant(end),
    })),
    watermark,
    total: formatMoney({ currency, minor: totals.total }),
    due: formatMoney({ currency, minor: totals.due }),
    revision,
  };
}
