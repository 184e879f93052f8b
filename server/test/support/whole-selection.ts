import { getNamedType, isObjectType, isRequiredArgument, isUnionType, type GraphQLOutputType } from "graphql";

/** A selection of everything that a type offers without arguments, so deep, each object type once on a path. */
export function wholeSelection(type: GraphQLOutputType, depth: number, path: readonly string[] = []): string {
  const named = getNamedType(type);
  if (isUnionType(named)) {
    const members = named
      .getTypes()
      .map((member) => `... on ${member.name} ${wholeSelection(member, depth, path)}`);
    return `{ __typename ${members.join(" ")} }`;
  }
  if (!isObjectType(named)) return "";
  const inner = [...path, named.name];
  const fields = Object.values(named.getFields()).flatMap((field) => {
    if (field.args.some(isRequiredArgument)) return [];
    const target = getNamedType(field.type);
    if (!isObjectType(target) && !isUnionType(target)) return [field.name];
    if (depth === 0 || inner.includes(target.name)) return [];
    // A page of ten, so that a whole walk stays under the limit of a query's cost.
    const page = field.args.some((argument) => argument.name === "first") ? "(first: 2)" : "";
    return [`${field.name}${page} ${wholeSelection(field.type, depth - 1, inner)}`];
  });
  return `{ __typename ${fields.join(" ")} }`;
}
