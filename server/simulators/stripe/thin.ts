/**
 * An object as it goes over the wire when nothing is expanded: where the SDK's type says "an id or the object", an id.
 * The SDK's types govern: an object of the simulator that lacks a field of the pinned version does not compile.
 */
export type Thin<T> = { -readonly [K in keyof T]: ThinField<T[K]> };

type ThinField<F> = [Extract<F, string>] extends [never] ? F : Exclude<F, object>;
