import { toFunctionSelector, type Abi, type Address, type Hex } from 'viem';
import { iAllocationManagerAbi } from '../contracts/generated/IAllocationManager.js';
import { iKeyRegistrarAbi } from '../contracts/generated/IKeyRegistrar.js';
import { iPermissionControllerAbi } from '../contracts/generated/IPermissionController.js';
import { matchmakerRegistrarAbi } from '../contracts/generated/MatchmakerRegistrar.js';
import type { Deployment } from '../deployment.js';
import type { Rpc } from '../rpc/rpc.js';
import { readEigen, writeEigen, type EigenDependencies } from './eigenCall.js';

/** What an operator may let another account do for it, by the name of our commands. */
export const DUTIES = ['register', 'allocate', 'deregister', 'socket'] as const;
export type Duty = (typeof DUTIES)[number];

/** One right in EigenLayer's permission controller: a function of a contract. */
export interface Right {
  readonly duty: Duty;
  readonly target: Address;
  readonly functionName: string;
  readonly selector: Hex;
}

/** The rights that a duty consists of. */
export function rightsOf(
  duty: Duty,
  { eigenlayer, stake }: Pick<Deployment, 'eigenlayer' | 'stake'>,
): readonly Right[] {
  const { allocationManager, keyRegistrar } = eigenlayer;
  const right = (target: Address, abi: Abi, functionName: string): Right => {
    const item = abi.find((entry) => entry.type === 'function' && entry.name === functionName);
    if (item?.type !== 'function') throw new RangeError(`no function ${functionName}`);
    return { duty, target, functionName, selector: toFunctionSelector(item) };
  };
  const rights: Readonly<Record<Duty, readonly Right[]>> = {
    register: [
      right(keyRegistrar, iKeyRegistrarAbi, 'registerKey'),
      right(allocationManager, iAllocationManagerAbi, 'registerForOperatorSets'),
    ],
    allocate: [right(allocationManager, iAllocationManagerAbi, 'modifyAllocations')],
    deregister: [
      right(allocationManager, iAllocationManagerAbi, 'deregisterFromOperatorSets'),
      right(keyRegistrar, iKeyRegistrarAbi, 'deregisterKey'),
    ],
    socket: [right(stake.registrar, matchmakerRegistrarAbi, 'updateSocket')],
  };
  return rights[duty];
}

/** Who may do what for whom. */
export interface Appointment {
  readonly deployment: Pick<Deployment, 'eigenlayer' | 'stake'>;
  readonly operator: Address;
  readonly appointee: Address;
  readonly duties: readonly Duty[];
}

/**
 * Gives an account the rights of the duties for an operator, or takes them; rights that are so already are left out.
 * Returns those that changed. Throws EigenCallRevertedError, TransactionRevertedError and the errors of the RPC.
 */
export async function appoint(
  { deployment, operator, appointee, duties }: Appointment,
  change: 'give' | 'take',
  { lane, rpc }: EigenDependencies,
): Promise<readonly Right[]> {
  const changed: Right[] = [];
  for (const right of duties.flatMap((duty) => rightsOf(duty, deployment))) {
    if ((await mayCall(deployment, operator, appointee, right, rpc)) === (change === 'give')) continue;
    await writeEigen(lane, {
      address: deployment.eigenlayer.permissionController,
      abi: iPermissionControllerAbi,
      functionName: change === 'give' ? 'setAppointee' : 'removeAppointee',
      args: [operator, appointee, right.target, right.selector],
    });
    changed.push(right);
  }
  return changed;
}

/** The duties whose rights an account has for an operator, all of them; an admin has every one. Throws the errors of the RPC. */
export async function dutiesOf(
  { deployment, operator, appointee }: Omit<Appointment, 'duties'>,
  { rpc }: { readonly rpc: Rpc },
): Promise<readonly Duty[]> {
  const may = await Promise.all(
    DUTIES.map(async (duty) => {
      const rights = rightsOf(duty, deployment);
      const each = await Promise.all(rights.map((right) => mayCall(deployment, operator, appointee, right, rpc)));
      return each.every(Boolean);
    }),
  );
  return DUTIES.filter((_, index) => may[index] === true);
}

function mayCall(
  { eigenlayer }: Pick<Deployment, 'eigenlayer'>,
  operator: Address,
  caller: Address,
  { target, selector }: Right,
  rpc: Rpc,
): Promise<boolean> {
  return readEigen(rpc, {
    address: eigenlayer.permissionController,
    abi: iPermissionControllerAbi,
    functionName: 'canCall',
    args: [operator, caller, target, selector],
  });
}
