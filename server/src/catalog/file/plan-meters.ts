import { newId, type MeterId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { CatalogFaults } from "../core/index.js";
import {
  describeDifferences,
  findDifferences,
  writeMeter,
  type CatalogChange,
  type DeclaredMeter,
  type FoundMeter,
} from "../core/index.js";
import type { Located } from "./catalog-file.js";

export interface PlannedMeters {
  readonly changes: readonly CatalogChange[];
  readonly toCreate: readonly DeclaredMeter[];
  /** Those to create, as prices see them; their ids stand in until they have their own. */
  readonly declared: ReadonlyMap<string, FoundMeter>;
}

/** Meters are made when they are missing; one that measures something else than what is there is a fault. */
export function planMeters(
  written: readonly Located<DeclaredMeter>[],
  stored: readonly DeclaredMeter[],
  now: Instant,
  faults: CatalogFaults,
): PlannedMeters {
  const bySlug = new Map(stored.map((meter) => [meter.slug, meter]));
  const toCreate: DeclaredMeter[] = [];
  const declared = new Map<string, FoundMeter>();
  const changes = written.map(({ at, definition }): CatalogChange => {
    const { slug } = definition;
    const before = bySlug.get(slug);
    if (before === undefined) {
      toCreate.push(definition);
      const dimensions = definition.groupBy.map((dimension) => dimension.name);
      const { aggregation } = definition;
      declared.set(slug, { meter: newId("mtr", now) as MeterId, slug, aggregation, dimensions });
      return { section: "meters", key: slug, action: "create", differences: [] };
    }
    // A name or a description that the file leaves out is not its business.
    const { name = before.name, description = before.description, ...rest } = definition;
    const wanted = {
      ...rest,
      ...(name === undefined ? {} : { name }),
      ...(description === undefined ? {} : { description }),
    };
    const differences = findDifferences(writeMeter(before), writeMeter(wanted));
    if (differences.length > 0) {
      const what = describeDifferences(differences);
      faults
        .inside(at)
        .add(
          "",
          `meter "${slug}" is there and differs (${what}): change it by \`weir meters change ${slug}\`, or say here what it is`,
        );
    }
    return { section: "meters", key: slug, action: "none", differences: [] };
  });
  return { changes, toCreate, declared };
}
