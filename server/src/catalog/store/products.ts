import type { Sql } from "../../engines/postgres/index.js";
import type { OrganizationId, ProductId } from "../../kernel/ids.js";
import { instantFromMs, msOf } from "../../kernel/instant.js";
import type { Product } from "../core/index.js";

/** Products by id, oldest first, after a product. */
export async function listProducts(sql: Sql, page: { after?: string; limit: number }): Promise<Product[]> {
  const rows = await sql<ProductRow[]>`
    SELECT id, key, name, tax_category, created_at FROM products
    WHERE id > ${page.after ?? ""} ORDER BY id LIMIT ${page.limit}`;
  return rows.map(productFrom);
}

export async function findProduct(sql: Sql, idOrKey: string): Promise<Product | undefined> {
  const rows = await sql<ProductRow[]>`
    SELECT id, key, name, tax_category, created_at FROM products
    WHERE id = ${idOrKey} OR key = ${idOrKey} ORDER BY id = ${idOrKey} DESC LIMIT 1`;
  return rows.map(productFrom)[0];
}

/** Those of these keys that there are. */
export async function findProductsByKey(sql: Sql, keys: readonly string[]): Promise<Product[]> {
  const rows = await sql<ProductRow[]>`
    SELECT id, key, name, tax_category, created_at FROM products WHERE key = ANY(${[...keys]}::text[])`;
  return rows.map(productFrom);
}

export async function countProducts(sql: Sql): Promise<number> {
  const [row] = await sql<{ count: number }[]>`SELECT count(*)::integer AS count FROM products`;
  return row?.count ?? 0;
}

/** @returns false when the key is taken */
export async function insertProduct(
  sql: Sql,
  organization: OrganizationId,
  product: Product,
): Promise<boolean> {
  const inserted = await sql`
    INSERT INTO products (organization, id, key, name, tax_category, created_at)
    VALUES (${organization}, ${product.id}, ${product.key}, ${product.name}, ${product.taxCategory},
            ${new Date(msOf(product.createdAt))})
    ON CONFLICT (organization, key) DO NOTHING RETURNING id`;
  return inserted.length === 1;
}

export async function updateProduct(sql: Sql, product: Product): Promise<void> {
  await sql`
    UPDATE products SET name = ${product.name}, tax_category = ${product.taxCategory} WHERE id = ${product.id}`;
}

interface ProductRow {
  readonly id: ProductId;
  readonly key: string;
  readonly name: string;
  readonly tax_category: string;
  readonly created_at: Date;
}

function productFrom(row: ProductRow): Product {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    taxCategory: row.tax_category,
    createdAt: instantFromMs(row.created_at.getTime()),
  };
}
