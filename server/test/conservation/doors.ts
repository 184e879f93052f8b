import type Stripe from "stripe";
import type { Postgres, Sql } from "../../src/engines/postgres/index.js";
import type {
  NewRun,
  RetryPolicy,
  StartOutcome,
  WorkflowContext,
  WorkflowDefinition,
  Workflows,
} from "../../src/engines/workflow/index.js";
import type { OrganizationId } from "../../src/kernel/ids.js";
import { doing, type BoundariesOf } from "./boundaries.js";
import type { BusyRuns } from "./busy-runs.js";
import { halted, insideTransaction, LifeEnded, refuseNested, type Life } from "./life.js";

/*
 * The doors by which a life of Weir reaches what outlives it: the database, the engine's runs, the provider. Each passes its
 * boundaries before and after, and none lets anything through once the life is over.
 */

/** @param url  of a login that dies with the life */
export function postgresDoor(real: Postgres, url: string, life: Life, boundariesOf: BoundariesOf): Postgres {
  async function transact<T>(
    begin: (work: (sql: Sql) => Promise<T>) => Promise<T>,
    work: (sql: Sql) => Promise<T>,
    pass: (place: string) => Promise<never> | undefined,
  ): Promise<T> {
    refuseNested();
    await pass("transaction not begun");
    life.beginTransaction();
    const { value, error } = await begin(async (sql) => {
      const result = await insideTransaction(() => work(sql));
      pass("transaction not committed")?.catch(() => undefined);
      if (life.isOver) throw new LifeEnded();
      return result;
    })
      .then(
        (result) => ({ value: result, error: undefined }),
        (reason: unknown) => ({ value: undefined as T, error: reason ?? new Error("rejected with nothing") }),
      )
      .finally(() => life.endTransaction());
    if (life.isOver) return halted();
    if (error !== undefined) throw error;
    await pass("transaction committed");
    return value;
  }
  return {
    url,
    inOrganization(organization, work) {
      const boundaries = boundariesOf(organization);
      return transact(
        (all) => real.inOrganization(organization, all),
        work,
        (place) => (life.isOver ? halted() : boundaries?.pass(life, place)),
      );
    },
    asSystem: (work) =>
      transact(
        (all) => real.asSystem(all),
        work,
        () => (life.isOver ? halted() : undefined),
      ),
    setUp: (work) => real.setUp(work),
    close: () => Promise.reject(new Error("the database outlives the process")),
  };
}

const default_retry: RetryPolicy = { attemptsMax: 6, wait_ms: 200, wait_ms_max: 30_000 };
/** Back-off is in real time, which nobody waits for here. */
const sooner = 100;

export function workflowsDoor(
  real: Workflows,
  life: Life,
  boundariesOf: BoundariesOf,
  busy: BusyRuns,
): Workflows {
  const pass = (organization: OrganizationId, place: string) =>
    life.isOver ? halted() : boundariesOf(organization)?.pass(life, place);

  function contextOf(kind: string, context: WorkflowContext): WorkflowContext {
    const { organization } = context;
    const recorded = async <T>(result: Promise<T>): Promise<T> => {
      const value = await result;
      await pass(organization, "step recorded");
      return value;
    };
    return {
      organization,
      run: context.run,
      step: (name, work, options) =>
        doing(`${kind}, ${name}`, () =>
          recorded(
            context.step(
              name,
              async () => {
                const value = await work();
                await pass(organization, "step done, not recorded");
                return value;
              },
              options,
            ),
          ),
        ),
      transaction: (name, work, options) =>
        doing(`${kind}, ${name}`, () => recorded(context.transaction(name, work, options))),
      exchange: (name, ask, write, options) =>
        doing(`${kind}, ${name}`, () =>
          recorded(
            context.exchange(
              name,
              async () => {
                const answer = await ask();
                await pass(organization, "step done, not recorded");
                return answer;
              },
              write,
              options,
            ),
          ),
        ),
      sleep: (duration_ms) => context.sleep(duration_ms),
      waitForSignal: (name, options) => context.waitForSignal(name, options),
    };
  }

  async function start(organization: OrganizationId, run: NewRun, sql?: Sql): Promise<"started" | "exists"> {
    await pass(organization, `${run.kind} not started`);
    const isNew = busy.begin(organization, run.id);
    const started = await real.start(organization, run, sql).catch((error: unknown) => {
      if (isNew) busy.end(organization, run.id);
      throw error;
    });
    // It was there and has ended.
    if (started === "exists" && isNew) busy.end(organization, run.id);
    await pass(organization, `${run.kind} started`);
    return started;
  }

  return {
    register(definition) {
      const { kind, retry = default_retry } = definition;
      const quick = {
        ...retry,
        wait_ms: Math.ceil(retry.wait_ms / sooner),
        wait_ms_max: Math.ceil(retry.wait_ms_max / sooner),
      };
      const run: typeof definition.run = async (context, input) => {
        busy.begin(context.organization, context.run);
        try {
          return await definition.run(contextOf(kind, context), input);
        } finally {
          if (!life.isOver) busy.end(context.organization, context.run);
        }
      };
      real.register({ ...definition, retry: quick, run } as typeof definition & WorkflowDefinition);
    },
    start,
    async startAll(organization, runs, sql) {
      const outcomes: StartOutcome[] = [];
      for (const run of runs)
        outcomes.push(await start(organization, run, sql).catch((error: unknown) => ({ error })));
      return outcomes;
    },
    signal: (organization, signal, sql) => real.signal(organization, signal, sql),
    list: (organization, filter) => real.list(organization, filter),
    inspect: (organization, id) => real.inspect(organization, id),
    outcomes: (organization, ids) => real.outcomes(organization, ids),
    cancel: (sql, organization, id) => real.cancel(sql, organization, id),
    retry: (sql, organization, id) => real.retry(sql, organization, id),
    organizationsWithEnded: (page) => real.organizationsWithEnded(page),
    listEnded: (sql, page) => real.listEnded(sql, page),
    forget: (sql, ids, before) => real.forget(sql, ids, before),
    countBusy: (organization, exceptKind) => real.countBusy(organization, exceptKind),
    failedSince: (organization, since_ms) => real.failedSince(organization, since_ms),
    get active() {
      return real.active;
    },
    ready: () => real.ready(),
    close: () => real.close(),
  };
}

/** A request of one organization to its provider. */
export type ProviderDoor = (
  host: string,
) => { readonly organization: OrganizationId; readonly client: Stripe.HttpClient } | undefined;

/** The way to every organization's own simulator, by the host that its account names. */
export function providerDoor(of: ProviderDoor, life: Life, boundariesOf: BoundariesOf): Stripe.HttpClient {
  return {
    getClientName: () => "weir-conservation",
    async makeRequest(host, port, path, method, ...rest) {
      const found = of(host);
      if (found === undefined) throw new Error(`nobody simulates ${host}`);
      const boundaries = boundariesOf(found.organization);
      const what = `${method} ${path.replace(/\?.*$/, "").replace(/\/(pi|ch|re|du|po|evt|cus|pm|seti|cs)_[^/]+/g, "/$1_…")}`;
      await boundaries?.pass(life, `${what} not sent`);
      try {
        return await found.client.makeRequest(host, port, path, method, ...rest);
      } finally {
        await boundaries?.pass(life, `${what} answered, not heard`);
      }
    },
  };
}
