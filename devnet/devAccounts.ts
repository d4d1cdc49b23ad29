import { toHex, type Hex } from 'viem';
import { mnemonicToAccount, privateKeyToAccount, type PrivateKeyAccount } from 'viem/accounts';

/** The mnemonic that every development chain knows. Its keys are public: use them only on chains without value. */
export const DEV_MNEMONIC = 'test test test test test test test test test test test junk';

/** The mnemonic of a devnet's own stake chain: other accounts than the market chain's, so that nobody is two people. As public as the other. */
export const STAKE_CHAIN_MNEMONIC =
  'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about';

export interface DevAccount {
  readonly account: PrivateKeyAccount;
  readonly privateKey: Hex;
}

/**
 * Accounts of a mnemonic by index, at the path that anvil funds: m/44'/60'/0'/0/index.
 * The slow stretching of the mnemonic into a seed happens once, in this call.
 */
export function devAccounts(mnemonic: string = DEV_MNEMONIC): (index: number) => DevAccount {
  const branch = mnemonicToAccount(mnemonic, { path: "m/44'/60'/0'/0" }).getHdKey();
  const derived = new Map<number, DevAccount>();
  return (index) => {
    let found = derived.get(index);
    if (found === undefined) {
      const privateKey = toHex(branch.deriveChild(index).privateKey as Uint8Array);
      found = { account: privateKeyToAccount(privateKey), privateKey };
      derived.set(index, found);
    }
    return found;
  };
}
