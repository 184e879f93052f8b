import { minute } from "../../../../kernel/instant.js";

// Minutes east of UTC of the abbreviations that reports write beside their times.
const offsets: Readonly<Record<string, number>> = {
  UTC: 0,
  GMT: 0,
  WET: 0,
  WEST: 60,
  BST: 60,
  CET: 60,
  CEST: 120,
  EET: 120,
  EEST: 180,
  MSK: 180,
  BRT: -180,
  EST: -300,
  EDT: -240,
  CST: -360,
  CDT: -300,
  MST: -420,
  MDT: -360,
  PST: -480,
  PDT: -420,
  SGT: 480,
  HKT: 480,
  AWST: 480,
  JST: 540,
  AEST: 600,
  AEDT: 660,
  NZST: 720,
  NZDT: 780,
};

/** How far a zone of this abbreviation is ahead of UTC, in microseconds; 0 for one that is not known. */
export function offsetOf(abbreviation: string): number {
  const name = abbreviation.toUpperCase();
  return (Object.hasOwn(offsets, name) ? (offsets[name] ?? 0) : 0) * minute;
}
