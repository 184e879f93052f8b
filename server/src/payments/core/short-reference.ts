const characters = 12;

/**
 * What names a thing where there is no room for its id, as in the 12 characters of a card message's retrieval reference number
 * (ISO 8583, data element 37): the id's last twelve, all of them random, in capitals.
 */
export function shortReferenceOf(id: string): string {
  return id.slice(-characters).toUpperCase();
}
