import type { Account, CheckoutSessionRecord } from "../account.js";
import { ApiError } from "../api/api-error.js";
import { decodeForm, type FormNode } from "../api/form.js";
import type { SimulatorReply, SimulatorRequest } from "../api/request-handler.js";
import { authenticateCheckout, enterCardInCheckout } from "../objects/checkout-sessions.js";
import { authenticatePayment } from "../objects/confirmation.js";
import type { EnteredCard } from "../objects/payment-methods.js";
import { authenticateSetup } from "../objects/setup-intents.js";
import { testInstruments, writableNumber } from "../objects/test-instrument.js";
import type { Recorder } from "../recorder.js";
import { escapeHtml, htmlPage } from "./html.js";

/**
 * The pages that a provider hosts: a card is entered, or its owner proves who they are. Undefined for any other path.
 * @param recorder  none when it all happened before
 */
export function answerPage(
  account: Account,
  recorder: Recorder | undefined,
  request: SimulatorRequest,
): SimulatorReply | undefined {
  const match = /^\/_simulator\/(checkout|authenticate)\/([\w-]{1,100})(\?.*)?$/.exec(request.path);
  const [, page, id] = match ?? [];
  if (page === undefined || id === undefined) return undefined;
  const answer = (): SimulatorReply =>
    page === "checkout"
      ? checkout(account, account.checkoutSessions.get(id), request)
      : authenticate(account, id, request);
  try {
    if (request.method !== "POST" || recorder === undefined) return answer();
    const { path, body } = request;
    return recorder.do({ kind: "page", path, body: writableForm(body) }, answer);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return html(error.status, "This did not work", `<p class="error">${escapeHtml(error.message)}</p>`);
  }
}

function checkout(
  account: Account,
  session: CheckoutSessionRecord,
  request: SimulatorRequest,
): SimulatorReply {
  const { wire } = session;
  if (wire.status === "complete") return html(200, "Your card is saved", "<p>You can close this page.</p>");
  if (wire.status !== "open") return html(410, "This page has expired", "<p>Ask for a new link.</p>");
  if (request.method !== "POST") return cardForm(session, undefined, 200);
  const form = decodeForm(request.body);
  const outcome = form.get("outcome");
  try {
    if (outcome === "pass" || outcome === "fail") authenticateCheckout(account, session, outcome);
    else if (enterCardInCheckout(account, session, readCard(form)) === "requires_action")
      return authenticationForm();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return cardForm(session, error.message, error.status);
  }
  if (outcome === "fail") return cardForm(session, "Your bank could not confirm that it was you.", 402);
  return redirect((wire.success_url ?? "/").replaceAll("{CHECKOUT_SESSION_ID}", wire.id));
}

function authenticate(account: Account, id: string, request: SimulatorRequest): SimulatorReply {
  const isSetup = id.startsWith("seti_");
  const intent = isSetup ? account.setupIntents.get(id) : account.paymentIntents.get(id);
  if (request.method !== "POST") return authenticationForm();
  const outcome = decodeForm(request.body).get("outcome") === "pass" ? "pass" : "fail";
  if (isSetup) authenticateSetup(account, account.setupIntents.get(id), outcome);
  else authenticatePayment(account, account.paymentIntents.get(id), outcome);
  if (intent.returnUrl === undefined) return html(200, "Thank you", "<p>You can close this page.</p>");
  const back = new URL(intent.returnUrl);
  back.searchParams.set(isSetup ? "setup_intent" : "payment_intent", id);
  back.searchParams.set("redirect_status", outcome === "pass" ? "succeeded" : "failed");
  return redirect(back.href);
}

function cardForm(session: CheckoutSessionRecord, error: string | undefined, status: number): SimulatorReply {
  const { cancel_url } = session.wire;
  const cards = [...testInstruments()]
    .filter(([, { type }]) => type === "card")
    .map(
      ([name, { number }]) =>
        `<tr><td>${number}</td><td>${escapeHtml(name.replace("pm_card_", ""))}</td></tr>`,
    );
  return html(
    status,
    "Save your card",
    `${error === undefined ? "" : `<p class="error" role="alert">${escapeHtml(error)}</p>`}
<form method="post"><label for="number">Card number</label><input id="number" name="number" inputmode="numeric" autocomplete="off" placeholder="4242 4242 4242 4242" required>
<div class="row"><div><label for="expiry">Expiry (MM/YY)</label><input id="expiry" name="expiry" placeholder="12/40" required></div><div><label for="cvc">Security code</label><input id="cvc" name="cvc" placeholder="123" required></div></div>
<label for="name">Name on the card</label><input id="name" name="name"><button>Save card</button>${
      cancel_url === null || !isWebAddress(cancel_url)
        ? ""
        : `<a class="button quiet" href="${escapeHtml(cancel_url)}">Back</a>`
    }</form><details><summary>Test cards</summary><table>${cards.join("")}</table></details>`,
  );
}

function authenticationForm(): SimulatorReply {
  return html(
    200,
    "Your bank asks: is it you?",
    `<form method="post"><button name="outcome" value="pass">Yes, it is me</button><button class="quiet" name="outcome" value="fail">No</button></form>`,
  );
}

/** @throws ApiError 402 by way of the card's check, for what is no number */
function readCard(form: FormNode): EnteredCard {
  const text = (name: string): string => {
    const value = form.get(name);
    return typeof value === "string" ? value.trim() : "";
  };
  const [month = "", year = ""] = text("expiry").split("/");
  const name = text("name");
  return {
    number: text("number"),
    exp_month: Number(month),
    exp_year: Number(year.trim().length === 2 ? `20${year.trim()}` : year),
    cvc: text("cvc"),
    ...(name !== "" && { name }),
  };
}

/** The form without a number that may be a real card's. */
function writableForm(body: string): string {
  const form = new URLSearchParams(body);
  const number = form.get("number");
  if (number !== null) form.set("number", writableNumber(number));
  return form.toString();
}

function isWebAddress(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

function redirect(location: string): SimulatorReply {
  if (!isWebAddress(location)) return html(200, "Your card is saved", "<p>You can close this page.</p>");
  return { status: 303, headers: { location, "content-type": "text/plain" }, body: "" };
}

function html(status: number, title: string, body: string): SimulatorReply {
  return {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
      "cache-control": "no-store",
    },
    body: htmlPage(title, body),
  };
}
