import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { WorkflowContext, Workflows } from "../engines/workflow/index.js";
import type { Clocks } from "../kernel/clock.js";
import type { OrganizationId, ProviderAccountId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import type { Wakes } from "../time/index.js";
import { firstEventLook, nextEventLook } from "./core/index.js";
import type { BackfillPages, Inbox } from "./inbox.js";
import { event_look_kind } from "./kinds.js";
import type { PaymentProvider } from "./provider.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import { isUnanswered, ProviderRefusal } from "./provider-failure.js";
import { isAnythingOpen } from "./store/provider-accounts.js";

export interface EventLooksDependencies {
  readonly postgres: Postgres;
  readonly accounts: ProviderAccounts;
  readonly wakes: Pick<Wakes, "wake" | "wakeUnlessSet">;
  readonly clocks: Clocks;
}

const pages_max = 20;

/** What a look gave; what is undefined was not told. */
type Look = Partial<BackfillPages> & { readonly failure?: string };

/**
 * When a provider's list of events is read for what never came by webhook: an hour after something was asked of an account, and every
 * hour from then on. On a test clock a day after, and again only while there is something to expect.
 */
export class EventLooks {
  readonly #on: EventLooksDependencies;

  constructor(dependencies: EventLooksDependencies) {
    this.#on = dependencies;
  }

  /** Something is asked of an account, in the transaction that asks. */
  async asked(
    sql: Sql,
    organization: OrganizationId,
    account: ProviderAccountId,
    { webhooks }: Pick<PaymentProvider, "webhooks">,
  ): Promise<void> {
    if (webhooks === undefined) return;
    const { wakes, clocks } = this.#on;
    const wait = firstEventLook({ isTest: clocks.isTest(organization) });
    const at = (clocks.of(organization).now() + wait) as Instant;
    // Unless it is set: whoever charges waits for no other who does.
    await wakes.wakeUnlessSet(sql, organization, at, event_look_kind, account, { quiet: 0 });
  }

  /** After a look, in the caller's transaction. */
  async looked(
    sql: Sql,
    organization: OrganizationId,
    account: ProviderAccountId,
    { taken, hasMore = false }: Look,
    quiet: number,
  ): Promise<void> {
    const { accounts, wakes, clocks } = this.#on;
    const next = nextEventLook({
      found: taken === undefined ? undefined : taken > 0,
      hasMore,
      isOpen: await isAnythingOpen(sql, account),
      isArchived: (await accounts.open(sql, organization, account)).isArchived,
      isTest: clocks.isTest(organization),
      quiet,
    });
    if (next === undefined) return;
    const at = (clocks.of(organization).now() + next.after) as Instant;
    await wakes.wake(sql, organization, at, event_look_kind, account, { quiet: next.quiet });
  }
}

/** `provider-event-look:{account}:{instant}`: reads some pages of the list, and says when the next look is due. */
export function registerEventLooks(
  { looks, inbox }: { readonly looks: EventLooks; readonly inbox: Inbox },
  { workflows, wakes }: { readonly workflows: Workflows; readonly wakes: Wakes },
): void {
  workflows.register({
    kind: event_look_kind,
    version: 1,
    queue: event_look_kind,
    // There is a next look: nobody waits for this one.
    retry: { attemptsMax: 2, wait_ms: 500, wait_ms_max: 500 },
    async run(context, { account, quiet }: { account: string; quiet: number }) {
      const { organization } = context;
      const id = account as ProviderAccountId;
      const look = await readStep(context, () => inbox.readOn(organization, id, pages_max));
      await context.transaction("look again", (sql) => looks.looked(sql, organization, id, look, quiet));
      return look;
    },
  });
  wakes.register({
    kind: event_look_kind,
    act: (_organization, { key, at, payload }) => {
      const { quiet } = payload as { quiet: number };
      const id = `${event_look_kind}:${key}:${at}`;
      return { start: { kind: event_look_kind, id, input: { account: key, quiet } } };
    },
  });
}

/** A provider that does not answer, or refuses to, is asked again at the next look. */
async function readStep(context: WorkflowContext, read: () => Promise<BackfillPages>): Promise<Look> {
  try {
    return await context.step("read", async () => {
      try {
        return { ...(await read()) };
      } catch (error) {
        if (error instanceof ProviderRefusal) return { failure: error.message };
        throw error;
      }
    });
  } catch (error) {
    if (!isUnanswered(error)) throw error;
    return { failure: error.message };
  }
}
