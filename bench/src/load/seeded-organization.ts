import type { RunningWeir } from "../../../server/dist/wire.js";
import { apiCaller, type ApiCaller } from "./api-caller.js";
import { firstPosition, type StreamPosition } from "./metered-rows.js";

export type Services = RunningWeir["services"];

/** An organization of a bench's own, with a secret key. */
export interface SeededOrganization {
  readonly organization: Awaited<ReturnType<Services["identity"]["createOrganization"]>>["id"];
  readonly key: string;
  readonly call: ApiCaller;
}

export async function createOrganization(
  { services, url }: Pick<RunningWeir, "services" | "url">,
  slug: string,
): Promise<SeededOrganization> {
  const { id: organization } = await services.identity.createOrganization({ slug, name: slug, mode: "live" });
  const { secret: key } = await services.identity.issueSystemKey(organization, {
    name: "bench",
    kind: "secret",
  });
  return { organization, key, call: apiCaller(url, key) };
}

/** Meters that sum, and one event that they measured: rows which are written behind the stream bear its position. */
export async function createMeters(
  { usage, columnar }: Services,
  { organization, call }: SeededOrganization,
  slugs: readonly string[],
): Promise<{ versions: string[]; position: StreamPosition }> {
  const versions: string[] = [];
  for (const slug of slugs) {
    const made = await call("/v1/meters", {
      slug,
      eventType: "used",
      aggregation: "SUM",
      valueProperty: "$.units",
    });
    versions.push(String(made["versionId"]));
  }
  await call("/v1/events", [
    { id: "first", source: "bench", type: "used", subject: "first", data: { units: 1 } },
  ]);
  await usage.settled();
  return { versions, position: await firstPosition(columnar, organization) };
}

/** @param prices  as GraphQL writes them. @returns the id of the plan's version */
export async function createPlan({ call }: SeededOrganization, prices: string): Promise<string> {
  const made = await call("/graphql", {
    query: `mutation { createPlan(key: "p", name: "p", currency: "EUR", prices: [${prices}]) { ... on CreatePlanSuccess { data { current { id } } } ... on RefusalError { message } } }`,
  });
  const version = /plv_\w+/.exec(JSON.stringify(made))?.[0];
  if (version === undefined) throw new Error(`no plan: ${JSON.stringify(made)}`);
  return version;
}
