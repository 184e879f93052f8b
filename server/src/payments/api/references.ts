import { builder } from "../../graphql/builder.js";
import type { DescribedAccount } from "../provider-accounts.js";
import type { PaymentAttempt } from "../store/attempts.js";
import type { PaymentBatch } from "../store/batches.js";
import type { Dispute } from "../store/disputes.js";
import type { PaymentMethod } from "../store/payment-methods.js";
import type { Payment } from "../store/payments.js";
import type { Payout } from "../store/payouts.js";
import type { Receivable } from "../store/receivables.js";
import type { Refund } from "../store/refunds.js";

// The types refer to each other, so they are named here and described in files of their own.
export const ProviderAccountType = builder.objectRef<DescribedAccount>("ProviderAccount");
export const PaymentMethodType = builder.objectRef<PaymentMethod>("PaymentMethod");
export const ReceivableType = builder.objectRef<Receivable>("Receivable");
export const PaymentAttemptType = builder.objectRef<PaymentAttempt>("PaymentAttempt");
export const PaymentType = builder.objectRef<Payment>("Payment");
export const RefundType = builder.objectRef<Refund>("Refund");
export const DisputeType = builder.objectRef<Dispute>("Dispute");
export const PaymentBatchType = builder.objectRef<PaymentBatch>("PaymentBatch");
export const PayoutType = builder.objectRef<Payout>("Payout");
