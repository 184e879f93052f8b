import type { Sql } from "../../engines/postgres/index.js";
import type { Caller } from "../../identity/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { JsonValue } from "../../kernel/json.js";
import type { CatalogChange, CatalogFaults } from "../core/index.js";

/** What is to be done about one thing of a file, decided and not yet done. */
export interface PlannedChange {
  readonly change: CatalogChange;
  /** Writes and audits it, in the transaction that planned it; absent when there is nothing to do. */
  readonly write?: (sql: Sql, caller: Caller) => Promise<void>;
}

export interface PlanningContext {
  readonly organization: OrganizationId;
  /** By the organization's clock. */
  readonly now: Instant;
  /** Real time, for what is recorded. */
  readonly at: Instant;
  /** Takes what only what is stored shows to be wrong; it stands at the section, so fields begin with "[0]". */
  readonly faults: CatalogFaults;
}

/**
 * A section of catalog.yaml that another domain contributes, such as taxRates. It is read, planned and written together
 * with the catalog's own, in one transaction: all or nothing.
 */
export interface CatalogSection<D = unknown> {
  /** Its name in the file. */
  readonly name: string;
  /** Reads what stands under the name, which is never null; adds what is wrong by its form. */
  read(value: unknown, faults: CatalogFaults): D;
  /** Decides what is to change. Called twice when a file is applied: to check, and again under the catalog's lock. */
  plan(sql: Sql, definition: D, context: PlanningContext): Promise<readonly PlannedChange[]>;
  /** All that there is, as it would be written in the file; undefined for none. */
  export(sql: Sql, organization: OrganizationId): Promise<JsonValue | undefined>;
}
