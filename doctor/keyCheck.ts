import { readOperatorOfKey } from '../chain/eigenlayer/readSigningKey.js';
import { messageOf } from '../service/thrown.js';
import { failed, ok, skipped, type Finding } from './finding.js';
import type { Patient } from './patient.js';

/** The keystore opens with its password. */
export async function checkKeystore({ unlock }: Patient): Promise<Finding> {
  try {
    return ok(`opens, key ${(await unlock()).id}`);
  } catch (error) {
    return failed(messageOf(error), 'correct keystore.path and the password file or variable');
  }
}

/** The keystore's key is registered for the operator set. */
export async function checkRegisteredKey(patient: Patient): Promise<Finding> {
  const { role, deployment, stakeRpc } = patient;
  if (role === 'aggregator') return skipped('an aggregator signs no matches');
  if (stakeRpc === null) return skipped('the stake chain is out of sight');
  const { publicKey } = await patient.unlock();
  const operator = await readOperatorOfKey(deployment, publicKey, { rpc: stakeRpc });
  return operator === null
    ? failed(
        `${publicKey} is registered by no operator of set ${deployment.operatorSet.id}`,
        'run matchmaker operator register with this keystore as --signing-keystore, or name the keystore that is registered',
      )
    : ok(`registered by operator ${operator}`);
}
