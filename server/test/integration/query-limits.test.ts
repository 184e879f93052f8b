import { afterAll, beforeAll, expect, test } from "vitest";
import { ColumnarLimitExceeded } from "../../src/engines/columnar/index.js";
import type { OrganizationId } from "../../src/kernel/ids.js";
import { startTestWeir, type TestWeir } from "../support/test-weir.js";

let weir: TestWeir;
let organization: OrganizationId;

beforeAll(async () => {
  weir = await startTestWeir("query-limits", { WEIR_COLUMNAR_MEMORY_BYTES_MAX: String(256 * 1024 * 1024) });
  organization = (await weir.weir.services.identity.findOrganizationBySlug("default"))!.id;
});
afterAll(() => weir.close());

test("a question has no more memory than WEIR_COLUMNAR_MEMORY_BYTES_MAX; it is refused with what to do, and the next is answered", async () => {
  const definition = { slug: "users", eventType: "t", aggregation: "UNIQUE_COUNT", valueProperty: "$.user" };
  const created = await weir.fetch("/v1/meters", { method: "POST", body: JSON.stringify(definition) });
  const { versionId } = (await created.json()) as { versionId: string };
  // Rows as a batch would bring them, but millions at once.
  await weir.weir.services.columnar.system.command(
    "fill",
    `INSERT INTO weir.usage (organization, meter, subject, time, value, unique, dimensions)
     SELECT {organization:String}, {meter:String}, toString(number), now64(6) - 3600, 1, toString(number), [] FROM numbers(1000000)
     SETTINGS deduplicate_insert_select = 'disable'`,
    { organization, meter: versionId },
  );
  const door = weir.weir.services.columnar.forOrganization(organization);
  const failure = await door
    .query(
      "groups",
      "SELECT subject, uniqExact(unique) FROM weir.usage WHERE organization = {organization:String} GROUP BY subject",
      {},
      () => 1,
    )
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ColumnarLimitExceeded);
  expect(String(failure)).toContain("256.00 MiB");
  const response = await weir.fetch("/v1/meters/users/query?groupBy=subject");
  expect(response.status).toBe(422);
  expect(await response.json()).toMatchObject({
    type: "https://weir.dev/problems/query-too-large",
    detail: expect.stringContaining("Ask for a shorter time"),
  });
  const answer = await weir.fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      query: '{ meter(idOrSlug: "users") { usage(input: { groupBy: ["subject"] }) { rows { value } } } }',
    }),
  });
  const { errors } = (await answer.json()) as { errors: { extensions: { code: string } }[] };
  expect(errors[0]?.extensions.code).toBe("query-too-large");
  const next = await weir.fetch("/v1/meters/users/query?subject=7");
  expect(await next.json()).toMatchObject({ data: [{ value: "1" }] });
});
