import { parseArgs } from 'node:util';
import { POLICY_NAMES, policyNamed, type PolicyName } from './benchPolicy.js';
import { WORKLOADS, workloadNamed } from './workload.js';

/** How much is measured. */
export interface Settings {
  /** Numbers of machines, ascending. */
  readonly machines: readonly number[];
  readonly orders: number;
  readonly workloads: readonly string[];
  readonly policies: readonly PolicyName[];
  readonly seed: number;
  readonly runs: number;
  /** Most that the runs of one round, or the rounds of single orders, may take together. */
  readonly budgetMs: number;
  readonly scanOrders: number;
  readonly naiveOrders: number;
  /** Random updates of price and capacity. */
  readonly updates: number;
  /** Up to so many machines the reference judges every order of a round under the first policy; else `judgedOrders` of them. */
  readonly judgeAllMachines: number;
  readonly judgedOrders: number;
  /** Orders of a round that one and two workers match. */
  readonly workerOrders: number;
  readonly churnedRounds: number;
  readonly churnedBudgetMs: number;
  readonly json: boolean;
}

const FULL = {
  machines: [100_000, 1_000_000],
  orders: 10_000,
  runs: 5,
  budgetMs: 2500,
  scanOrders: 40,
  naiveOrders: 3,
  updates: 200_000,
  judgeAllMachines: 100_000,
  judgedOrders: 500,
  workerOrders: 40_000,
  churnedRounds: 200,
  churnedBudgetMs: 40_000,
} as const;

const QUICK = {
  machines: [2000, 6000],
  orders: 300,
  runs: 2,
  budgetMs: 200,
  scanOrders: 20,
  naiveOrders: 3,
  updates: 500,
  judgeAllMachines: 2000,
  judgedOrders: 50,
  workerOrders: 300,
  churnedRounds: 5,
  churnedBudgetMs: 2000,
} as const;

/** Settings from command line arguments. Throws for an unknown flag, an unknown workload or policy, or a number that is not a positive whole one. */
export function parseSettings(args: readonly string[]): Settings {
  const { values } = parseArgs({
    args: [...args],
    options: {
      machines: { type: 'string' },
      orders: { type: 'string' },
      workload: { type: 'string' },
      policy: { type: 'string' },
      seed: { type: 'string', default: '1' },
      judged: { type: 'string' },
      'worker-orders': { type: 'string' },
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const base = values.quick ? QUICK : FULL;
  const wanted = values.workload?.split(',').map((name) => workloadNamed(name).name);
  return {
    ...base,
    machines: (values.machines?.split(',').map((text) => count('machines', text)) ?? [...base.machines]).sort(
      (a, b) => a - b,
    ),
    orders: values.orders === undefined ? base.orders : count('orders', values.orders),
    workloads: wanted ?? WORKLOADS.map(({ name }) => name),
    policies: values.policy?.split(',').map(policyNamed) ?? POLICY_NAMES,
    judgedOrders: values.judged === undefined ? base.judgedOrders : count('judged', values.judged),
    workerOrders:
      values['worker-orders'] === undefined ? base.workerOrders : count('worker-orders', values['worker-orders']),
    seed: count('seed', values.seed),
    json: values.json,
  };
}

function count(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new Error(`--${flag} is ${text}: give whole numbers from 1 on${flag === 'machines' ? ', with commas' : ''}`);
  }
  return value;
}
