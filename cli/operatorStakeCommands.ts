import { Option, type Command } from 'commander';
import { erc20Abi, isAddressEqual, type Address, type Hex } from 'viem';

import { allocateStake, percentOf } from '../chain/eigenlayer/allocateStake.js';
import { appoint, DUTIES, type Duty } from '../chain/eigenlayer/appointees.js';
import { readEigen } from '../chain/eigenlayer/eigenCall.js';
import { leaveOperatorSet } from '../chain/eigenlayer/leaveOperatorSet.js';
import { readOperatorStatus } from '../chain/eigenlayer/operatorStatus.js';
import { registerOperator } from '../chain/eigenlayer/registerOperator.js';
import { removeKey } from '../chain/eigenlayer/removeKey.js';
import { setAllocationDelay } from '../chain/eigenlayer/setAllocationDelay.js';
import { updateSocket } from '../chain/eigenlayer/updateSocket.js';
import { latestBlock } from '../chain/rpc/rpcCall.js';
import { signerId } from '../protocol/signerId.js';
import { unlockBn254Key } from '../service/bn254Keystore.js';
import { unlockKey } from '../service/keystore.js';
import { loadCurves } from '../service/signing/curves.js';
import { printResult } from './marketOutput.js';
import { amountOf } from './marketValues.js';
import {
  addStakeWriteFlags,
  openStakeWriter,
  type StakeReader,
  type StakeWriteFlags,
  type StakeWriter,
} from './stakeChainFlags.js';
import { addressFlag, blockText, magnitudeFlag } from './stakeChainValues.js';
import { integer, InvalidFlagError, MissingFlagError } from './usage.js';

type Print = (line: string) => void;

interface OperatorFlag {
  readonly operator?: string;
}

interface RegisterFlags extends StakeWriteFlags, OperatorFlag {
  readonly signingKeystore: string;
  readonly signingPasswordFile?: string;
  readonly signingPasswordEnv?: string;
  readonly socket: string;
  readonly metadataUri: string;
  readonly allocationDelay: number;
  readonly stake?: string;
}

interface AllocateFlags extends StakeWriteFlags, OperatorFlag {
  readonly magnitude?: string;
  readonly setDelay?: number;
}

interface DeregisterFlags extends StakeWriteFlags, OperatorFlag {
  readonly removeKey: boolean;
}

interface AppointFlags extends StakeWriteFlags, OperatorFlag {
  readonly for: string;
  readonly remove: boolean;
}

/** Registers what an operator does on the stake chain: `operator register|allocate|deregister|socket|appoint`. */
export function registerOperatorStakeCommands(operator: Command, print: Print): void {
  const writing = (name: string, description: string): Command =>
    addOperatorFlag(addStakeWriteFlags(operator.command(name).description(description)));

  writing('register', 'become an operator of EigenLayer, register the signing key, and join the operator set')
    .requiredOption('--signing-keystore <file>', 'keystore of the key that signs matches; never used before')
    .option('--signing-password-file <file>', "file with the signing keystore's password")
    .option('--signing-password-env <name>', "environment variable with the signing keystore's password")
    .requiredOption('--socket <url>', 'where the operator can be reached, published on the chain')
    .option('--metadata-uri <url>', 'what a new operator tells EigenLayer of itself: the URL of a JSON file', '')
    .option('--allocation-delay <blocks>', "a new operator's blocks until an allocation counts", integer, 0)
    .option('--stake <amount>', 'deposit so many whole stake tokens of your own, unless there is a deposit already')
    .action((flags: RegisterFlags) => register(flags, print));

  writing('allocate', "set how much of the operator's stake the operator set can slash; a target, not a change")
    .option('--magnitude <percent>', 'percent of all its stake, or `free` for what no other set holds')
    .option('--set-delay <blocks>', 'instead: set how long a new allocation takes to count', integer)
    .action((flags: AllocateFlags) => allocate(flags, print));

  writing('deregister', 'leave the operator set, and say until when stake stays slashable')
    .option('--remove-key', 'when nothing is slashable any more: remove the signing key, to register another', false)
    .action((flags: DeregisterFlags) => deregister(flags, print));

  writing('appoint', "let another account act for the operator, so that the operator's own key can stay offline")
    .argument('<account>', 'who may act')
    .option('--for <duties>', `what for, separated by commas: ${DUTIES.join(', ')}`, DUTIES.join(','))
    .option('--remove', 'take the rights away instead', false)
    .action((account: string, flags: AppointFlags) => appointAccount(account, flags, print));

  writing('socket', 'publish where the operator can be reached')
    .argument('<url>', 'at most 256 bytes')
    .action((socket: string, flags: StakeWriteFlags & OperatorFlag) => publishSocket(socket, flags, print));
}

/** Adds `--operator`, for commands that an appointee may send. */
function addOperatorFlag(command: Command): Command {
  return command.addOption(
    new Option('--operator <address>', 'operator to act for; default: the account of the key').env(
      'MATCHMAKER_OPERATOR',
    ),
  );
}

function operatorOf(flags: OperatorFlag, { lane }: StakeWriter): Address {
  return flags.operator === undefined || flags.operator === ''
    ? lane.address
    : addressFlag('--operator', flags.operator);
}

async function register(flags: RegisterFlags, print: Print): Promise<void> {
  const writer = openStakeWriter(flags);
  const { deployment, lane, rpc } = writer;
  const { eigenlayer, operatorSet, strategy, stakeToken } = deployment;
  const operator = operatorOf(flags, writer);
  const signingKey = await signingKeyOf(flags, deployment.quorum.curve);
  if (isAddressEqual(signingKey.id, operator) || isAddressEqual(signingKey.id, lane.address)) {
    throw new InvalidFlagError(
      '--signing-keystore',
      'it is the very key that owns the stake or sends this',
      'make a key for signing alone: matchmaker operator keys create',
    );
  }
  const done = await registerOperator(
    {
      eigenlayer,
      operatorSet,
      strategy,
      stakeToken,
      operator,
      stake: flags.stake === undefined ? 0n : amountOf(flags.stake, await stakeTokenOf(writer)),
      signingKey: signingKey.secret,
      socket: flags.socket,
      metadataUri: flags.metadataUri,
      allocationDelayBlocks: flags.allocationDelay,
    },
    { lane, rpc },
  );
  const step = (isNew: boolean, now: string, before: string): string => (isNew ? now : before);
  printResult(print, flags.json, {
    json: { ...done, operatorSet },
    lines: [
      step(done.isNewOperator, `${operator} became an operator of EigenLayer`, `${operator} is an operator already`),
      step(done.isNewKey, `registered the signing key ${done.signer}`, `${done.signer} is its signing key already`),
      step(
        done.isNewMember,
        `joined operator set ${operatorSet.id} of ${operatorSet.avs}`,
        `it is in operator set ${operatorSet.id} of ${operatorSet.avs} already`,
      ),
      'next: matchmaker operator allocate --magnitude 100, then matchmaker operator status',
    ],
  });
}

/** The key that will sign, of the operator set's curve. Throws KeystoreError. */
async function signingKeyOf(
  flags: RegisterFlags,
  curve: StakeReader['deployment']['quorum']['curve'],
): Promise<{ readonly id: Address; readonly secret: Hex }> {
  const source = {
    path: flags.signingKeystore,
    ...(flags.signingPasswordEnv === undefined
      ? { passwordFile: flags.signingPasswordFile }
      : { passwordEnv: flags.signingPasswordEnv }),
  };
  if (curve === 'ecdsa') {
    const { address, privateKey } = unlockKey(source, process.env);
    return { id: address, secret: privateKey };
  }
  const { key, secret } = unlockBn254Key(source, process.env, await loadCurves());
  return { id: signerId(key.g1), secret };
}

async function allocate(flags: AllocateFlags, print: Print): Promise<void> {
  const writer = openStakeWriter(flags);
  const { deployment, lane, rpc } = writer;
  const { eigenlayer, operatorSet, strategy } = deployment;
  const operator = operatorOf(flags, writer);
  const { blockTimeMs } = deployment.stake;
  if (flags.setDelay !== undefined) {
    if (flags.magnitude !== undefined) {
      throw new InvalidFlagError('--set-delay', 'it goes without --magnitude', 'set the delay first, allocate later');
    }
    const { effectBlock } = await setAllocationDelay(
      { eigenlayer, operator, delayBlocks: flags.setDelay },
      { lane, rpc },
    );
    const { number } = await rpc.request(latestBlock());
    printResult(print, flags.json, {
      json: { operator, allocationDelayBlocks: flags.setDelay, effectBlock },
      lines: [
        `new allocations take ${flags.setDelay} blocks from ${blockText(effectBlock, number, blockTimeMs)} on; until then the old delay holds`,
      ],
    });
    return;
  }
  if (flags.magnitude === undefined) {
    throw new MissingFlagError('--magnitude', null, "the percentage of the operator's stake that the set may slash");
  }
  const change = await allocateStake(
    { eigenlayer, operatorSet, strategy, operator, magnitude: magnitudeFlag('--magnitude', flags.magnitude) },
    { lane, rpc },
  );
  const { number } = await rpc.request(latestBlock());
  const [from, to] = [percentOf(change.current), percentOf(change.target)];
  const when = blockText(change.effectBlock, number, blockTimeMs);
  printResult(print, flags.json, {
    json: { operator, operatorSet, ...change },
    lines: [
      change.effectBlock <= number
        ? `${to} % of the stake of ${operator} can be slashed by operator set ${operatorSet.id}`
        : `from ${from} % to ${to} % of the stake of ${operator}, slashable by operator set ${operatorSet.id} from ${when} on`,
      ...(change.isNew ? [] : ['nothing was sent: that is how it was']),
      'it weighs in settlements from the first operator table computed after that',
    ],
  });
}

async function deregister(flags: DeregisterFlags, print: Print): Promise<void> {
  const writer = openStakeWriter(flags);
  const { deployment, lane, rpc } = writer;
  const { eigenlayer, operatorSet } = deployment;
  const operator = operatorOf(flags, writer);
  const who = { eigenlayer, operatorSet, operator };
  const before = await readOperatorStatus(deployment, operator, { rpc });
  const departure = before.isMember ? await leaveOperatorSet(who, { lane, rpc }) : before.departure;
  const { number } = await rpc.request(latestBlock());
  const isSlashable = departure !== null && departure.slashableUntilBlock >= number;
  if (flags.removeKey && isSlashable) {
    throw new InvalidFlagError(
      '--remove-key',
      `${operator} has left, but can be slashed until ${blockText(departure.slashableUntilBlock, number, deployment.stake.blockTimeMs)}`,
      'remove the key after it',
    );
  }
  const removesKey = flags.removeKey && before.signingKey !== null;
  if (removesKey) await removeKey(who, { lane });
  const { current, pending } = before.allocation;
  printResult(print, flags.json, {
    json: {
      operator,
      operatorSet,
      leftNow: before.isMember,
      leftInBlock: departure?.leftInBlock ?? null,
      slashableUntilBlock: isSlashable ? departure.slashableUntilBlock : null,
      magnitude: current,
      keyRemoved: removesKey,
    },
    lines: [
      before.isMember
        ? `${operator} left operator set ${operatorSet.id} in block ${departure?.leftInBlock ?? number}`
        : `${operator} is not in operator set ${operatorSet.id}`,
      ...(isSlashable
        ? [
            `${percentOf(current)} % of its stake stays slashable until ${blockText(departure.slashableUntilBlock, number, deployment.stake.blockTimeMs)}; keep the node's data until then`,
          ]
        : ['nothing of it can be slashed by the set any more']),
      ...(current === 0n || pending?.target === 0n
        ? []
        : ['the allocation stays: free it with matchmaker operator allocate --magnitude 0']),
      ...(removesKey ? ['the signing key is removed; it can never be registered again, by nobody'] : []),
    ],
  });
}

async function appointAccount(account: string, flags: AppointFlags, print: Print): Promise<void> {
  const writer = openStakeWriter(flags);
  const operator = operatorOf(flags, writer);
  const appointee = addressFlag('account', account);
  const duties = flags.for.split(',').map((text) => dutyOf(text.trim()));
  const changed = await appoint(
    { deployment: writer.deployment, operator, appointee, duties },
    flags.remove ? 'take' : 'give',
    writer,
  );
  const verb = flags.remove ? 'may no longer call' : 'may now call';
  printResult(print, flags.json, {
    json: { operator, appointee, duties, removed: flags.remove, changed },
    lines:
      changed.length === 0
        ? [`nothing was sent: that is how it was for ${appointee}`]
        : changed.map(
            ({ functionName, target }) => `${appointee} ${verb} ${functionName} of ${target} for ${operator}`,
          ),
  });
}

async function publishSocket(socket: string, flags: StakeWriteFlags & OperatorFlag, print: Print): Promise<void> {
  const writer = openStakeWriter(flags);
  const { registrar } = writer.deployment.stake;
  const operator = operatorOf(flags, writer);
  const isNew = await updateSocket({ registrar, operator, socket }, writer);
  printResult(print, flags.json, {
    json: { operator, socket, isNew },
    lines: [isNew ? `${operator} is reached at ${socket}` : 'nothing was sent: that is how it was'],
  });
}

function dutyOf(text: string): Duty {
  const duty = DUTIES.find((name) => name === text);
  if (duty !== undefined) return duty;
  throw new InvalidFlagError('--for', `\`${text}\` is no duty`, `name some of ${DUTIES.join(', ')}`);
}

async function stakeTokenOf({ deployment, rpc }: StakeReader): Promise<{ decimals: number }> {
  const decimals = await readEigen(rpc, {
    address: deployment.stakeToken,
    abi: erc20Abi,
    functionName: 'decimals',
    args: [],
  });
  return { decimals };
}
