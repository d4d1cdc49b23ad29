import { RejectionReason, rejectionName } from '../../engine/rejectionReason.js';
import { OrderState } from '../../protocol/words/orderWord.js';
import { snapshotBlockOf } from '../../protocol/rounds.js';
import { claimLease } from '../../sdk/leases/claimLease.js';
import { setMaintenance } from '../../sdk/provider/setMaintenance.js';
import { getProvider } from '../../sdk/provider/getProvider.js';
import { requireEqual, requireThat, type SceneReport, type StoryContext, type StoryProviders } from './storyContext.js';
import { leaseOf, postOrder, serveLease } from './storyOrders.js';

const SCENE = 'maintenance';
/** Closed rounds that pass the waiting order over. */
const ROUNDS = 2;

/**
 * A provider in Maintenance gets no new order while its lease goes on earning; afterwards the same order is matched with it.
 * Throws SceneFailedError and the errors of the actions.
 */
export async function maintenanceScene(context: StoryContext, providers: StoryProviders): Promise<SceneReport> {
  const { chain, schedule } = context;
  const provider = providers.named('caretaker');
  const { owner, providerId } = provider;
  const tenant = context.newActor();
  const running = await leaseOf(context, SCENE, { tenant, providers: [provider], durationMinutes: 60 });
  await serveLease(tenant, owner, running.orderId);

  await owner.act((client) => setMaintenance(client, { providerId, maintenance: true }));
  requireEqual(SCENE, 'the status', (await getProvider(tenant.client, { providerId })).status, 'Maintenance');
  const { orderId, eligibleFromBlock } = await postOrder(context, {
    tenant,
    providers: [provider],
    durationMinutes: 60,
  });
  let round = context.openRound();
  while (snapshotBlockOf(schedule, round) < eligibleFromBlock) round++;
  await chain.blocks.reached(snapshotBlockOf(schedule, round + ROUNDS));
  requireEqual(SCENE, 'the state of the order in the window', await context.orderState(orderId), OrderState.OPEN);
  const { amount } = await owner.act((client) => claimLease(client, { orderId: running.orderId }));
  requireThat(SCENE, 'the running lease went on earning', amount > 0n);

  await owner.act((client) => setMaintenance(client, { providerId, maintenance: false }));
  await context.untilLeased(SCENE, orderId);
  await serveLease(tenant, owner, orderId);
  return {
    scene: SCENE,
    line: `in Maintenance provider ${providerId} got no order for ${ROUNDS} rounds (${rejectionName(RejectionReason.PROVIDER_NOT_ACTIVE)}) while order ${running.orderId} went on earning; afterwards order ${orderId} was matched with it`,
    proofs: [
      {
        orderId,
        shownBy: (rounds) => {
          const passedOver = rounds.filter(({ explanation }) =>
            explanation.rejections.some(
              ({ machineId, reason }) =>
                machineId === provider.machineId && reason === RejectionReason.PROVIDER_NOT_ACTIVE,
            ),
          );
          const isSo = passedOver.length >= ROUNDS && rounds.at(-1)?.explanation.record?.providerId === providerId;
          return isSo ? `passed over in ${passedOver.length} rounds` : null;
        },
      },
    ],
  };
}
