import type { Config } from "./config.js";
import type { RunningWeir } from "./wire.js";

/** What a first start tells: where Weir is, the key, and three things to try. */
export function printWelcome(config: Config, weir: RunningWeir): void {
  const { url, firstKey } = weir;
  const key = firstKey ?? config.bootstrapKey;
  const shownKey =
    weir.demoKey ?? firstKey ?? (config.bootstrapKey === undefined ? "<your key>" : "$WEIR_BOOTSTRAP_KEY");
  const lines = [
    "",
    `  Weir is ready at ${url}`,
    "",
    ...(firstKey === undefined
      ? [
          key === undefined
            ? "  Your API keys work as before; make another with: npx weir keys create"
            : "  Your bootstrap key is accepted.",
        ]
      : [`  API key (shown once, keep it):  ${firstKey}`]),
    `  Data in ${config.dataDir}`,
    "",
    weir.demoKey === undefined
      ? "  Three things to try:"
      : "  Three things to try, on the demo organization, Nimbus Cloud (WEIR_DEMO=off turns it off):",
    "",
    `    export WEIR_URL=${url} WEIR_KEY=${shownKey}`,
    ...(weir.demoKey === undefined
      ? [
          "    npx weir meters create tokens --event-type llm.request --aggregation SUM --value '$.tokens'",
          `    npx weir events send --type llm.request --subject acme --data '{"tokens": 120}'`,
          "    npx weir usage tokens --window day",
        ]
      : [
          "    npx weir usage llm-tokens --from 1d --window hour --group-by model",
          "    npx weir invoices preview aurora-analytics",
          "    npx weir invoices explain aurora-analytics --line tokens",
        ]),
    "",
    `  The playground is at ${url}/graphql; its headers take {"Authorization": "Bearer <key>"}.`,
    "",
  ];
  console.log(lines.join("\n"));
}
