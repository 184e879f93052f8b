import type { ProductId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";

/** What is sold, as taxes and reports see it; several prices may be for one product. */
export interface Product {
  readonly id: ProductId;
  readonly key: string;
  readonly name: string;
  readonly taxCategory: string;
  readonly createdAt: Instant;
}
