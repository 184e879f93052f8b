import type { Sql } from "../engines/postgres/index.js";
import type { Workflows } from "../engines/workflow/index.js";
import type { CreditGrantId, OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Wakes } from "../time/index.js";
import type { Credits } from "./credits.js";

/** Sees to it that a grant's rest is booked when it is over; in the transaction that makes the grant. */
export type ExpiryNoted = (
  sql: Sql,
  organization: OrganizationId,
  grant: CreditGrantId,
  expiresAt: Instant,
) => Promise<void>;

const kind = "credit-expiry";

/** Writes a wake for the instant of a grant's expiry. */
export function noteExpiryBy(wakes: Wakes): ExpiryNoted {
  return (sql, organization, grant, expiresAt) => wakes.wake(sql, organization, expiresAt, kind, grant);
}

/** What happens then: a run books what is left, once, whoever wakes it how often. */
export function registerCreditExpiry(credits: Credits, { workflows, wakes }: ExpiryEngines): void {
  workflows.register({
    kind,
    version: 1,
    async run(context, { grant, at }: { grant: string; at: number }) {
      await context.transaction("expire", async (sql) => {
        const id = grant as CreditGrantId;
        const expired = await credits.expireGrant(sql, context.organization, id, at as Instant);
        return expired === undefined ? null : expired.toString();
      });
    },
  });
  wakes.register({
    kind,
    act: (organization, { key: grant, at }) => ({
      start: { kind, id: `${kind}:${organization}:${grant}`, input: { grant, at } },
    }),
  });
}

export interface ExpiryEngines {
  readonly workflows: Workflows;
  readonly wakes: Wakes;
}
