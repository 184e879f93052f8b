import { UsageError, type CliContext } from "../context.js";

/** A subscription's id, given as such or by the customer that has only this one. @throws UsageError */
export async function subscriptionOf(context: CliContext, name: string): Promise<string> {
  if (name.startsWith("sub_")) return name;
  const { customer } = await context.weir.graphql.run<{
    customer: { subscriptions: { nodes: { id: string; planVersion: { planKey: string } }[] } } | null;
  }>(
    "query ($customer: String!) { customer(idOrKey: $customer) { subscriptions(first: 20) { nodes { id planVersion { planKey } } } } }",
    { customer: name },
  );
  if (customer === null) throw new UsageError(`there is no customer "${name}"; weir customers list`);
  const { nodes } = customer.subscriptions;
  const [only] = nodes;
  if (only === undefined)
    throw new UsageError(`${name} has no subscription; weir subscriptions create ${name} PLAN`);
  if (nodes.length === 1) return only.id;
  const listed = nodes.map(({ id, planVersion }) => `${id} (${planVersion.planKey})`).join(", ");
  throw new UsageError(`${name} has several subscriptions, name one: ${listed}`);
}
