import { revokeReport } from '../../sdk/compliance/revokeReport.js';
import { listReports } from '../../sdk/compliance/listReports.js';
import { inParallel } from '../inParallel.js';
import { requireEqual, requireThat, type SceneReport, type StoryContext, type StoryProviders } from './storyContext.js';
import { leaseOf, serveLease } from './storyOrders.js';

const SCENE = 'compliance';
const NO_BONUS_BPS = 10_000;
const BOTH_REPORTS_BPS = 12_000;

/**
 * Two providers alike but for the reports of two auditors: the audited one wins. After the auditors took the reports back it has no more
 * bonus than the other. Throws SceneFailedError and the errors of the actions.
 */
export async function complianceScene(context: StoryContext, providers: StoryProviders): Promise<SceneReport> {
  const [plain, audited] = [providers.named('plain'), providers.named('audited')];
  const both = [plain, audited];
  const tenant = context.newActor();
  const bonusOf = async (providerId: number): Promise<number> =>
    (await listReports(tenant.client, { providerId })).complianceBps;
  requireEqual(SCENE, "the audited provider's factor", await bonusOf(audited.providerId), BOTH_REPORTS_BPS);
  requireEqual(SCENE, "the other provider's factor", await bonusOf(plain.providerId), NO_BONUS_BPS);
  const first = await leaseOf(context, SCENE, { tenant, providers: both, durationMinutes: 60 });
  requireEqual(SCENE, 'the winner', first.providerId, audited.providerId);

  await inParallel(context.auditors, context.auditors.length, (auditor) =>
    auditor.act((client) => revokeReport(client, { providerId: audited.providerId })),
  );
  requireEqual(SCENE, 'the factor after the revocation', await bonusOf(audited.providerId), NO_BONUS_BPS);
  const second = await leaseOf(context, SCENE, { tenant, providers: both, durationMinutes: 60 });
  requireThat(
    SCENE,
    'one of the two won again',
    both.some(({ providerId }) => providerId === second.providerId),
  );
  await serveLease(tenant, audited.owner, first.orderId);
  await serveLease(tenant, second.providerId === plain.providerId ? plain.owner : audited.owner, second.orderId);
  return {
    scene: SCENE,
    line: `two auditors' reports made order ${first.orderId} go to the audited one of two providers that are alike (factor ${BOTH_REPORTS_BPS} over ${NO_BONUS_BPS}); revoked, its factor is ${NO_BONUS_BPS}`,
    proofs: [
      {
        orderId: first.orderId,
        shownBy: (rounds) => {
          const [best, other] = rounds.at(-1)?.explanation.scores ?? [];
          const isSo =
            best?.providerId === audited.providerId &&
            best.complianceBps === BOTH_REPORTS_BPS &&
            other?.providerId === plain.providerId &&
            other.complianceBps === NO_BONUS_BPS &&
            best.base * NO_BONUS_BPS === other.base * BOTH_REPORTS_BPS;
          return isSo ? `scores ${best.base.toExponential(3)} over ${other.base.toExponential(3)}` : null;
        },
      },
      {
        orderId: second.orderId,
        shownBy: (rounds) => {
          const factors = rounds.at(-1)?.explanation.scores.map(({ complianceBps }) => complianceBps) ?? [];
          return factors.length === both.length && factors.every((bps) => bps === NO_BONUS_BPS) ? 'then alike' : null;
        },
      },
    ],
  };
}
