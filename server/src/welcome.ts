import type { Config } from "./config.js";
import type { RunningWeir } from "./wire.js";

/** What a first start tells: where Weir is, the key, and three things to try. */
export function printWelcome(config: Config, weir: RunningWeir): void {
  const { url, firstKey } = weir;
  const key = firstKey ?? config.bootstrapKey;
  const shownKey = firstKey ?? (config.bootstrapKey === undefined ? "$WEIR_KEY" : "$WEIR_BOOTSTRAP_KEY");
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
    "  Three things to try:",
    "",
    `    export WEIR_URL=${url} WEIR_KEY=${shownKey}`,
    ...(weir.demoKey === undefined
      ? [
          "    npx weir meters create tokens --event-type llm.request --aggregation SUM --value '$.tokens'",
          `    npx weir events send --type llm.request --subject acme --data '{"tokens": 120}'`,
          "    npx weir usage tokens --window day",
        ]
      : [
          `    npx weir --key ${weir.demoKey} usage llm-tokens --window hour --group-by model      # the demo, Nimbus Cloud`,
          `    npx weir --key ${weir.demoKey} customers list`,
          `    open ${url}/graphql                             # the playground; header {"Authorization": "Bearer <key>"}`,
        ]),
    "",
  ];
  console.log(lines.join("\n"));
}
