import type { Instant } from "../../kernel/instant.js";
import { findDifferences, writeProduct, type NewProduct, type Product } from "../core/index.js";
import { changeProduct, createProduct, draftProduct } from "../products.js";
import type { Located } from "./catalog-file.js";
import type { PlannedChange } from "./section.js";

/** @returns every product that can be named, as it will be, and what is to change */
export function planProducts(
  written: readonly Located<NewProduct>[],
  stored: ReadonlyMap<string, Product>,
  now: Instant,
): { all: ReadonlyMap<string, Product>; changes: PlannedChange[] } {
  const all = new Map(stored);
  const changes = written.map(({ definition }): PlannedChange => {
    const { key } = definition;
    const draft = draftProduct(definition, now);
    const before = stored.get(key);
    if (before === undefined) {
      all.set(key, draft);
      return {
        change: { section: "products", key, action: "create", differences: [] },
        write: (sql, caller) => createProduct(sql, caller, draft),
      };
    }
    const after: Product = { ...before, name: draft.name, taxCategory: draft.taxCategory };
    all.set(key, after);
    const differences = findDifferences(writeProduct(before), writeProduct(after));
    if (differences.length === 0)
      return { change: { section: "products", key, action: "none", differences } };
    return {
      change: { section: "products", key, action: "change", differences },
      write: (sql, caller) => changeProduct(sql, caller, before, after, now),
    };
  });
  return { all, changes };
}
