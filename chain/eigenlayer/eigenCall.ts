import {
  decodeErrorResult,
  decodeFunctionResult,
  encodeFunctionData,
  type Abi,
  type Address,
  type ContractFunctionArgs,
  type ContractFunctionName,
  type ContractFunctionReturnType,
  type Hex,
} from 'viem';
import { MatchmakerError } from '../../engine/error.js';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iBN254CertificateVerifierAbi } from '../contracts/generated/IBN254CertificateVerifier.js';
import { iCrossChainRegistryAbi } from '../contracts/generated/ICrossChainRegistry.js';
import { iDelegationManagerAbi } from '../contracts/generated/IDelegationManager.js';
import { iecdsaCertificateVerifierAbi } from '../contracts/generated/IECDSACertificateVerifier.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import { iOperatorTableUpdaterAbi } from '../contracts/generated/IOperatorTableUpdater.js';
import { iPermissionControllerAbi } from '../contracts/generated/IPermissionController.js';
import { iStrategyFactoryAbi } from '../contracts/generated/IStrategyFactory.js';
import { iStrategyManagerAbi } from '../contracts/generated/IStrategyManager.js';
import { matchmakerRegistrarAbi } from '../contracts/generated/MatchmakerRegistrar.js';
import type { TransactionLane } from '../deploy/transactionLane.js';
import { RpcAnswerError, type Rpc } from '../rpc/rpc.js';
import { callAt, type BlockPoint, type Receipt } from '../rpc/rpcCall.js';
import { adviceErrorsAbi, adviceFor } from './eigenAdvice.js';

/** What the actions of this folder act through. */
export interface EigenDependencies {
  /** Sends with the acting account's key. */
  readonly lane: Pick<TransactionLane, 'address' | 'run'>;
  readonly rpc: Rpc;
}

/** A contract of EigenLayer refused a call; `errorName` is its custom error where it is a known one, `fix` what to do about it. */
export class EigenCallRevertedError extends MatchmakerError<'EIGEN_CALL_REVERTED'> {
  readonly errorName: string | null;
  readonly fix: string | null;

  constructor(label: string, data: Hex, cause: unknown) {
    const error = decodeEigenError(data);
    const advice = adviceFor(error?.name ?? null);
    const reason = error === null ? `data ${data}` : `${error.name}(${error.args.map(printed).join(', ')})`;
    const meaning = advice === null ? '' : `: ${advice.problem}; ${advice.fix}`;
    super('EIGEN_CALL_REVERTED', `${label}: reverted with ${reason}${meaning}`, {
      metadata: { label, errorName: error?.name ?? null, fix: advice?.fix ?? null, data },
      cause,
    });
    this.errorName = error?.name ?? null;
    this.fix = advice?.fix ?? null;
  }
}

/** Every custom error that a call into EigenLayer may end with, its own or one from a contract further down. */
const eigenErrorsAbi: Abi = [
  ...iAllocationManagerAbi,
  ...iBN254CertificateVerifierAbi,
  ...iCrossChainRegistryAbi,
  ...iDelegationManagerAbi,
  ...iecdsaCertificateVerifierAbi,
  ...iKeyRegistrarAbi,
  ...iOperatorTableUpdaterAbi,
  ...iPermissionControllerAbi,
  ...iStrategyFactoryAbi,
  ...iStrategyManagerAbi,
  ...matchmakerRegistrarAbi,
  ...adviceErrorsAbi,
].filter((item) => item.type === 'error');

/**
 * Reads a view function of a contract, by default on the newest block.
 * Throws EigenCallRevertedError, RpcUnavailableError and RpcAnswerError.
 */
export async function readEigen<
  const abi extends Abi,
  name extends ContractFunctionName<abi, 'pure' | 'view'>,
  const args extends ContractFunctionArgs<abi, 'pure' | 'view', name> & readonly unknown[],
>(
  rpc: Rpc,
  call: { readonly address: Address; readonly abi: abi; readonly functionName: name; readonly args: args },
  at: BlockPoint = 'latest',
): Promise<ContractFunctionReturnType<abi, 'pure' | 'view', name, args>> {
  const answer = await decodingReverts(call.functionName, () =>
    rpc.request(callAt({ to: call.address, data: encodeCall(call) }, at)),
  );
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- decoded with the very ABI that the type is made from
  return decodeAnswer(call, answer) as ContractFunctionReturnType<abi, 'pure' | 'view', name, args>;
}

/**
 * Calls a function of a contract in a transaction of the lane and waits until it is mined.
 * Throws EigenCallRevertedError when it would revert, TransactionRevertedError when it did, and the errors of the RPC.
 */
export async function writeEigen<
  const abi extends Abi,
  name extends ContractFunctionName<abi, 'nonpayable' | 'payable'>,
>(
  lane: Pick<TransactionLane, 'run'>,
  call: {
    readonly address: Address;
    readonly abi: abi;
    readonly functionName: name;
    readonly args: ContractFunctionArgs<abi, 'nonpayable' | 'payable', name> & readonly unknown[];
  },
): Promise<Receipt> {
  return decodingReverts(call.functionName, () =>
    lane.run({ to: call.address, data: encodeCall(call), label: call.functionName, errorsAbi: eigenErrorsAbi }),
  );
}

/** The custom error in revert data, null when it is none of EigenLayer's. */
export function decodeEigenError(data: Hex): { readonly name: string; readonly args: readonly unknown[] } | null {
  try {
    const { errorName, args } = decodeErrorResult({ abi: eigenErrorsAbi, data });
    return { name: errorName, args: args ?? [] };
  } catch {
    return null;
  }
}

/** An argument of an error; structs are objects with bigints in them. */
function printed(argument: unknown): string {
  return typeof argument === 'object' && argument !== null
    ? `{${Object.values(argument).map(printed).join(', ')}}`
    : String(argument);
}

/** A call whose arguments were checked against its ABI by whoever wrote it. */
interface UntypedCall {
  readonly abi: Abi;
  readonly functionName: string;
  readonly args: readonly unknown[];
}

function encodeCall({ abi, functionName, args }: UntypedCall): Hex {
  return encodeFunctionData({ abi, functionName, args });
}

function decodeAnswer({ abi, functionName, args }: UntypedCall, data: Hex): unknown {
  return decodeFunctionResult({ abi, functionName, args, data });
}

async function decodingReverts<Answer>(label: string, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof RpcAnswerError && error.data !== null)
      throw new EigenCallRevertedError(label, error.data, error);
    throw error;
  }
}
