import { recordAudit } from "../audit/index.js";
import type { Sql } from "../engines/postgres/index.js";
import { newId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { insertOrganization, type Organization, type OrganizationLimits } from "./store/organizations.js";

export type { Organization, OrganizationLimits } from "./store/organizations.js";
/** In a transaction of the organization itself, or of the system role. */
export { selectOrganization as findOrganization } from "./store/organizations.js";

export interface NewOrganization {
  /** lower case letters and digits joined by "-", at most 64 characters */
  readonly slug: string;
  readonly name: string;
  readonly mode?: "live" | "test";
  readonly limits?: OrganizationLimits;
}

/**
 * Creates an organization, in a transaction of the system role.
 * @throws Refusal 400 for a bad slug or name, 409 when the slug is taken
 */
export async function createOrganization(
  sql: Sql,
  input: NewOrganization,
  at: Instant,
): Promise<Organization> {
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(input.slug) || input.slug.length > 64) {
    const detail =
      'An organization\'s slug is lower case letters and digits joined by "-", at most 64 characters.';
    throw new Refusal(makeProblem("invalid-organization", 400, "The slug is not valid", detail));
  }
  if (input.name.length === 0 || input.name.length > 256) {
    throw new Refusal(
      makeProblem("invalid-organization", 400, "The name is not valid", "A name has 1 to 256 characters."),
    );
  }
  const { slug, name, mode = "live", limits = {} } = input;
  const organization: Organization = { id: newId("org", at), slug, name, mode, limits, createdAt: at };
  if (!(await insertOrganization(sql, organization))) {
    throw new Refusal(
      makeProblem(
        "organization-exists",
        409,
        "There is such an organization",
        `The slug "${slug}" is taken.`,
      ),
    );
  }
  await recordAudit(sql, {
    organization: organization.id,
    actor: "system",
    action: "organization.create",
    target: organization.id,
    before: undefined,
    after: { slug, name, mode, limits },
    at,
  });
  return organization;
}
