import { eventually, type Nodes } from "./payments-api.js";
import { balance_columns, stripeReport } from "./settlement/stripe-report.js";
import type { TestWeir } from "./test-weir.js";

/** The id of each thing that a settlement file left behind, by what it is. */
export interface FilledSettlement {
  readonly settlementFile: string;
  readonly reconciliationException: string;
}

/** A provider's report of one charge that nobody knows, and what is open because of it. Every text in it has the mark. */
export async function fillSettlement(weir: TestWeir, key: string, mark: string): Promise<FilledSettlement> {
  const row = {
    id: `${mark}-txn`,
    category: "charge",
    currency: "USD",
    gross: 1_234n,
    fee: 56n,
    source: `${mark}-charge`,
    payment: `${mark}-intent`,
    description: `${mark} description`,
  };
  const query = new URLSearchParams({ account: `${mark}-stripe`, name: `${mark}.csv` });
  const landed = await weir.fetch(`/v1/settlement/files?${query.toString()}`, {
    method: "POST",
    key,
    body: Buffer.concat([...stripeReport(balance_columns, [row])]),
  });
  if (!landed.ok) throw new Error(`landing: ${landed.status} ${await landed.text()}`);
  const { id } = (await landed.json()) as { id: string };
  await eventually(
    async () => (await (await weir.fetch(`/v1/settlement/files/${id}`, { key })).json()) as { state: string },
    ({ state }) => state === "posted",
  );
  const { reconciliationExceptions } = await weir.graphql<{
    reconciliationExceptions: Nodes<{ id: string }>;
  }>(`{ reconciliationExceptions(file: "${id}") { nodes { id } } }`, {}, key);
  return { settlementFile: id, reconciliationException: reconciliationExceptions.nodes[0]?.id ?? "" };
}
