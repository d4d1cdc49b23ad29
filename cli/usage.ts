import { InvalidArgumentError } from 'commander';

import { MatchmakerError } from '../engine/error.js';
import { errnoCode, messageOf } from '../service/thrown.js';

/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

const USAGE_CODES = new Set([
  'CONFIG_INVALID',
  'DEPLOYMENT_INVALID',
  'NETWORK_INVALID',
  'MARKET_SETUP_INVALID',
  'RECEIVER_NOT_CHECKED',
  'DEPLOYER_HOLDS_PARAMETERS',
  'UPGRADE_DELAY_TOO_SHORT',
  'EIGENLAYER_FILE',
  'EIGENLAYER_CONTRACT_MISSING',
  'AVS_METADATA_INVALID',
  'DEPLOY_PROGRESS',
  'KEYSTORE_MISSING',
  'KEYSTORE_INVALID',
  'KEYSTORE_EXISTS',
  'PASSWORD_MISSING',
  'PASSWORD_WRONG',
  'PRIVATE_KEY_INVALID',
  'TRACE_FILE',
  'OPERATOR_COUNT',
  'RPC_WRONG_CHAIN',
  'REDIS_POLICY',
  'DISTRIBUTION_INVALID',
  'RESULTS_INVALID',
  'RPC_URL_INVALID',
  'FLAG_MISSING',
  'FLAG_INVALID',
  'ICL_INVALID',
  'AMOUNT_INVALID',
  'ORDER_FIELD_INVALID',
  'CALL_ARGUMENT_INVALID',
  'CALL_NEEDS_DELAY',
  'CALL_NEEDS_NO_DELAY',
  'UPGRADE_INVALID',
  'SIGNED_CALLS_INVALID',
  'REWARD_PERIOD',
  'PAYOUT_AMOUNT',
  'CLAIM_FILE_INVALID',
  'BUNDLE_INVALID',
  'WORKLOAD_INVALID',
  'POLICY_OUT_OF_RANGE',
  'ROUND_NOT_CLOSED',
]);

/** A command needs a flag that neither its caller nor the environment gave. */
export class MissingFlagError extends MatchmakerError<'FLAG_MISSING'> {
  constructor(flag: string, variable: string | null, meaning: string) {
    super('FLAG_MISSING', `${flag} is missing: name ${meaning}${variable === null ? '' : ` (or set ${variable})`}`, {
      metadata: { flag },
    });
  }
}

/** A flag or argument is not what it must be. */
export class InvalidFlagError extends MatchmakerError<'FLAG_INVALID'> {
  constructor(flag: string, problem: string, fix: string) {
    super('FLAG_INVALID', `${flag}: ${problem}; ${fix}`, { metadata: { flag } });
  }
}

/** Exit code for an error that ended a command: 2 when the caller's input is at fault, else 1. */
export function exitCodeOf(error: unknown): number {
  return error instanceof MatchmakerError && USAGE_CODES.has(error.code) ? EXIT.usage : EXIT.failed;
}

/** What is printed for an error that ended a command: typed errors and those of the system without a stack, defects with it. */
export function describeError(error: unknown): string {
  if (error instanceof MatchmakerError) return `error: ${error.message}`;
  if (errnoCode(error) !== undefined) return `error: ${messageOf(error)}`;
  if (error instanceof Error) return `error: ${error.stack ?? error.message}`;
  return `error: ${String(error)}`;
}

/** Parser of a whole-number flag for commander. */
export function integer(text: string): number {
  if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** Parser of scrypt's work factor for commander. */
export function scryptWorkFactor(text: string): number {
  const value = integer(text);
  if (!Number.isInteger(Math.log2(value)) || value < 1_024 || value > MOST_SCRYPT_N) {
    throw new InvalidArgumentError(`It must be a power of two from 1024 to ${MOST_SCRYPT_N}.`);
  }
  return value;
}

/** With blocks of 8 x 128 bytes this takes one GiB, the most that a keystore may ask when it is opened. */
const MOST_SCRYPT_N = 2 ** 20;

/** Parser of a flag that may be given several times. */
export function repeated(text: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), text];
}
