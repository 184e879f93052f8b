export { openMail, type MailConfig, type MailOptions } from "./open-mail.js";
export { isMailLink, type MailContent, type MailKind } from "./core/index.js";
export { Mails, type NewMail, type NewlyFinalized } from "./mails.js";
export type { MailedCustomer } from "./wanted-mail.js";
export type { NewMailSettings } from "./check-mail.js";
export type { MailSettings } from "./store/mail-settings.js";
export type { Mail, MailFilter, MailState } from "./store/mails.js";
