import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { wholeNumber } from '../wholeNumber.js';
import { benchSubmission } from './benchSubmission.js';

const { values } = parseArgs({
  options: {
    operators: { type: 'string', default: '20' },
    processes: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '120' },
    orders: { type: 'string', default: '8' },
    'block-time': { type: 'string', default: '250' },
    'round-length': { type: 'string', default: '4' },
    providers: { type: 'string', default: '40' },
    seed: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
  },
});
const result = await benchSubmission(
  {
    cliFile: fileURLToPath(new URL('matchmaker.js', import.meta.url)),
    hostFile: fileURLToPath(new URL('operatorHost.js', import.meta.url)),
    operators: wholeNumber('--operators', values.operators),
    processes: wholeNumber('--processes', values.processes),
    rounds: wholeNumber('--rounds', values.rounds),
    ordersPerRound: wholeNumber('--orders', values.orders),
    blockTimeMs: wholeNumber('--block-time', values['block-time']),
    roundLengthBlocks: wholeNumber('--round-length', values['round-length']),
    providers: wholeNumber('--providers', values.providers),
    seed: wholeNumber('--seed', values.seed),
  },
  { say: (text) => console.error(text) },
);
console.log(JSON.stringify(result, undefined, values.json ? undefined : 2));
