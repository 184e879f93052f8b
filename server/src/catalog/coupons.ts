import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { newId, type OrganizationId } from "../kernel/ids.js";
import { formatInstant, type Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Page } from "./page.js";
import { CatalogFaults, checkCoupon, writeCoupon, type Coupon, type NewCoupon } from "./core/index.js";
import { findProducts } from "./find-references.js";
import { refuseFaults, refuseTooMany } from "./invalid-definition.js";
import { lockCatalog } from "./store/catalog-lock.js";
import { archiveCoupon, countCoupons, findCoupons, insertCoupon, listCoupons } from "./store/coupons.js";

const coupons_max = 5000;

export interface CouponsDependencies {
  readonly postgres: Postgres;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

/** Coupons: created, redeemed by the billing domain, archived; never changed. Every change is audited. */
export class Coupons {
  readonly #on: CouponsDependencies;

  constructor(dependencies: CouponsDependencies) {
    this.#on = dependencies;
  }

  /** Oldest first; archived ones when asked. */
  async list(organization: OrganizationId, page: Page & { archived?: boolean }): Promise<Coupon[]> {
    const asked = { ...page, archived: page.archived === true };
    return this.#on.postgres.inOrganization(organization, (sql) => listCoupons(sql, asked));
  }

  /** By id or key, archived ones too. */
  async find(organization: OrganizationId, idOrKey: string): Promise<Coupon | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findCoupon(sql, idOrKey));
  }

  /** @throws Refusal 404 */
  async get(organization: OrganizationId, idOrKey: string): Promise<Coupon> {
    return this.#on.postgres.inOrganization(organization, (sql) => mustFindCoupon(sql, idOrKey));
  }

  /** Those of these ids or keys that there are. */
  async findAll(organization: OrganizationId, idsOrKeys: readonly string[]): Promise<Coupon[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => findCoupons(sql, idsOrKeys));
  }

  /** @throws Refusal 400 listing every fault by field; 409 when the key is taken, by an archived coupon too */
  async create(caller: Caller, input: NewCoupon, idempotencyKey?: string): Promise<Coupon> {
    const { organization } = caller;
    const faults = new CatalogFaults();
    checkCoupon(input, faults);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      checkScopeProducts(
        input,
        new Set((await findProducts(sql, input.appliesTo?.products ?? [])).keys()),
        faults,
      );
      refuseFaults("coupon", faults.found);
      const request = { organization, idempotencyKey, action: "coupon.create", input };
      const id = await runOnce(sql, request, async () => {
        await lockCatalog(sql, organization);
        const coupon = draftCoupon(input, this.#on.clock.now());
        await createCoupon(sql, caller, coupon);
        return coupon.id;
      });
      return mustFindCoupon(sql, id);
    });
  }

  /** Redeemed no more from now on; what was redeemed runs on. Archiving twice changes nothing. @throws Refusal 404 */
  async archive(caller: Caller, idOrKey: string, idempotencyKey?: string): Promise<Coupon> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "coupon.archive", input: { coupon: idOrKey } };
      const id = await runOnce(sql, request, async () => {
        await lockCatalog(sql, organization);
        const coupon = await mustFindCoupon(sql, idOrKey);
        const now = this.#on.clocks.of(organization).now();
        if (coupon.archivedAt === undefined)
          await retireCoupon(sql, caller, coupon, now, this.#on.clock.now());
        return coupon.id;
      });
      return mustFindCoupon(sql, id);
    });
  }
}

export function draftCoupon(input: NewCoupon, at: Instant): Coupon {
  return {
    id: newId("cpn", at),
    key: input.key,
    name: input.name ?? input.key,
    off: input.off,
    duration: input.duration ?? { kind: "once" },
    appliesTo: input.appliesTo,
    redemptionsMax: input.redemptionsMax,
    expiresAt: input.expiresAt,
    archivedAt: undefined,
    createdAt: at,
  };
}

export function checkScopeProducts(
  { appliesTo }: Pick<NewCoupon, "appliesTo">,
  products: ReadonlySet<string>,
  faults: CatalogFaults,
): void {
  appliesTo?.products?.forEach((key, index) => {
    if (!products.has(key))
      faults.add(`appliesTo.products[${index}]`, `there is no product "${key}"; create it first`);
  });
}

/** @throws Refusal 409 when the key is taken or there are too many */
export async function createCoupon(sql: Sql, caller: Caller, coupon: Coupon): Promise<void> {
  const { organization } = caller;
  refuseTooMany("coupons", await countCoupons(sql), coupons_max);
  if (!(await insertCoupon(sql, organization, coupon))) {
    const detail = `The key "${coupon.key}" is or was another coupon's, and what was promised stays: choose another key.`;
    throw new Refusal(makeProblem("coupon-exists", 409, "There is such a coupon already", detail));
  }
  await recordAudit(sql, {
    organization,
    actor: caller,
    action: "coupon.create",
    target: coupon.id,
    before: undefined,
    after: writeCoupon(coupon),
    at: coupon.createdAt,
  });
}

/** @param now  by the organization's clock: from when it cannot be redeemed */
export async function retireCoupon(
  sql: Sql,
  caller: Caller,
  coupon: Coupon,
  now: Instant,
  at: Instant,
): Promise<void> {
  const { organization } = caller;
  await archiveCoupon(sql, organization, coupon.id, now);
  await recordAudit(sql, {
    organization,
    actor: caller,
    action: "coupon.archive",
    target: coupon.id,
    before: writeCoupon(coupon),
    after: { ...writeCoupon(coupon), archivedAt: formatInstant(now) },
    at,
  });
}

async function findCoupon(sql: Sql, idOrKey: string): Promise<Coupon | undefined> {
  const found = await findCoupons(sql, [idOrKey]);
  return found.find((coupon) => coupon.id === idOrKey) ?? found[0];
}

/** @throws Refusal 404 */
async function mustFindCoupon(sql: Sql, idOrKey: string): Promise<Coupon> {
  const found = await findCoupon(sql, idOrKey);
  if (found !== undefined) return found;
  const detail = `There is no coupon with the id or key "${idOrKey}".`;
  throw new Refusal(makeProblem("coupon-not-found", 404, "No such coupon", detail));
}
