import { recordAudit } from "../audit/index.js";
import type { Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import { newId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import {
  draftAddOnVersion,
  writeAddOn,
  type AddOn,
  type AddOnDefinition,
  type AddOnVersion,
  type NewAddOn,
  type References,
} from "./core/index.js";
import { refuseTooMany } from "./invalid-definition.js";
import {
  countAddOns,
  findAddOn,
  insertAddOn,
  insertAddOnVersion,
  readAddOnVersions,
  type AddOnRow,
} from "./store/add-ons.js";

/** What the catalog does with add-ons inside a transaction, for single changes and for files. */

const add_ons_max = 2000;
const versions_max = 1000;

/** By id or key, with the version that is sold. */
export async function readAddOn(sql: Sql, idOrKey: string): Promise<AddOn | undefined> {
  const row = await findAddOn(sql, idOrKey);
  return row === undefined ? undefined : (await withLatest(sql, [row]))[0];
}

/** @throws Refusal 404 */
export async function mustReadAddOn(sql: Sql, idOrKey: string): Promise<AddOn> {
  const found = await readAddOn(sql, idOrKey);
  if (found !== undefined) return found;
  const detail = `There is no add-on with the id or key "${idOrKey}".`;
  throw new Refusal(makeProblem("add-on-not-found", 404, "No such add-on", detail));
}

export async function withLatest(sql: Sql, rows: readonly AddOnRow[]): Promise<AddOn[]> {
  const versions = await readAddOnVersions(
    sql,
    rows.map((row) => row.latest),
  );
  const byId = new Map(versions.map((version) => [version.id, version]));
  return rows.flatMap(({ id, key, latest, createdAt }) => {
    const current = byId.get(latest);
    return current === undefined ? [] : [{ id, key, current, createdAt }];
  });
}

/** Writes an add-on with its first version. @throws Refusal 409 when the key is taken or there are too many */
export async function createAddOn(
  sql: Sql,
  caller: Caller,
  input: NewAddOn,
  references: References,
  at: Instant,
): Promise<AddOnVersion> {
  const { organization } = caller;
  refuseTooMany("add-ons", await countAddOns(sql), add_ons_max);
  const addOn = newId("ado", at);
  const version = draftAddOnVersion(input, references, { addOn, key: input.key, version: 1 }, at);
  if (!(await insertAddOn(sql, organization, { id: addOn, key: input.key, createdAt: at }))) {
    const detail = `The key "${input.key}" is taken by another add-on. Give that one a new version, or choose another key.`;
    throw new Refusal(makeProblem("add-on-exists", 409, "There is such an add-on already", detail));
  }
  await insertAddOnVersion(sql, organization, version);
  await recordAudit(sql, {
    organization,
    actor: caller,
    action: "add_on.create",
    target: addOn,
    before: undefined,
    after: describeAddOn(version),
    at,
  });
  return version;
}

/** Writes an add-on's next version; its catalog is locked. */
export async function createAddOnVersion(
  sql: Sql,
  caller: Caller,
  { id, key, current }: AddOn,
  input: AddOnDefinition,
  references: References,
  at: Instant,
): Promise<AddOnVersion> {
  const { organization } = caller;
  refuseTooMany("add-on-versions", current.version, versions_max);
  const version = draftAddOnVersion(input, references, { addOn: id, key, version: current.version + 1 }, at);
  await insertAddOnVersion(sql, organization, version);
  await recordAudit(sql, {
    organization,
    actor: caller,
    action: "add_on.new_version",
    target: id,
    before: describeAddOn(current),
    after: describeAddOn(version),
    at,
  });
  return version;
}

/** A version as the audit log keeps it. */
function describeAddOn(version: AddOnVersion) {
  return {
    id: version.id,
    version: version.version,
    ...writeAddOn(version),
    priceIds: Object.fromEntries(version.prices.map((price) => [price.key, price.id])),
  };
}
