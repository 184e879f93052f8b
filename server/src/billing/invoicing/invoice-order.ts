import type { InvoiceId, SubscriptionId } from "../../kernel/ids.js";
import type { Instant } from "../../kernel/instant.js";
import type { SectionOrder } from "../core/index.js";

/** Which section of which subscription is to be computed. */
export interface OrderedSection extends SectionOrder {
  readonly subscription: SubscriptionId;
}

/** A draft as it stands in the store, while another is computed in its place. */
export interface StandingDraft {
  readonly id: InvoiceId;
  readonly revision: number;
  readonly createdAt: Instant;
  /** Until then it waits for late usage, however it is computed anew. */
  readonly issueAt: Instant;
}

/** An invoice to be computed: a new one, or a draft anew. Its sections are of one payer, currency and kind. */
export interface InvoiceOrder {
  readonly draft: StandingDraft | undefined;
  /** It is not issued before, whatever the grace is. */
  readonly issueNotBefore?: Instant;
  /** At least one. */
  readonly sections: readonly OrderedSection[];
}
