import { recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock } from "../kernel/clock.js";
import { newId, type OrganizationId } from "../kernel/ids.js";
import type { Instant } from "../kernel/instant.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Page } from "./page.js";
import {
  CatalogFaults,
  checkProduct,
  checkProductChange,
  standard_tax_category,
  writeProduct,
  type NewProduct,
  type Product,
  type ProductChange,
} from "./core/index.js";
import { refuseFaults, refuseTooMany } from "./invalid-definition.js";
import { lockCatalog } from "./store/catalog-lock.js";
import { countProducts, findProduct, insertProduct, listProducts, updateProduct } from "./store/products.js";

const products_max = 2000;

/** Products: what is sold, as taxes and reports see it. Every change is audited. */
export class Products {
  readonly #on: { readonly postgres: Postgres; readonly clock: Clock };

  constructor(dependencies: { readonly postgres: Postgres; readonly clock: Clock }) {
    this.#on = dependencies;
  }

  /** Oldest first. */
  async list(organization: OrganizationId, page: Page): Promise<Product[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listProducts(sql, page));
  }

  /** By id or key. */
  async find(organization: OrganizationId, idOrKey: string): Promise<Product | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findProduct(sql, idOrKey));
  }

  /** @throws Refusal 400 listing every fault by field; 409 when the key is taken */
  async create(caller: Caller, input: NewProduct, idempotencyKey?: string): Promise<Product> {
    const { organization } = caller;
    const faults = new CatalogFaults();
    checkProduct(input, faults);
    refuseFaults("product", faults.found);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "product.create", input };
      const id = await runOnce(sql, request, async () => {
        await lockCatalog(sql, organization);
        const product = draftProduct(input, this.#on.clock.now());
        await createProduct(sql, caller, product);
        return product.id;
      });
      return mustFindProduct(sql, id);
    });
  }

  /**
   * Renames a product or gives it another tax category, which invoices follow from then on; finalized ones stay.
   * @throws Refusal 404, or 400 listing every fault by field
   */
  async change(
    caller: Caller,
    idOrKey: string,
    change: ProductChange,
    idempotencyKey?: string,
  ): Promise<Product> {
    const { organization } = caller;
    const faults = new CatalogFaults();
    checkProductChange(change, faults);
    refuseFaults("product", faults.found);
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const input = { product: idOrKey, ...change };
      const request = { organization, idempotencyKey, action: "product.change", input };
      const id = await runOnce(sql, request, async () => {
        await lockCatalog(sql, organization);
        const before = await mustFindProduct(sql, idOrKey);
        await changeProduct(sql, caller, before, { ...before, ...change }, this.#on.clock.now());
        return before.id;
      });
      return mustFindProduct(sql, id);
    });
  }
}

export function draftProduct(input: NewProduct, at: Instant): Product {
  const { key, name = key, taxCategory = standard_tax_category } = input;
  return { id: newId("prd", at), key, name, taxCategory, createdAt: at };
}

/** @throws Refusal 409 when the key is taken or there are too many */
export async function createProduct(sql: Sql, caller: Caller, product: Product): Promise<void> {
  const { organization } = caller;
  refuseTooMany("products", await countProducts(sql), products_max);
  if (!(await insertProduct(sql, organization, product))) {
    const detail = `The key "${product.key}" is taken by another product. Change that one, or choose another key.`;
    throw new Refusal(makeProblem("product-exists", 409, "There is such a product already", detail));
  }
  await recordAudit(sql, {
    organization,
    actor: caller,
    action: "product.create",
    target: product.id,
    before: undefined,
    after: writeProduct(product),
    at: product.createdAt,
  });
}

export async function changeProduct(
  sql: Sql,
  caller: Caller,
  before: Product,
  after: Product,
  at: Instant,
): Promise<void> {
  await updateProduct(sql, after);
  await recordAudit(sql, {
    organization: caller.organization,
    actor: caller,
    action: "product.change",
    target: before.id,
    before: writeProduct(before),
    after: writeProduct(after),
    at,
  });
}

/** @throws Refusal 404 */
async function mustFindProduct(sql: Sql, idOrKey: string): Promise<Product> {
  const found = await findProduct(sql, idOrKey);
  if (found !== undefined) return found;
  const detail = `There is no product with the id or key "${idOrKey}".`;
  throw new Refusal(makeProblem("product-not-found", 404, "No such product", detail));
}
