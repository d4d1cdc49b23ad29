import { Option, type Command } from 'commander';

import { loadAggregatorConfig } from '../aggregator/aggregatorConfig.js';
import { parseDeployment, type Deployment } from '../chain/deployment.js';
import { readOperatorStatus, type OperatorStatus } from '../chain/eigenlayer/operatorStatus.js';
import { readOperatorOfKey } from '../chain/eigenlayer/readSigningKey.js';
import { createRpc, type Rpc } from '../chain/rpc/rpc.js';
import type { Diagnosis } from '../doctor/examine.js';
import type { Patient, UnlockedIdentity } from '../doctor/patient.js';
import { loadOperatorConfig } from '../operator/operatorConfig.js';
import { createMarketClient } from '../sdk/marketClient.js';
import { getOpenPolicy } from '../sdk/rounds/getOpenPolicy.js';
import { systemClock } from '../service/clock.js';
import { unlockKey } from '../service/keystore.js';
import type { KeystoreSource } from '../service/keystoreSource.js';
import { readJsonFile } from '../service/readJsonFile.js';
import { loadCurves } from '../service/signing/curves.js';
import { openSigningKey } from '../service/signing/openSigningKey.js';
import {
  addOperatorFlags,
  aggregatorOverrides,
  operatorOverrides,
  type AggregatorFlags,
  type OperatorFlags,
} from './processFlags.js';
import { EXIT } from './usage.js';

interface DoctorFlags extends OperatorFlags, AggregatorFlags {
  readonly role: 'operator' | 'aggregator';
  readonly json: boolean;
}

/** Deadline of one request, milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000;

/** Registers `doctor`. */
export function registerDoctorCommand(program: Command, print: (line: string) => void): void {
  addOperatorFlags(
    program
      .command('doctor')
      .description(
        'examine all that an operator or an aggregator needs, with a remedy for each failure; changes nothing',
      ),
  )
    .addOption(
      new Option('--role <role>', 'which process the configuration is of')
        .choices(['operator', 'aggregator'])
        .default('operator'),
    )
    .option('--redis-url <url>', "an aggregator's Redis; default REDIS_URL")
    .option('--json', 'print one JSON object', false)
    .action(async (flags: DoctorFlags) => {
      const { examine } = await import('../doctor/examine.js');
      const diagnoses = await examine(patientOf(flags), {
        onDiagnosis: (diagnosis) => {
          if (!flags.json) for (const line of linesOf(diagnosis)) print(line);
        },
      });
      const isWell = diagnoses.every(({ status }) => status !== 'failed');
      if (flags.json) print(JSON.stringify({ role: flags.role, isWell, checks: diagnoses }));
      process.exitCode = isWell ? EXIT.ok : EXIT.failed;
    });
}

const MARKS = { ok: 'ok', skipped: '--', warning: 'note', failed: 'FAIL' } as const;

function linesOf(diagnosis: Diagnosis): readonly string[] {
  const { check, status, detail } = diagnosis;
  return [
    `${MARKS[status].padEnd(4)}  ${check.padEnd(15)}  ${detail}`,
    ...('fix' in diagnosis ? [`      ${' '.repeat(15)}  fix: ${diagnosis.fix}`] : []),
  ];
}

function patientOf(flags: DoctorFlags): Patient {
  return flags.role === 'operator' ? operatorPatient(flags) : aggregatorPatient(flags);
}

function operatorPatient(flags: DoctorFlags): Patient {
  const config = loadOperatorConfig({ file: flags.config, flags: operatorOverrides(flags) });
  const deployment = parseDeployment(readJsonFile('deployment', config.deployment));
  const { stake, quorum } = deployment;
  const stakeUrl = config.stakeRpcUrl ?? (stake.chainId === deployment.chainId ? config.rpcUrl : undefined);
  const stakeRpc = stakeUrl === undefined ? null : createRpc({ url: stakeUrl, requestTimeoutMs: REQUEST_TIMEOUT_MS });
  const unlock = once(() => unlockSigner(quorum.curve, config.keystore));
  return {
    ...common(deployment, config.rpcUrl),
    role: 'operator',
    stakeRpc,
    factsCheck: config.factsCheck,
    dataDir: config.dataDir,
    unlock,
    aggregators: config.aggregators,
    redisUrl: null,
    operator: once(async () => (stakeRpc === null ? null : statusOf(deployment, await unlock(), stakeRpc))),
  };
}

function aggregatorPatient(flags: DoctorFlags): Patient {
  const config = loadAggregatorConfig({ file: flags.config, flags: aggregatorOverrides(flags) });
  const deployment = parseDeployment(readJsonFile('deployment', config.deployment));
  return {
    ...common(deployment, config.rpcUrl),
    role: 'aggregator',
    stakeRpc: null,
    factsCheck: 'storage',
    dataDir: config.dataDir,
    unlock: once(async () => {
      const { address } = unlockKey(config.keystore, process.env);
      return { publicKey: address, id: address };
    }),
    aggregators: [],
    redisUrl: config.redisUrl ?? process.env['REDIS_URL'] ?? null,
    operator: async () => null,
  };
}

function common(
  deployment: Deployment,
  rpcUrl: string,
): Pick<Patient, 'deployment' | 'rpc' | 'clock' | 'maxTableAgeSeconds'> {
  return {
    deployment,
    // Without a chain id: a wrong chain is to be found by its own check.
    rpc: createRpc({ url: rpcUrl, requestTimeoutMs: REQUEST_TIMEOUT_MS }),
    clock: systemClock,
    maxTableAgeSeconds: once(async () => {
      const { policy } = await getOpenPolicy(createMarketClient({ deployment, rpcUrl }));
      return policy.maxTableAgeSeconds;
    }),
  };
}

async function unlockSigner(curve: Deployment['quorum']['curve'], keystore: KeystoreSource): Promise<UnlockedIdentity> {
  return openSigningKey(curve, keystore, process.env, await loadCurves());
}

async function statusOf(
  deployment: Deployment,
  { publicKey }: UnlockedIdentity,
  rpc: Rpc,
): Promise<OperatorStatus | null> {
  const operator = await readOperatorOfKey(deployment, publicKey, { rpc });
  return operator === null ? null : readOperatorStatus(deployment, operator, { rpc });
}

/** Does something on the first call only, and gives every caller its outcome. */
function once<Outcome>(action: () => Promise<Outcome>): () => Promise<Outcome> {
  let running: Promise<Outcome> | undefined;
  return () => (running ??= action());
}
