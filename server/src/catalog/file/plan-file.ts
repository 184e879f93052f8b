import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId } from "../../kernel/ids.js";
import { formatInstant, type Instant } from "../../kernel/instant.js";
import {
  CatalogFaults,
  checkReferences,
  draftAddOnVersion,
  draftPlanVersion,
  findDifferences,
  writeAddOn,
  writePlan,
  type CatalogFault,
  type Difference,
  type FoundMeter,
  type NewPlan,
  type PlanVersion,
  type References,
} from "../core/index.js";
import { findProducts } from "../find-references.js";
import { latestVersionNumber } from "../store/plans.js";
import { createAddOn, createAddOnVersion, readAddOn } from "../write-add-on.js";
import { createPlan, createVersion, lateVersion, readPlan } from "../write-plan.js";
import type { CatalogFile, Located } from "./catalog-file.js";
import { planCoupons } from "./plan-coupons.js";
import { planProducts } from "./plan-products.js";
import type { PlannedChange } from "./section.js";

export interface PlanningRequest {
  readonly organization: OrganizationId;
  readonly file: CatalogFile;
  /** Of the meters that the file's prices name, by what they call them; those that it declares are among them. */
  readonly meters: ReadonlyMap<string, FoundMeter>;
  /** For plans that name none; now when undefined. */
  readonly effectiveFrom: Instant | undefined;
  /** By the organization's clock. */
  readonly now: Instant;
  /** Real time, for what is recorded. */
  readonly at: Instant;
}

export interface PlannedFile {
  readonly changes: readonly PlannedChange[];
  readonly faults: readonly CatalogFault[];
}

/** Decides what applying a file changes, against what is stored. Nothing is written. */
export async function planFile(sql: Sql, request: PlanningRequest): Promise<PlannedFile> {
  const { file, organization, now, at } = request;
  const faults = new CatalogFaults();
  const prices = [...file.plans, ...file.addOns].flatMap(({ definition }) => definition.prices);
  const stored = await findProducts(sql, [
    ...prices.map((price) => price.product),
    ...file.products.map(({ definition }) => definition.key),
    ...file.coupons.flatMap(({ definition }) => definition.appliesTo?.products ?? []),
  ]);
  const products = planProducts(file.products, stored, at);
  const references: References = { products: products.all, meters: request.meters };
  const changes = [
    ...products.changes,
    ...(await planPlans(sql, request, references, faults)),
    ...(await planAddOns(sql, request, references, faults)),
    ...(await planCoupons(sql, file.coupons, new Set(products.all.keys()), request, faults)),
  ];
  for (const [section, definition] of file.others) {
    const context = { organization, now, at, faults: faults.inside(section.name) };
    changes.push(...(await section.plan(sql, definition, context)));
  }
  return { changes, faults: faults.found };
}

async function planPlans(
  sql: Sql,
  request: PlanningRequest,
  references: References,
  faults: CatalogFaults,
): Promise<PlannedChange[]> {
  const changes: PlannedChange[] = [];
  for (const located of request.file.plans) {
    const before = faults.found.length;
    checkReferences(located.definition.prices, references, faults.inside(located.at));
    if (faults.found.length > before || !located.sound) continue;
    const change = await planOne(sql, request, located, references, faults);
    if (change !== undefined) changes.push(change);
  }
  return changes;
}

async function planOne(
  sql: Sql,
  request: PlanningRequest,
  { at: place, definition: written }: Located<NewPlan>,
  references: References,
  faults: CatalogFaults,
): Promise<PlannedChange | undefined> {
  const { now, at } = request;
  const named = written.effectiveFrom ?? request.effectiveFrom;
  const effectiveFrom = named ?? now;
  const definition = { ...written, effectiveFrom };
  const { key } = definition;
  const plan = await readPlan(sql, key, now);
  const change = { section: "plans", key, effectiveFrom: formatInstant(effectiveFrom) };
  if (plan === undefined) {
    return {
      change: { ...change, action: "create", version: 1, differences: [] },
      write: async (tx, caller) => {
        await createPlan(tx, caller, definition, references, at);
      },
    };
  }
  const asOf = named === undefined ? plan.current : (await readPlan(sql, key, named))?.current;
  const version = (await latestVersionNumber(sql, plan.id)) + 1;
  const draft = draftPlanVersion(definition, references, { plan: plan.id, planKey: key, version }, at);
  const differences = asOf === undefined ? [] : differencesOfVersions(asOf, draft);
  if (asOf !== undefined && differences.length === 0)
    return { change: { section: "plans", key, action: "none", version: asOf.version, differences } };
  const late = lateVersion(effectiveFrom, plan.current);
  if (late !== undefined) {
    faults.inside(place).add(written.effectiveFrom === undefined ? "" : "effectiveFrom", late);
    return undefined;
  }
  return {
    change: { ...change, action: "new_version", version, differences },
    write: async (tx, caller) => {
      await createVersion(tx, caller, plan, definition, references, plan.current, at);
    },
  };
}

function differencesOfVersions(before: PlanVersion, after: PlanVersion): Difference[] {
  return [
    ...findDifferences(writePlan(before, undefined), writePlan(after, undefined)),
    ...differencesOfMeters(before, after),
  ];
}

/** A meter that was archived and made again under its slug is another one. */
function differencesOfMeters(
  before: Pick<PlanVersion, "prices">,
  after: Pick<PlanVersion, "prices">,
): Difference[] {
  return after.prices.flatMap(({ key, meter }) => {
    const was = before.prices.find((price) => price.key === key)?.meter;
    if (was === undefined || meter === undefined || was.slug !== meter.slug || was.id === meter.id) return [];
    return [{ path: `prices.${key}.meter.id`, before: was.id, after: meter.id }];
  });
}

async function planAddOns(
  sql: Sql,
  { file, at: recordedAt }: PlanningRequest,
  references: References,
  faults: CatalogFaults,
): Promise<PlannedChange[]> {
  const changes: PlannedChange[] = [];
  for (const { at, sound, definition } of file.addOns) {
    const before = faults.found.length;
    checkReferences(definition.prices, references, faults.inside(at));
    if (faults.found.length > before || !sound) continue;
    const named = { section: "addOns", key: definition.key };
    const addOn = await readAddOn(sql, definition.key);
    if (addOn === undefined) {
      changes.push({
        change: { ...named, action: "create", version: 1, differences: [] },
        write: async (tx, caller) => {
          await createAddOn(tx, caller, definition, references, recordedAt);
        },
      });
      continue;
    }
    const { current } = addOn;
    const place = { addOn: addOn.id, key: addOn.key, version: current.version + 1 };
    const draft = draftAddOnVersion(definition, references, place, recordedAt);
    const differences = [
      ...findDifferences(writeAddOn(current), writeAddOn(draft)),
      ...differencesOfMeters(current, draft),
    ];
    if (differences.length === 0) {
      changes.push({ change: { ...named, action: "none", version: current.version, differences } });
      continue;
    }
    changes.push({
      change: { ...named, action: "new_version", version: draft.version, differences },
      write: async (tx, caller) => {
        await createAddOnVersion(tx, caller, addOn, definition, references, recordedAt);
      },
    });
  }
  return changes;
}
