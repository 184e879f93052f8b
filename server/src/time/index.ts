export { openTime, type Time } from "./open-time.js";
export { OrganizationClocks } from "./organization-clocks.js";
export type { TestClockState } from "./test-clock.js";
export { TestClocks, type TestClockCheck } from "./test-clocks.js";
export type { Wake, WakeAction, WakeHandler } from "./wake.js";
export { Wakes } from "./wakes.js";
