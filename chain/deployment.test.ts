import { expect, test } from '@jest/globals';
import { testDeploymentJson } from '../test/support/testDeployment.js';
import { DeploymentInvalidError, parseDeployment } from './deployment.js';

test('a deployment is read with its addresses in lower case, as logs and reads give them', () => {
  const good = testDeploymentJson();
  const escrow = '0xABcdEFABcdEFabcdEfAbCdefabcdeFABcDEFabCD';
  const deployment = parseDeployment({ ...good, contracts: { ...good.contracts, escrow } });
  expect(deployment.contracts.escrow).toBe(escrow.toLowerCase());
  expect(parseDeployment(deployment)).toEqual(deployment);
});

test('all problems are told at once, each with its path', () => {
  const good = testDeploymentJson();
  const { escrow, ...contracts } = good.contracts;
  const bad = {
    ...good,
    chainId: 0,
    contracts: { ...contracts, orderRequest: `${escrow}00` },
    operatorSet: { avs: 'x', id: -1 },
    quorum: { ...good.quorum, curve: 'bls' },
    stake: { ...good.stake, chainId: undefined },
    extra: 1,
  };
  const told = (() => {
    try {
      return parseDeployment(bad);
    } catch (error) {
      return error;
    }
  })();
  if (!(told instanceof DeploymentInvalidError)) throw new Error('it was accepted');
  for (const part of [
    'chainId:',
    'contracts.escrow:',
    'contracts.orderRequest:',
    'operatorSet.avs:',
    'operatorSet.id:',
    'quorum.curve:',
    'stake.chainId: is missing',
    'extra',
  ]) {
    expect(told.message).toContain(part);
  }
});
