import { parseArgs } from 'node:util';
import { wholeNumberFlag } from './campaignFlags.js';
import { runRulesCampaign } from './rulesCampaign.js';

const { values } = parseArgs({
  options: {
    vectors: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const vectors = wholeNumberFlag('vectors', values.vectors);
const started = Date.now();
const { problems, reasons, versions, ...result } = await runRulesCampaign({
  vectors,
  seed: wholeNumberFlag('seed', values.seed),
  onProgress: (line) => process.stderr.write(`${line}\n`),
});
for (const problem of problems) process.stderr.write(`${problem}\n`);
if (!values.json) {
  const seconds = Math.round((Date.now() - started) / 1000);
  process.stderr.write(
    `filters met: ${JSON.stringify(reasons)}\nby version of the rules: ${JSON.stringify(versions)}\n${seconds} s\n`,
  );
}
process.stdout.write(`${JSON.stringify(result)}\n`);
process.exitCode = result.mismatches === 0 && result.vectors >= vectors ? 0 : 1;
