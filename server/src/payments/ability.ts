import { makeProblem, Refusal } from "../kernel/problem.js";
import type { Abilities, AbilityName, PaymentProvider } from "./provider.js";

/** What a provider that lacks an ability does not do. */
const lacking: Readonly<Record<AbilityName, string>> = {
  charging: "takes no charges",
  methods: "keeps no payment methods",
  setupPages: "has no page on which a customer enters a card",
  refunds: "sends no refunds",
  disputes: "takes no answers to disputes",
  transfers: "has no account to which customers pay",
  webhooks: "tells nothing by itself",
  outgoing: "makes no files",
};

export const ability_names = Object.keys(lacking) as AbilityName[];

/** What a provider can do. @throws Refusal 422 that says what to do instead */
export function abilityOf<Name extends AbilityName>(
  provider: PaymentProvider,
  name: Name,
): NonNullable<Abilities[Name]> {
  const ability = provider[name];
  if (ability !== undefined) return ability as NonNullable<Abilities[Name]>;
  const reason = provider.without[name];
  const detail = `${provider.title} ${lacking[name]}${reason === undefined ? "" : `: ${reason}`}.`;
  throw new Refusal(makeProblem("provider-lacks-ability", 422, "The provider cannot do that", detail));
}

export function abilitiesOf(provider: PaymentProvider): AbilityName[] {
  return ability_names.filter((name) => provider[name] !== undefined);
}
