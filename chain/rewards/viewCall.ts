import { decodeFunctionResult, encodeFunctionData } from 'viem';
import type { Abi, Address, ContractFunctionArgs, ContractFunctionName, ContractFunctionReturnType, Hex } from 'viem';
import { callAt } from '../rpc/rpcCall.js';
import type { RpcCall } from '../rpc/rpcCall.js';

/** A view function of a contract in the state after the block with the hash `at`; an answer that its ABI does not give is refused. */
export function viewCall<
  const abi extends Abi,
  name extends ContractFunctionName<abi, 'pure' | 'view'>,
  const args extends ContractFunctionArgs<abi, 'pure' | 'view', name> & readonly unknown[],
>(
  call: { readonly address: Address; readonly abi: abi; readonly functionName: name; readonly args: args },
  at: Hex,
): RpcCall<ContractFunctionReturnType<abi, 'pure' | 'view', name, args>> {
  const untyped: { abi: Abi; functionName: string; args: readonly unknown[] } = call;
  const wire = callAt({ to: call.address, data: encodeFunctionData(untyped) }, at);
  return {
    ...wire,
    decode: (raw) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- decoded with the very ABI that the type is made from
      decodeFunctionResult({ ...untyped, data: wire.decode(raw) }) as ContractFunctionReturnType<
        abi,
        'pure' | 'view',
        name,
        args
      >,
  };
}
