import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import { instantFromMs, msOf, type Instant } from "../../kernel/instant.js";

/** What an organization may do at most, where it differs from the configuration. */
export interface OrganizationLimits {
  readonly eventsPerSecondMax?: number;
}

/** A tenant: a company that runs its product on Weir. */
export interface Organization {
  readonly id: OrganizationId;
  readonly slug: string;
  readonly name: string;
  /** In test mode the organization's clock can be advanced. */
  readonly mode: "live" | "test";
  readonly limits: OrganizationLimits;
  readonly createdAt: Instant;
}

interface OrganizationRow {
  readonly id: OrganizationId;
  readonly slug: string;
  readonly name: string;
  readonly mode: "live" | "test";
  readonly limits: OrganizationLimits;
  readonly created_at: Date;
}

/** For the system role. @returns false when the slug is taken */
export async function insertOrganization(sql: Sql, organization: Organization): Promise<boolean> {
  const { id, slug, name, mode, limits, createdAt } = organization;
  const inserted = await sql`
    INSERT INTO organizations (id, slug, name, mode, limits, created_at)
    VALUES (${id}, ${slug}, ${name}, ${mode}, ${JSON.stringify(limits)}::text::jsonb, ${new Date(msOf(createdAt))})
    ON CONFLICT (slug) DO NOTHING RETURNING 1`;
  return inserted.length > 0;
}

/** For the system role. */
export async function selectOrganizationBySlug(sql: Sql, slug: string): Promise<Organization | undefined> {
  const [row] = await sql<OrganizationRow[]>`
    SELECT id, slug, name, mode, limits, created_at FROM organizations WHERE slug = ${slug}`;
  return row === undefined ? undefined : fromRow(row);
}

/** For the organization itself, or the system role. */
export async function selectOrganization(sql: Sql, id: OrganizationId): Promise<Organization | undefined> {
  const [row] = await sql<OrganizationRow[]>`
    SELECT id, slug, name, mode, limits, created_at FROM organizations WHERE id = ${id}`;
  return row === undefined ? undefined : fromRow(row);
}

function fromRow({ created_at, ...row }: OrganizationRow): Organization {
  return { ...row, createdAt: instantFromMs(created_at.getTime()) };
}
