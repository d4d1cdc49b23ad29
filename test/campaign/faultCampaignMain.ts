import { parseArgs } from 'node:util';
import { wholeNumberFlag } from './campaignFlags.js';
import { runFaultCampaign } from './faultCampaign.js';

/** Most problems that are printed. */
const PRINTED_PROBLEMS = 20;

const { values } = parseArgs({
  options: {
    planted: { type: 'string', default: '500' },
    honest: { type: 'string' },
    seed: { type: 'string', default: '1' },
    rules: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const planted = wholeNumberFlag('planted', values.planted);
const honestAttempts = values.honest === undefined ? planted * 10 : wholeNumberFlag('honest', values.honest);
const seed = wholeNumberFlag('seed', values.seed);
const { rules } = values;
if (rules !== undefined && rules !== '1' && rules !== '2') {
  process.stderr.write(`error: --rules must be 1 or 2, not '${rules}'; without it rounds are of either version\n`);
  process.exit(2);
}
const started = Date.now();

const { problems, refusals, versions, ...result } = await runFaultCampaign({
  planted,
  honestAttempts,
  seed,
  rulesVersion: rules === undefined ? null : rules === '1' ? 1 : 2,
  onProgress: (line) => process.stderr.write(`${line}\n`),
});
for (const problem of problems.slice(0, PRINTED_PROBLEMS)) process.stderr.write(`${problem}\n`);
if (!values.json) {
  const seconds = Math.round((Date.now() - started) / 1000);
  process.stderr.write(
    `honest batches refused with ${JSON.stringify(refusals)}\nby version of the rules: ${JSON.stringify(versions)}\n${seconds} s\n`,
  );
}
process.stdout.write(`${JSON.stringify(result)}\n`);
const green = result.slashed === planted && result.honestSlashed === 0 && result.honestAttempts >= honestAttempts;
process.exitCode = green ? 0 : 1;
