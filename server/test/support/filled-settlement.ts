import { operationsOf } from "./graphql-operations.js";
import { eventually } from "./eventually.js";
import type { Nodes } from "./payments-api.js";
import { camtFile } from "./settlement/camt-file.js";
import type { TestWeir } from "./test-weir.js";

/** The id of each thing of files, and of what they left open, by what it is. */
export interface FilledSettlement {
  readonly bank: string;
  readonly settlementFile: string;
  readonly exception: string;
}

/** A bank's statement with a line that nobody knows, and a prepaid balance that is watched. */
export async function fillSettlement(weir: TestWeir, key: string, mark: string): Promise<FilledSettlement> {
  const { ask, mutate } = operationsOf((query) => weir.graphql(query, {}, key));
  const bank = await mutate<{ id: string }>(
    `createProviderAccount(key: "${mark}-statements", provider: "bank_transfer", name: "${mark}", settings: [
      { name: "iban", value: "NL91ABNA0417164300" }, { name: "holder", value: "${mark}" }])`,
    "{ id }",
  );
  const content = Buffer.concat([
    ...camtFile({
      id: `${mark}-message`,
      statements: [
        {
          id: `${mark}-statement`,
          account: "NL91ABNA0417164300",
          currency: "EUR",
          sequence: 1,
          opening: 0n,
          entries: () => [
            { amount: 4_321n, credit: true, reference: `${mark}-entry`, text: `${mark} gift`, name: mark },
          ],
        },
      ],
    }),
  ]);
  const landed = await weir.fetch(`/v1/settlement/files?account=${bank.id}&name=${mark}.xml`, {
    method: "POST",
    key,
    headers: { "content-type": "application/octet-stream" },
    body: content,
  });
  if (!landed.ok) throw new Error(`the file did not land: ${landed.status} ${await landed.text()}`);
  const found = await eventually(
    () =>
      ask<{
        settlementFiles: Nodes<{ id: string; state: string }>;
        reconciliationExceptions: Nodes<{ id: string }>;
      }>(
        `{ settlementFiles(first: 5) { nodes { id state } } reconciliationExceptions(first: 5, account: "${bank.id}") { nodes { id } } }`,
      ),
    ({ settlementFiles, reconciliationExceptions }) =>
      settlementFiles.nodes[0]?.state === "posted" && reconciliationExceptions.nodes.length > 0,
  );
  await mutate(`setTopUpSettings(customer: "${mark}-payer", lowAt: "5.00", currency: "USD")`, "{ currency }");
  // It is looked at a moment later, and changes nothing by itself after that.
  await eventually(
    async () =>
      (
        await ask<{ topUpSettings: { isLow: boolean } }>(
          `{ topUpSettings(customer: "${mark}-payer") { isLow } }`,
        )
      ).topUpSettings,
    ({ isLow }) => isLow,
  );
  return {
    bank: bank.id,
    settlementFile: found.settlementFiles.nodes[0]?.id ?? "",
    exception: found.reconciliationExceptions.nodes[0]?.id ?? "",
  };
}
