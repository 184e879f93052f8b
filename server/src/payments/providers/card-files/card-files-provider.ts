import { day, type Instant } from "../../../kernel/instant.js";
import { nextLocalHour, shortReferenceOf } from "../../core/index.js";
import type { OutgoingFiles, OutgoingItem, OutgoingQueue } from "../../outgoing.js";
import type {
  ChargeReply,
  Charging,
  DisputeAnswering,
  KnownDispute,
  MethodKeeping,
  NewCharge,
  PaymentProvider,
  RefundReply,
  RefundSending,
} from "../../provider.js";
import { ProviderRefusal } from "../../provider-failure.js";
import {
  cardFilesFields,
  checkCardFilesAccount,
  closingOf,
  evidenceDaysOf,
  identifiersOf,
} from "./card-files-fields.js";
import { cardDecline } from "./card-decline.js";
import { tokenFault } from "./card-token.js";
import { chargeFile } from "./charge-file.js";

/** Digits of an amount in the schemes' messages. */
const amount_max = 999_999_999_999n;
const evidence_characters_max = 4_000;

/**
 * An acquirer that works by files: charges by a token of its vault wait in the open batch, which goes out as one file; what became of
 * them comes in the schemes' clearing files and the acquirer's responses, which settlement reads. Nothing is asked on a network:
 * what is known of a charge is its item here.
 */
export function cardFilesProvider(queue: OutgoingQueue): PaymentProvider {
  return {
    name: "card_files",
    title: "Card files",
    isRemote: false,
    keyWindow_ms: Number.POSITIVE_INFINITY,
    fields: cardFilesFields,
    files: { side: "provider", identifiersOf },
    without: {
      setupPages: "enter cards in the acquirer's vault, and attach the token that it makes",
      transfers: "customers are charged",
      webhooks: "import the acquirer's files with `weir settle import`",
    },
    // Nothing leaves by itself: whatever the time is, a person hands the file over.
    isTest: () => true,
    checkAccount: checkCardFilesAccount,
    declineFor: cardDecline,
    charging: chargingBy(queue),
    methods,
    refunds: refundsBy(queue),
    disputes: disputesBy(queue),
    outgoing: chargeFiles,
  };
}

const chargeFiles: OutgoingFiles = {
  mediaType: "text/csv; charset=utf-8",
  extension: "csv",
  closesAt(settings, now) {
    const closing = closingOf(settings);
    return closing === undefined ? undefined : nextLocalHour(now, closing.hour, closing.zone);
  },
  firstSequence: ({ firstSequence }) => BigInt(firstSequence ?? 1),
  fileName: ({ settings, sequence }) =>
    `charges-${(settings["merchantId"] ?? "").replace(/[^A-Za-z0-9_-]/g, "-")}-${sequence.toString().padStart(6, "0")}`,
  render: chargeFile,
};

const methods: MethodKeeping = {
  attachMethod(_account, customerRef, { ref, brand, last4, expires }) {
    const fault = tokenFault(ref);
    if (fault !== undefined)
      return Promise.reject(new ProviderRefusal({ code: "token", hardness: "setup", message: fault }));
    return Promise.resolve({ ref, customerRef, kind: "card", brand, last4, expires });
  },
  // The vault is the acquirer's: the token is used no more.
  detachMethod: () => Promise.resolve(),
};

function chargingBy(queue: OutgoingQueue): Charging {
  return {
    amountFault: ({ minor }) =>
      minor > amount_max ? "The schemes' messages have room for twelve digits of an amount." : undefined,
    create: async (account, charge) => chargeReply(await queue.reserve(account, itemOf(charge))),
    confirm: async (account, charge) => chargeReply(await queue.queue(account, chargeFiles, itemOf(charge))),
    async lookUp(account, { attempt }) {
      const item = await queue.find(account, attempt);
      return item === undefined ? "not_found" : chargeReply(item);
    },
    async cancel(account, { attempt, ref }) {
      const item = await queue.withdraw(account, attempt);
      return item === undefined ? { kind: "canceled", ref } : chargeReply(item);
    },
  };
}

function itemOf({ attempt, amount, methodRef, description }: NewCharge) {
  return {
    action: "charge",
    subject: attempt,
    reference: shortReferenceOf(attempt),
    amount,
    details: { token: methodRef, text: description },
  } as const;
}

/** Of a charge that went out, only a file tells what became of it. */
function chargeReply({ state, reference: ref }: OutgoingItem): ChargeReply {
  switch (state) {
    case "reserved":
      return { kind: "created", ref };
    case "queued":
    case "sent":
      return { kind: "processing", ref };
    case "withdrawn":
      return { kind: "canceled", ref };
  }
}

function refundsBy(queue: OutgoingQueue): RefundSending {
  return {
    to: "charge",
    async refund(account, { refund, amount, chargeRef = "", description }) {
      return refundReply(
        await queue.queue(account, chargeFiles, {
          action: "refund",
          subject: refund,
          reference: shortReferenceOf(refund),
          amount,
          details: { original: chargeRef, text: description },
        }),
      );
    },
    async lookUpRefund(account, { refund }) {
      const item = await queue.find(account, refund);
      return item === undefined ? "not_found" : refundReply(item);
    },
  };
}

function refundReply({ state, reference: ref }: OutgoingItem): RefundReply {
  const isGone = state === "withdrawn";
  return { ref, state: isGone ? "canceled" : "pending", failure: undefined, settled: undefined };
}

function disputesBy(queue: OutgoingQueue): DisputeAnswering {
  return {
    evidenceDueAt: (settings, { scheme, reportedAt }) =>
      (reportedAt + evidenceDaysOf(settings, scheme) * day) as Instant,

    /** Goes out with the next file; once it went it stays as it is. */
    async submitEvidence(account, dispute, { evidence, submit }) {
      const text = evidenceText(evidence);
      if (!submit) return dispute;
      const item = await queue.queue(account, chargeFiles, {
        action: "represent",
        subject: dispute.id,
        reference: shortReferenceOf(dispute.id),
        amount: dispute.amount,
        details: { original: dispute.chargeRef, chargeback: dispute.ref, text },
      });
      if (item.state === "withdrawn" || item.details["text"] !== text) throw answeredBefore(item);
      return { ...dispute, state: "under_review" };
    },

    /** A chargeback that is not answered is lost: nothing goes out for it. */
    async acceptDispute(account, dispute: KnownDispute) {
      const item = await queue.withdraw(account, dispute.id);
      if (item?.state === "sent") throw answeredBefore(item);
      return { ...dispute, state: "lost" };
    },
  };
}

function evidenceText(evidence: Readonly<Record<string, string>>): string {
  const text = Object.entries(evidence)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
  if (text.length <= evidence_characters_max) return text;
  const message = `a charge file has room for ${evidence_characters_max} characters of evidence, and this has ${text.length}`;
  throw new ProviderRefusal({ code: "evidence_too_long", hardness: "setup", message });
}

function answeredBefore({ state }: OutgoingItem): ProviderRefusal {
  const message =
    state === "sent"
      ? "the chargeback was answered by a file that went out"
      : "the chargeback was given in to";
  return new ProviderRefusal({ code: "answered", hardness: "setup", message });
}
