import type { PaymentsAction } from "../../settlement/index.js";

/** The action of a kind. */
export type Of<Kind extends PaymentsAction["kind"]> = Extract<PaymentsAction, { kind: Kind }>;
