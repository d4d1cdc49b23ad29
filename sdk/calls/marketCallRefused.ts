import { decodeErrorResult, type Hex } from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { rejectionName } from '../../engine/rejectionReason.js';
import { marketErrorsAbi } from './marketErrorsAbi.js';
import { REFUSAL_ADVICE } from './refusalAdvice.js';

/** A contract of the market refused a call: which custom error, the parameter at fault, and what to do. */
export class MarketCallRefusedError extends MatchmakerError<'MARKET_CALL_REFUSED'> {
  /** The custom error's name; null where the revert data is none that the market knows. */
  readonly errorName: string | null;
  readonly args: Readonly<Record<string, unknown>>;
  /** Parameter at fault, null where no single one is. */
  readonly field: string | null;
  /** What to do, null where the market does not know. */
  readonly fix: string | null;

  constructor(action: string, data: Hex, cause: unknown) {
    const refusal = describeRefusal(data);
    super(
      'MARKET_CALL_REFUSED',
      `${action} was refused: ${refusal.problem}${refusal.fix === null ? '' : `; ${refusal.fix}`}`,
      {
        metadata: {
          action,
          errorName: refusal.errorName,
          args: printable(refusal.args),
          field: refusal.field,
          fix: refusal.fix,
          data,
        },
        retryable: refusal.retryable,
        cause,
      },
    );
    this.errorName = refusal.errorName;
    this.args = refusal.args;
    this.field = refusal.field;
    this.fix = refusal.fix;
  }
}

interface Refusal {
  readonly errorName: string | null;
  readonly args: Readonly<Record<string, unknown>>;
  readonly problem: string;
  readonly fix: string | null;
  readonly field: string | null;
  readonly retryable: boolean;
}

function describeRefusal(data: Hex): Refusal {
  const decoded = decode(data);
  if (decoded === null) {
    const problem =
      data === '0x' ? 'it reverted without a reason' : `it reverted with unknown data ${data.slice(0, 74)}`;
    return { errorName: null, args: {}, problem, fix: null, field: null, retryable: false };
  }
  const { errorName, args } = decoded;
  const advice = REFUSAL_ADVICE[errorName];
  if (advice === undefined) {
    const listed = Object.entries(args).map(([name, value]) => `${name} ${String(value)}`);
    return { errorName, args, problem: [errorName, ...listed].join(' '), fix: null, field: null, retryable: false };
  }
  return {
    errorName,
    args,
    problem: fill(advice.problem, args),
    fix: fill(advice.fix, args),
    field: advice.field === undefined ? null : fill(advice.field, args),
    retryable: advice.retryable ?? false,
  };
}

function decode(data: Hex): { errorName: string; args: Record<string, unknown> } | null {
  try {
    const { errorName, args, abiItem } = decodeErrorResult({ abi: marketErrorsAbi, data });
    const inputs = abiItem.type === 'error' ? abiItem.inputs : [];
    return {
      errorName,
      args: Object.fromEntries(inputs.map((input, index) => [input.name ?? String(index), args?.[index]])),
    };
  } catch {
    return null;
  }
}

/** Names of enum members that errors carry as numbers. */
const PROVIDER_STATUSES = ['Unregistered', 'Registered', 'Active', 'Maintenance', 'Suspended', 'Deactivated'];
const PROPOSAL_STATES = ['unknown', 'pending', 'approved', 'rejected', 'withdrawn', 'registered'];
const SKIP_REASONS = [
  'none',
  'the machine is unknown',
  'the machine is inactive',
  'it is of another provider',
  'the devices do not fit the milli-GPU',
  'not enough capacity is free',
  'the offer is missing',
  'the price is not the offer',
];
const TIMES = new Set(['until', 'deadline', 'releaseAt', 'expiresAt', 'earliest']);

function fill(template: string, args: Readonly<Record<string, unknown>>): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => readable(name, args));
}

function readable(name: string, args: Readonly<Record<string, unknown>>): string {
  const value = args[name];
  // `earliest` is a round in one error of the schedule, which has a round beside it.
  if (TIMES.has(name) && args['fromRound'] === undefined) {
    const seconds = Number(value);
    return seconds < 2 ** 40 ? new Date(seconds * 1000).toISOString() : 'the end of time';
  }
  const number = Number(value);
  if (name === 'status') return PROVIDER_STATUSES[number] ?? String(value);
  if (name === 'state') return PROPOSAL_STATES[number] ?? String(value);
  if (name === 'reason') {
    // The matching rules' reasons are a uint256, settlement's an enum.
    if (typeof value !== 'bigint') return SKIP_REASONS[number] ?? String(value);
    return number >= 1 && number <= 19 ? rejectionName(number) : String(value);
  }
  return String(value);
}

/** Metadata is printed as JSON, which has no bigint. */
function printable(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(args).map(([name, value]) => [name, typeof value === 'bigint' ? value.toString() : value]),
  );
}
