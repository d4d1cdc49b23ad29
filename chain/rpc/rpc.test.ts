import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRpc } from './rpc.js';
import type { Rpc, RpcOptions } from './rpc.js';
import { blockByNumber, callAt, chainId, latestBlock, logsInBlock, storageAt, transactionCount } from './rpcCall.js';

interface Asked {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

const HASH = `0x${'ab'.repeat(32)}` as const;
const OTHER = `0x${'cd'.repeat(32)}` as const;
const ADDRESS = `0x${'ee'.repeat(20)}` as const;
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A node that answers as `answer` says: a value is the result of each call, a function writes the response itself. */
async function node(
  answer: (asked: Asked[], response: ServerResponse) => unknown,
  options: Partial<RpcOptions> = {},
): Promise<Rpc> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(parts).toString()) as Asked | Asked[];
      const asked = Array.isArray(body) ? body : [body];
      const answers = answer(asked, response);
      if (answers !== undefined) response.end(JSON.stringify(answers));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return createRpc({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requestTimeoutMs: 300,
    ...options,
  });
}

function results(asked: readonly Asked[], result: unknown): unknown {
  return asked.map(({ id }) => ({ jsonrpc: '2.0', id, result }));
}

test('answers are matched to calls by id, in whatever order they come', async () => {
  const rpc = await node((asked) =>
    asked.map(({ id, method }) => ({ id, result: method === 'eth_chainId' ? '0x1' : '0x2' })).toReversed(),
  );
  expect(await rpc.batch([chainId(), transactionCount(ADDRESS), chainId()])).toEqual([1, 2, 1]);
});

test('more calls than one request holds are sent in several', async () => {
  let requests = 0;
  const rpc = await node((asked) => {
    requests += 1;
    return asked.map(({ id, params }) => ({ id, result: params[1] }));
  });
  const words = await rpc.batch(Array.from({ length: 250 }, (_, slot) => storageAt(ADDRESS, BigInt(slot), HASH)));
  expect(words).toEqual(Array.from({ length: 250 }, (_, slot) => BigInt(slot)));
  expect(requests).toBe(3);
});

test('reads at a block name it by hash, so that no other block can answer', async () => {
  const seen: unknown[] = [];
  const rpc = await node((asked) => {
    seen.push(...asked.map(({ params }) => params.at(-1)));
    return results(asked, '0x');
  });
  await rpc.batch([storageAt(ADDRESS, 1n, HASH), callAt({ to: ADDRESS, data: '0x' }, HASH)]);
  expect(seen).toEqual([{ blockHash: HASH }, { blockHash: HASH }]);
});

describe('what can not be reached is retryable', () => {
  test('no answer within the deadline', async () => {
    const rpc = await node(() => undefined);
    await expect(rpc.request(chainId())).rejects.toMatchObject({ code: 'RPC_UNAVAILABLE', retryable: true });
  });

  test('an HTTP error', async () => {
    const rpc = await node((_, response) => {
      response.statusCode = 429;
      return [];
    });
    await expect(rpc.request(chainId())).rejects.toMatchObject({ code: 'RPC_UNAVAILABLE', metadata: { status: 429 } });
  });

  test('a closed port', async () => {
    const rpc = createRpc({ url: 'http://127.0.0.1:1', requestTimeoutMs: 300 });
    await expect(rpc.request(chainId())).rejects.toMatchObject({ code: 'RPC_UNAVAILABLE' });
  });
});

describe('what is no answer is refused', () => {
  test.each([
    ['no JSON', '<html>'],
    ['null', 'null'],
    ['an empty list', '[]'],
    ['a list of null', '[null]'],
    ['another id', '{"id":99,"result":"0x1"}'],
    ['no result', '{"id":1}'],
    ['a number', '{"id":1,"result":1}'],
    ['no hex', '{"id":1,"result":"one"}'],
    ['a number over 2^53', '{"id":1,"result":"0xffffffffffffffff"}'],
  ])('%s', async (_, body) => {
    const rpc = await node((__, response) => {
      response.end(body);
    });
    await expect(rpc.request(chainId())).rejects.toMatchObject({ code: 'RPC_ANSWER' });
  });

  test('one longer than allowed', async () => {
    const rpc = await node((asked) => results(asked, `0x${'0'.repeat(5_000)}`), { maxResponseBytes: 1_000 });
    await expect(rpc.request(callAt({ to: ADDRESS, data: '0x' }, HASH))).rejects.toThrow('more than 1000 bytes');
  });

  test('an error object, with the revert data it carries', async () => {
    const rpc = await node((asked) =>
      asked.map(({ id }) => ({ id, error: { code: 3, message: 'execution reverted', data: '0x1234' } })),
    );
    await expect(rpc.request(callAt({ to: ADDRESS, data: '0x' }, HASH))).rejects.toMatchObject({
      code: 'RPC_ANSWER',
      rpcCode: 3,
      data: '0x1234',
    });
  });

  test('a block of another height, logs of another block or address', async () => {
    const block = {
      number: '0x5',
      hash: HASH,
      parentHash: OTHER,
      timestamp: '0x1',
      logsBloom: `0x${'00'.repeat(256)}`,
      gasLimit: '0x1',
    };
    const rpc = await node((asked) => asked.map(({ id }) => ({ id, result: block })));
    expect(await rpc.request(latestBlock())).toMatchObject({ number: 5, hash: HASH });
    await expect(rpc.request(blockByNumber(6))).rejects.toMatchObject({ code: 'RPC_ANSWER' });
    const log = {
      address: ADDRESS,
      topics: [HASH],
      data: '0x',
      blockNumber: '0x5',
      blockHash: HASH,
      transactionHash: OTHER,
      logIndex: '0x0',
    };
    const filter = { addresses: [ADDRESS], topics: [HASH] };
    const logs = (change: object) =>
      node((asked) => results(asked, [{ ...log, ...change }])).then((one) => one.request(logsInBlock(HASH, filter)));
    expect(await logs({})).toHaveLength(1);
    for (const change of [
      { blockHash: OTHER },
      { address: `0x${'11'.repeat(20)}` },
      { topics: [OTHER] },
      { removed: true },
      { data: '0x1' },
    ]) {
      await expect(logs(change)).rejects.toMatchObject({ code: 'RPC_ANSWER' });
    }
  });
});

test('the chain is checked with the first request and after every failure to reach the node', async () => {
  let served = '0x1';
  let down = false;
  const rpc = await node(
    (asked, response) => {
      if (down) response.destroy();
      return down
        ? undefined
        : asked.map(({ id, method }) => ({ id, result: method === 'eth_chainId' ? served : '0x7' }));
    },
    { chainId: 1 },
  );
  expect(await rpc.request(transactionCount(ADDRESS))).toBe(7);
  down = true;
  await expect(rpc.request(transactionCount(ADDRESS))).rejects.toMatchObject({ code: 'RPC_UNAVAILABLE' });
  down = false;
  served = '0x2';
  await expect(rpc.request(transactionCount(ADDRESS))).rejects.toMatchObject({
    code: 'RPC_WRONG_CHAIN',
    metadata: { expected: 1, actual: 2 },
  });
  served = '0x1';
  expect(await rpc.request(transactionCount(ADDRESS))).toBe(7);
});

test('credentials in the URL are sent as a header, and neither they nor the path are in any message', async () => {
  let authorization: string | null = null;
  const rpc = createRpc(
    { url: 'http://user:secret@127.0.0.1:1/key', requestTimeoutMs: 300 },
    {
      fetch: (_, init) => {
        authorization = new Headers(init?.headers).get('authorization');
        return Promise.reject(new Error('refused'));
      },
    },
  );
  const error: unknown = await rpc.request(chainId()).catch((cause: unknown) => cause);
  expect(authorization).toBe(`Basic ${Buffer.from('user:secret').toString('base64')}`);
  expect(String(error)).toMatch(/127\.0\.0\.1:1 cannot be reached/);
  expect(String(error)).not.toMatch(/secret|key/);
});
