import "./attempt-mutations.js";
import "./attempt-types.js";
import "./batch-types.js";
import "./dispute-types.js";
import "./dunning-types.js";
import "./invoice-fields.js";
import "./payment-method-mutations.js";
import "./payment-method-types.js";
import "./payment-types.js";
import "./payout-types.js";
import "./provider-account-mutations.js";
import "./provider-account-types.js";
import "./provider-event-types.js";
import "./receivable-types.js";
import "./refund-types.js";

export {
  DisputeType,
  PaymentAttemptType,
  PaymentBatchType,
  PaymentMethodType,
  PaymentType,
  PayoutType,
  ProviderAccountType,
  ReceivableType,
  RefundType,
} from "./references.js";
