import type { Caller } from "../../identity/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import type { DeclaredMeter } from "../core/index.js";
import type { MeterLookup } from "../find-references.js";

/** What catalog files need of meters; the usage domain provides it. */
export interface CatalogMeters extends MeterLookup {
  /** The current version of every meter that is not archived. */
  list(organization: OrganizationId): Promise<readonly DeclaredMeter[]>;
  /** In a transaction of its own. @throws Refusal 409 when the slug is taken or there are too many */
  create(caller: Caller, meter: DeclaredMeter): Promise<void>;
}
