import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { wholeNumber } from '../wholeNumber.js';
import { benchLoad } from './benchLoad.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seconds: { type: 'string' },
    outage: { type: 'string', default: '60' },
    operators: { type: 'string', default: '4' },
    providers: { type: 'string', default: '100' },
    tenants: { type: 'string', default: '64' },
    'block-time': { type: 'string', default: '1000' },
    'round-length': { type: 'string', default: '4' },
    'block-gas': { type: 'string', default: '36000000' },
    rate: { type: 'string', default: '100' },
    seed: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const result = await benchLoad(
  {
    cliFile: fileURLToPath(new URL('matchmaker.js', import.meta.url)),
    seconds:
      values.seconds === undefined
        ? 60 * wholeNumber('--minutes', values.minutes ?? '10')
        : wholeNumber('--seconds', values.seconds),
    outageSeconds: wholeNumber('--outage', values.outage),
    operators: wholeNumber('--operators', values.operators),
    providers: wholeNumber('--providers', values.providers),
    tenants: wholeNumber('--tenants', values.tenants),
    blockTimeMs: wholeNumber('--block-time', values['block-time']),
    roundLengthBlocks: wholeNumber('--round-length', values['round-length']),
    blockGasLimit: wholeNumber('--block-gas', values['block-gas']),
    ratePercent: wholeNumber('--rate', values.rate),
    seed: wholeNumber('--seed', values.seed),
  },
  { say: (text) => console.error(text) },
);
console.log(JSON.stringify(result, undefined, values.json ? undefined : 2));
