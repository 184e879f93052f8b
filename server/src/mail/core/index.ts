export {
  decideAttempt,
  give_up_after,
  pauseAfter,
  type AttemptDecision,
  type AttemptedMail,
  type AttemptOutcome,
} from "./attempt-outcome.js";
export {
  contentFaults,
  contentFromJson,
  contentToJson,
  isMailLink,
  mail_kinds,
  type FinalAction,
  type MailContent,
  type MailKind,
} from "./mail-content.js";
export { messageIdOf, type MailIdentity } from "./message-id.js";
export { SendingRate } from "./sending-rate.js";
