declare const brand: unique symbol;

/** A type that only its own constructor makes: a customer's id does not fit where an invoice's belongs. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
