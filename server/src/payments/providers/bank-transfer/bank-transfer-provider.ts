import type { RefundId } from "../../../kernel/ids.js";
import type { OutgoingFiles, OutgoingItem, OutgoingQueue } from "../../outgoing.js";
import type {
  NewRefund,
  PaymentProvider,
  RefundReply,
  RefundSending,
  TransferReceiving,
} from "../../provider.js";
import { ProviderRefusal } from "../../provider-failure.js";
import { bankAccountOf, bankTransferFields, checkBankAccount } from "./bank-transfer-fields.js";
import { creditTransferFile } from "./credit-transfer-file.js";
import { epcCodeOf } from "./epc-code.js";

/**
 * An account at a bank: customers pay to it by a reference, its statements (camt.053) tell who has paid, and what goes back goes
 * out as a file of transfers (pain.001) that a person hands to the bank.
 */
export function bankTransferProvider(queue: OutgoingQueue): PaymentProvider {
  return {
    name: "bank_transfer",
    title: "Bank transfer",
    isRemote: false,
    keyWindow_ms: Number.POSITIVE_INFINITY,
    fields: bankTransferFields,
    files: { side: "bank", identifiersOf: (settings) => [bankAccountOf(settings).iban] },
    without: {
      charging: "the customer pays by its reference",
      methods: "the customer pays by the reference on each invoice",
      setupPages: "the customer pays by the reference on each invoice",
      disputes: "a transfer cannot be disputed",
      webhooks: "import its statements with `weir settle import`",
    },
    // Nothing leaves by itself: whatever the time is, a person takes the file to the bank.
    isTest: () => true,
    checkAccount: checkBankAccount,
    transfers,
    refunds: refundsBy(queue),
    outgoing: creditTransfers,
  };
}

const transfers: TransferReceiving = {
  accountOf: bankAccountOf,
  codeOf: (settings, amount, reference) => epcCodeOf({ ...bankAccountOf(settings), amount, reference }),
};

const creditTransfers: OutgoingFiles = {
  mediaType: "application/xml; charset=utf-8",
  extension: "xml",
  closesAt: () => undefined,
  firstSequence: () => 1n,
  fileName: ({ sequence }) => `transfers-${sequence.toString().padStart(6, "0")}`,
  render: creditTransferFile,
};

function refundsBy(queue: OutgoingQueue): RefundSending {
  return {
    to: "account",

    async refund(account, { refund, amount, payee, description }: NewRefund) {
      if (payee === undefined)
        throw new ProviderRefusal({
          code: "payee_unknown",
          hardness: "setup",
          message: "it is not known which account the money is to go to",
        });
      const details = { name: payee.name, iban: payee.iban, text: description };
      const reference = endToEndOf(refund);
      return replyOf(
        await queue.queue(account, creditTransfers, {
          action: "refund",
          subject: refund,
          reference,
          amount,
          details,
        }),
      );
    },

    async lookUpRefund(account, { refund }) {
      const item = await queue.find(account, refund);
      return item === undefined ? "not_found" : replyOf(item);
    },
  };
}

/** The bank's statement names it by this: an underscore is none of the characters that banks pass on. */
function endToEndOf(refund: RefundId): string {
  return refund.replace("_", "").toUpperCase();
}

/** It is known to be done only when the bank's statement has it. */
function replyOf({ reference, state }: OutgoingItem): RefundReply {
  return {
    ref: reference,
    state: state === "withdrawn" ? "canceled" : "pending",
    failure: undefined,
    settled: undefined,
  };
}
