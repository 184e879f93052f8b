import { findEarlierAnswer, recordAudit, runOnce } from "../audit/index.js";
import type { Postgres, Sql } from "../engines/postgres/index.js";
import type { Caller } from "../identity/index.js";
import type { Clock, Clocks } from "../kernel/clock.js";
import { newId, type CustomerId, type OrganizationId, type ProviderAccountId } from "../kernel/ids.js";
import { makeProblem, Refusal } from "../kernel/problem.js";
import { abilityOf } from "./ability.js";
import { askProvider } from "./ask-provider.js";
import type { Dunning } from "./dunning.js";
import type { EventLooks } from "./event-looks.js";
import type { BillingPort, TopUpPort } from "./ports.js";
import type { GivenMethod, ReportedMethod } from "./provider.js";
import type { ProviderAccounts } from "./provider-accounts.js";
import type { ProviderCalls } from "./provider-calls.js";
import type { ProviderGate } from "./provider-gate.js";
import {
  findCustomerByRef,
  findMethod,
  findMethodByRef,
  insertMethod,
  listMethods,
  lockMethodsOf,
  markDetached,
  setDefaultMethod,
  updateMethodDetails,
  type PaymentMethod,
} from "./store/payment-methods.js";

export interface PaymentMethodsDependencies {
  readonly postgres: Postgres;
  readonly accounts: ProviderAccounts;
  readonly calls: ProviderCalls;
  readonly gate: ProviderGate;
  readonly billing: BillingPort;
  readonly dunning: Dunning;
  readonly topUps: TopUpPort;
  readonly looks: EventLooks;
  readonly clock: Clock;
  readonly clocks: Clocks;
}

export interface SetupPageInput {
  /** Id or key, as the account. */
  readonly customer: string;
  readonly account: string;
  /** Where the provider sends the customer back to. */
  readonly returnUrl: string;
}

const methods_max = 50;

/** Customers' ways to pay. A card is entered on the provider's page; what comes here is its token and last four digits. */
export class PaymentMethods {
  readonly #on: PaymentMethodsDependencies;

  constructor(dependencies: PaymentMethodsDependencies) {
    this.#on = dependencies;
  }

  /**
   * Attaches what the provider's page or library made. The first of a customer is its default.
   * @param input.method  the provider's token: pm_…
   * @param input.brand   visa, with the last four digits and the last month (2028-04): told where the provider cannot be asked
   * @throws Refusal 404; 422 when the provider does not take it; 503 when it does not answer
   */
  async attach(
    caller: Caller,
    input: {
      readonly customer: string;
      readonly account: string;
      readonly method: string;
      readonly brand?: string;
      readonly last4?: string;
      readonly expires?: string;
      readonly makeDefault?: boolean;
    },
    idempotencyKey?: string,
  ): Promise<PaymentMethod> {
    const { organization } = caller;
    const { postgres, accounts, billing, gate, clock } = this.#on;
    const { account, provider, customer } = await postgres.inOrganization(organization, async (sql) => {
      const opened = await accounts.open(sql, organization, input.account);
      if (opened.isArchived) throw archived(opened.account.key);
      return { ...opened, customer: await billing.customer(sql, input.customer) };
    });
    checkDetails(input);
    const methods = abilityOf(provider, "methods");
    const { method, brand, last4, expires } = input;
    const given = { ref: method, brand, last4, expires };
    const reported = await askProvider(async () => {
      const ref = await this.#on.calls.customerRef(organization, account, provider, customer);
      return gate.call({ account, provider }, () => methods.attachMethod(account, ref, given));
    });
    return postgres.inOrganization(organization, async (sql) => {
      const request = { organization, idempotencyKey, action: "payment_method.attach", input };
      const id = await runOnce(sql, request, async () => {
        const { method, isNew } = await this.#store(
          sql,
          organization,
          customer.id,
          account.id,
          reported,
          input.makeDefault,
        );
        if (isNew)
          await recordAudit(sql, {
            organization,
            actor: caller,
            action: "payment_method.attach",
            target: method.id,
            before: undefined,
            after: describe(method),
            at: clock.now(),
          });
        return method.id;
      });
      return mustFind(sql, id);
    });
  }

  /** What is charged by itself from now on; what was declined before is tried with it at once. @throws Refusal 404, 409 */
  async setDefault(caller: Caller, id: string, idempotencyKey?: string): Promise<PaymentMethod> {
    const { organization } = caller;
    return this.#on.postgres.inOrganization(organization, async (sql) => {
      const request = {
        organization,
        idempotencyKey,
        action: "payment_method.set_default",
        input: { method: id },
      };
      await runOnce(sql, request, async () => {
        await lockMethodsOf(sql, (await mustFind(sql, id)).customer);
        const method = await mustFind(sql, id, { lock: true });
        if (method.detachedAt !== undefined) throw detached(id);
        if (method.isDefault) return id;
        await this.#makeDefault(sql, organization, method);
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "payment_method.set_default",
          target: id,
          before: undefined,
          after: describe(method),
          at: this.#on.clock.now(),
        });
        return id;
      });
      return mustFind(sql, id);
    });
  }

  /** Takes a method away, at the provider too. Again changes nothing. @throws Refusal 404, 503 */
  async detach(caller: Caller, id: string, idempotencyKey?: string): Promise<PaymentMethod> {
    const { organization } = caller;
    const { postgres, accounts, gate, clock, clocks } = this.#on;
    const known = await postgres.inOrganization(organization, async (sql) => {
      const method = await mustFind(sql, id);
      return { method, ...(await accounts.open(sql, organization, method.account)) };
    });
    if (known.method.detachedAt !== undefined) return known.method;
    const methods = abilityOf(known.provider, "methods");
    await askProvider(() => gate.call(known, () => methods.detachMethod(known.account, known.method.ref)));
    return postgres.inOrganization(organization, async (sql) => {
      const request = {
        organization,
        idempotencyKey,
        action: "payment_method.detach",
        input: { method: id },
      };
      await runOnce(sql, request, async () => {
        const method = await mustFind(sql, id, { lock: true });
        if (method.detachedAt !== undefined) return id;
        await markDetached(sql, method.id, clocks.of(organization).now());
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: "payment_method.detach",
          target: id,
          before: describe(method),
          after: undefined,
          at: clock.now(),
        });
        return id;
      });
      return mustFind(sql, id);
    });
  }

  /**
   * `setupPage` for someone with a key: audited, and the same page again under the same idempotency key.
   * @throws Refusal as `setupPage`
   */
  async createSetupPage(caller: Caller, input: SetupPageInput, idempotencyKey?: string): Promise<string> {
    const { organization } = caller;
    const { postgres, billing, clock } = this.#on;
    const request = { organization, idempotencyKey, action: "payment_method.setup_page", input };
    const earlier = await postgres.inOrganization(organization, (sql) =>
      findEarlierAnswer<string>(sql, request),
    );
    if (earlier !== undefined) return earlier;
    const url = await this.setupPage(organization, input);
    return postgres.inOrganization(organization, (sql) =>
      runOnce(sql, request, async () => {
        await recordAudit(sql, {
          organization,
          actor: caller,
          action: request.action,
          target: (await billing.customer(sql, input.customer)).id,
          before: undefined,
          after: { account: input.account, returnUrl: input.returnUrl },
          at: clock.now(),
        });
        return url;
      }),
    );
  }

  /**
   * The provider's page on which the customer enters a card, which then becomes the default.
   * @throws Refusal 400, 404; 409 for an account that is archived; 422 when the provider does not take it; 503
   */
  async setupPage(organization: OrganizationId, input: SetupPageInput): Promise<string> {
    const { postgres, accounts, billing, gate } = this.#on;
    if (!URL.canParse(input.returnUrl) || !/^https?:$/.test(new URL(input.returnUrl).protocol))
      throw invalidReturnUrl();
    const { account, provider, customer } = await postgres.inOrganization(organization, async (sql) => {
      const opened = await accounts.open(sql, organization, input.account);
      if (opened.isArchived) throw archived(opened.account.key);
      await this.#on.looks.asked(sql, organization, opened.account.id, opened.provider);
      return { ...opened, customer: await billing.customer(sql, input.customer) };
    });
    const pages = abilityOf(provider, "setupPages");
    return askProvider(async () => {
      const customerRef = await this.#on.calls.customerRef(organization, account, provider, customer);
      const page = await gate.call({ account, provider }, () =>
        pages.setupPage(account, { customerRef, returnUrl: input.returnUrl }),
      );
      return page.url;
    });
  }

  async list(
    organization: OrganizationId,
    page: Parameters<typeof listMethods>[1],
  ): Promise<PaymentMethod[]> {
    return this.#on.postgres.inOrganization(organization, (sql) => listMethods(sql, page));
  }

  async find(organization: OrganizationId, id: string): Promise<PaymentMethod | undefined> {
    return this.#on.postgres.inOrganization(organization, (sql) => findMethod(sql, id));
  }

  /** @throws Refusal 404, 409 unless a customer can be charged by it */
  async check(sql: Sql, customer: CustomerId, id: string): Promise<void> {
    const method = await mustFind(sql, id);
    if (method.customer !== customer) throw notItsOwn(id, customer);
    if (method.detachedAt !== undefined) throw detached(id);
  }

  /** What the provider says of a method, in the caller's transaction: one that its customer entered is the default. */
  async reported(
    sql: Sql,
    organization: OrganizationId,
    account: ProviderAccountId,
    reported: ReportedMethod,
  ): Promise<string> {
    const known = await findMethodByRef(sql, account, reported.ref);
    if (known !== undefined) {
      if (reported.customerRef === undefined) {
        await markDetached(sql, known.id, this.#on.clocks.of(organization).now());
        return `${known.id} detached`;
      }
      await updateMethodDetails(sql, known.id, reported);
      return `${known.id} updated`;
    }
    if (reported.customerRef === undefined) return "a method of nobody";
    const customer = await findCustomerByRef(sql, account, reported.customerRef);
    if (customer === undefined) return "a method of someone whom Weir does not know";
    const { method } = await this.#store(sql, organization, customer, account, reported, true);
    return `${method.id} attached`;
  }

  async #store(
    sql: Sql,
    organization: OrganizationId,
    customer: CustomerId,
    account: ProviderAccountId,
    reported: ReportedMethod,
    makeDefault: boolean | undefined,
  ): Promise<{ method: PaymentMethod; isNew: boolean }> {
    await lockMethodsOf(sql, customer);
    const others = await listMethods(sql, { customer, limit: methods_max });
    if (others.length >= methods_max) throw tooMany(customer);
    const at = this.#on.clocks.of(organization).now();
    const method: PaymentMethod = {
      id: newId("pmt", at),
      customer,
      account,
      ref: reported.ref,
      kind: reported.kind,
      brand: reported.brand,
      last4: reported.last4,
      expires: reported.expires,
      isDefault: false,
      createdAt: at,
      detachedAt: undefined,
    };
    const isNew = await insertMethod(sql, organization, method);
    const stored = isNew ? method : ((await findMethodByRef(sql, account, reported.ref)) ?? method);
    if (stored.customer !== customer) throw anotherCustomers();
    const wanted = makeDefault ?? !others.some((one) => one.isDefault);
    if (wanted && !stored.isDefault) await this.#makeDefault(sql, organization, stored);
    return { method: stored, isNew };
  }

  async #makeDefault(sql: Sql, organization: OrganizationId, method: PaymentMethod): Promise<void> {
    await setDefaultMethod(sql, method.customer, method.id);
    await this.#on.dunning.methodChanged(sql, organization, method.customer);
    await this.#on.topUps.methodChanged(sql, organization, method.customer);
  }
}

async function mustFind(sql: Sql, id: string, options: { lock?: boolean } = {}): Promise<PaymentMethod> {
  const found = await findMethod(sql, id, options);
  if (found !== undefined) return found;
  const detail = `There is no payment method "${id.slice(0, 64)}".`;
  throw new Refusal(makeProblem("payment-method-not-found", 404, "No such payment method", detail));
}

/** What is said of a method where its provider cannot be asked. @throws Refusal 400 listing every fault */
function checkDetails({ brand, last4, expires }: Pick<GivenMethod, "brand" | "last4" | "expires">): void {
  const errors: { field: string; message: string }[] = [];
  if (brand !== undefined && !/^[a-z][a-z0-9_ -]{0,31}$/.test(brand))
    errors.push({ field: "brand", message: "1 to 32 of a-z, 0-9, _, - and blanks, such as visa" });
  if (last4 !== undefined && !/^\d{4}$/.test(last4))
    errors.push({ field: "last4", message: "the last four digits" });
  if (expires !== undefined && !/^\d{4}-(0[1-9]|1[0-2])$/.test(expires))
    errors.push({ field: "expires", message: "a month such as 2028-04" });
  if (errors.length === 0) return;
  const detail = errors.map(({ field, message }) => `${field}: ${message}`).join("; ");
  throw new Refusal(
    makeProblem("invalid-payment-method", 400, "The method is not valid", detail, { errors }),
  );
}

function describe({ customer, account, kind, brand, last4, expires }: PaymentMethod) {
  return { customer, account, kind, brand: brand ?? null, last4: last4 ?? null, expires: expires ?? null };
}

function archived(key: string): Refusal {
  const detail = `Provider account "${key}" is archived. Name another.`;
  return new Refusal(
    makeProblem("provider-account-archived", 409, "The provider account is archived", detail),
  );
}

function detached(id: string): Refusal {
  const detail = `Payment method ${id} was detached. Attach another.`;
  return new Refusal(makeProblem("payment-method-detached", 409, "The payment method is detached", detail));
}

function anotherCustomers(): Refusal {
  const detail = "The provider's method is attached to another customer.";
  return new Refusal(
    makeProblem("payment-method-taken", 409, "The payment method is another customer's", detail),
  );
}

function notItsOwn(id: string, customer: string): Refusal {
  const detail = `Payment method ${id} is not one of customer ${customer}.`;
  return new Refusal(makeProblem("payment-method-not-found", 404, "No such payment method", detail));
}

function tooMany(customer: string): Refusal {
  const detail = `Customer ${customer} has ${methods_max} payment methods, which is the most there can be. Detach some.`;
  return new Refusal(makeProblem("too-many-payment-methods", 409, "Too many payment methods", detail));
}

function invalidReturnUrl(): Refusal {
  const errors = [{ field: "returnUrl", message: "an address that begins with http:// or https://" }];
  const detail = "returnUrl: an address that begins with http:// or https://";
  return new Refusal(makeProblem("invalid-return-url", 400, "The address is not valid", detail, { errors }));
}
