import { expect, test } from '@jest/globals';
import { decodeDeployData, type Abi, type Hex } from 'viem';
import { testDeployment } from '../../test/support/testDeployment.js';
import { eigenBn254QuorumAbi, eigenBn254QuorumBytecode } from '../contracts/generated/EigenBn254Quorum.js';
import { eigenEcdsaQuorumAbi, eigenEcdsaQuorumBytecode } from '../contracts/generated/EigenEcdsaQuorum.js';
import { tableBn254QuorumAbi, tableBn254QuorumBytecode } from '../contracts/generated/TableBn254Quorum.js';
import { tableEcdsaQuorumAbi, tableEcdsaQuorumBytecode } from '../contracts/generated/TableEcdsaQuorum.js';
import type { QuorumParameters } from './marketParameters.js';
import { quorumVerifierData, ReceiverNotCheckedError, tableSourceOf } from './quorumVerifier.js';

const { operatorSet, eigenlayer, stakeToken, strategy } = testDeployment();
const stakeSide = { operatorSet, eigenlayer, stakeToken, strategy };
const { ecdsaCertificateVerifier, bn254CertificateVerifier, operatorTableUpdater } = eigenlayer;
const receiver = '0x00000000000000000000000000000000000000ee';

/** Arguments of the contract that is created, addresses in lower case. */
function created(quorum: QuorumParameters, abi: Abi, bytecode: Hex): unknown {
  const { args } = decodeDeployData({ abi, bytecode, data: quorumVerifierData({ quorum, stakeSide }) });
  return JSON.parse(JSON.stringify(args).toLowerCase());
}

test('each curve and checker has a contract of its own', () => {
  const table = { checkedBy: 'table' } as const;
  const eigen = { checkedBy: 'eigenlayer' } as const;
  expect(created({ ...table, curve: 'ecdsa' }, tableEcdsaQuorumAbi, tableEcdsaQuorumBytecode)).toEqual([
    ecdsaCertificateVerifier,
    operatorTableUpdater,
    operatorSet,
  ]);
  expect(created({ ...table, curve: 'bn254' }, tableBn254QuorumAbi, tableBn254QuorumBytecode)).toEqual([
    bn254CertificateVerifier,
    operatorTableUpdater,
    operatorSet,
  ]);
  expect(created({ ...eigen, curve: 'ecdsa' }, eigenEcdsaQuorumAbi, eigenEcdsaQuorumBytecode)).toEqual([
    ecdsaCertificateVerifier,
    operatorSet,
  ]);
  expect(created({ ...eigen, curve: 'bn254' }, eigenBn254QuorumAbi, eigenBn254QuorumBytecode)).toEqual([
    bn254CertificateVerifier,
    operatorTableUpdater,
    operatorSet,
  ]);
});

test('a receiver stands for the source and its roots, and verifies nothing', () => {
  const parameters = { curve: 'ecdsa', checkedBy: 'table', receiver } as const;
  expect(tableSourceOf(parameters, stakeSide)).toBe(receiver);
  expect(created(parameters, tableEcdsaQuorumAbi, tableEcdsaQuorumBytecode)).toEqual([receiver, receiver, operatorSet]);
  expect(() => quorumVerifierData({ quorum: { ...parameters, checkedBy: 'eigenlayer' }, stakeSide })).toThrow(
    ReceiverNotCheckedError,
  );
});
