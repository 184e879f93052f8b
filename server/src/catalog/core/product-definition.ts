import type { CatalogFaults } from "./fault.js";

/** A product as somebody describes it. */
export interface NewProduct {
  readonly key: string;
  /** The key when left out. */
  readonly name?: string;
  /** "standard" when left out. */
  readonly taxCategory?: string;
}

export type ProductChange = Pick<NewProduct, "name" | "taxCategory">;

export function checkProduct(product: NewProduct, faults: CatalogFaults): void {
  faults.key("key", product.key);
  checkProductChange(product, faults);
}

export function checkProductChange(change: ProductChange, faults: CatalogFaults): void {
  faults.name("name", change.name);
  if (change.taxCategory !== undefined) faults.key("taxCategory", change.taxCategory);
}
