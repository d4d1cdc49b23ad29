import { cpus, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { benchDecoding } from './benchDecoding.js';
import { benchGas } from './benchGas.js';
import { benchLatency } from './benchLatency.js';
import { benchMatching } from './benchMatching.js';
import { benchOperatorMemory } from './benchOperatorMemory.js';
import { benchSignatures } from './benchSignatures.js';
import { markdownTable, type Figure } from './figure.js';

/** The command line as it was bundled beside this file. */
const cliFile = fileURLToPath(new URL('matchmaker.js', import.meta.url));

const benches: Record<string, () => Figure[] | Promise<Figure[]>> = {
  matching: benchMatching,
  signatures: benchSignatures,
  decoding: benchDecoding,
  gas: benchGas,
  memory: () => benchOperatorMemory(cliFile),
  latency: () => benchLatency(cliFile),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in benches));
if (unknown.length > 0) {
  console.error(`no benchmark is called ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}`);
  process.exit(2);
}
const figures: Figure[] = [];
for (const [name, bench] of Object.entries(benches)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.error(`measuring ${name}`);
  figures.push(...(await bench()));
}
const gibibytes = Math.round(totalmem() / 2 ** 30);
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, ${gibibytes} GiB, Node ${process.versions.node}\n`,
);
console.log(markdownTable(figures));
