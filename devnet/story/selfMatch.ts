import { snapshotBlockOf } from '../../protocol/rounds.js';
import { OrderState } from '../../protocol/words/orderWord.js';
import { selfMatch } from '../../sdk/orders/selfMatch.js';
import { getOpenPolicy } from '../../sdk/rounds/getOpenPolicy.js';
import { requireEqual, type SceneReport, type StoryContext, type StoryProviders } from './storyContext.js';
import { leaseOf, postOrder, serveLease } from './storyOrders.js';
import { STORY_PRICE_MICRO } from './storyPlan.js';

const SCENE = 'self-match';

/**
 * Operators stop until no quorum is left; an order waits its rounds, then its tenant matches it alone at the machine's offer; operators
 * start again and the next order is theirs. No other order may be open. Throws SceneFailedError and the errors of the actions.
 */
export async function selfMatchScene(context: StoryContext, providers: StoryProviders): Promise<SceneReport> {
  const { chain, schedule, operatorSwitch } = context;
  const provider = providers.named('steady');
  const [tenant, next] = [context.newActor(), context.newActor()];
  const stopped = await operatorSwitch.stop();
  const { orderId, eligibleFromBlock } = await postOrder(context, {
    tenant,
    providers: [provider],
    durationMinutes: 60,
  });
  const { policy } = await getOpenPolicy(tenant.client);
  let round = 1;
  while (snapshotBlockOf(schedule, round) < eligibleFromBlock) round++;
  await chain.blocks.reached(snapshotBlockOf(schedule, round + policy.selfMatchRounds));
  requireEqual(SCENE, 'the state of the order without a quorum', await context.orderState(orderId), OrderState.OPEN);
  const matched = await tenant.act((client) => selfMatch(client, { orderId, machineId: provider.machineId }));
  requireEqual(SCENE, 'the price', matched.priceMicroPerHour, STORY_PRICE_MICRO);
  await serveLease(tenant, provider.owner, orderId);

  await operatorSwitch.start();
  const after = await leaseOf(context, SCENE, { tenant: next, providers: [provider], durationMinutes: 60 });
  await serveLease(next, provider.owner, after.orderId);
  return {
    scene: SCENE,
    line: `with ${stopped} operators stopped no batch settled; after ${policy.selfMatchRounds} rounds the tenant matched order ${orderId} itself at the offer; with the operators back, order ${after.orderId} was theirs`,
    proofs: [
      {
        orderId,
        shownBy: (rounds) =>
          rounds.length > policy.selfMatchRounds ? `open in ${rounds.length} rounds without a batch` : null,
      },
    ],
  };
}
