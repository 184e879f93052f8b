import { union } from "./codec.js";
import type { PriceDefinition } from "./rater.js";

/** The definition of several models, told apart by their `kind`. */
export function oneOf<M extends { readonly kind: string }>(definitions: {
  readonly [K in M["kind"]]: PriceDefinition<Extract<M, { kind: K }>>;
}): PriceDefinition<M> {
  const byKind = definitions as unknown as Readonly<Record<string, PriceDefinition<M>>>;
  /** @throws RangeError when there is no such kind: a model that was read without its codec */
  const definitionOf = (model: M): PriceDefinition<M> => {
    const definition = Object.hasOwn(byKind, model.kind) ? byKind[model.kind] : undefined;
    if (definition === undefined) throw new RangeError(`"${model.kind}" is no price model here`);
    return definition;
  };
  return {
    codec: union<M>(
      Object.fromEntries(Object.entries(byKind).map(([kind, { codec }]) => [kind, codec])) as Parameters<
        typeof union<M>
      >[0],
    ),
    findFaults(model, faults) {
      definitionOf(model).findFaults(model, faults);
    },
    compile: (model, units) => definitionOf(model).compile(model, units),
    isProgressive: (model) => definitionOf(model).isProgressive(model),
  };
}
