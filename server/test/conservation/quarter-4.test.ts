import { quarterOf, seedsAsked } from "./seeds-asked.js";
import { testSeeds } from "./test-seeds.js";

testSeeds(quarterOf(seedsAsked({ from: 1, to: 8 }), 4));
