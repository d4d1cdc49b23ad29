import { describe, expect, test } from '@jest/globals';
import { startAnvil } from '../../devnet/startAnvil.js';
import { BlockHeaderError, verifyBlockHeader } from './blockHeader.js';
import { createRpc } from './rpc.js';
import { latestBlock } from './rpcCall.js';
import type { Block } from './rpcCall.js';

async function minedUnder(...extraArgs: string[]): Promise<Block> {
  const anvil = await startAnvil({ mining: 'on-demand', extraArgs });
  try {
    const rpc = createRpc({ url: anvil.url, requestTimeoutMs: 10_000 });
    await rpc.request({ method: 'evm_mine', params: [], decode: (raw) => raw });
    return await rpc.request(latestBlock());
  } finally {
    await anvil.stop();
  }
}

describe('a block header', () => {
  test.each(['berlin', 'london', 'paris', 'shanghai', 'cancun', 'prague'])(
    'of %s hashes to the hash',
    async (hardfork) => {
      const block = await minedUnder('--hardfork', hardfork);
      expect(verifyBlockHeader(block).stateRoot).toBe(block.raw['stateRoot']);
    },
  );

  test('with any field changed, missing or no hex is refused', async () => {
    const block = await minedUnder();
    const outside = new Set(['hash', 'uncles', 'transactions', 'withdrawals', 'size', 'totalDifficulty']);
    const fields = Object.entries(block.raw).filter(([name]) => !outside.has(name));
    expect(fields.length).toBeGreaterThanOrEqual(21);
    for (const [name, value] of fields) {
      const text = String(value);
      const changed = text === '0x' ? '0x01' : `${text.slice(0, -1)}${text.endsWith('1') ? '2' : '1'}`;
      for (const mutated of [changed, null, 'zz']) {
        expect(() => verifyBlockHeader({ hash: block.hash, raw: { ...block.raw, [name]: mutated } })).toThrow(
          BlockHeaderError,
        );
      }
    }
  });
});
