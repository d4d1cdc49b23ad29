import { expect, test } from '@jest/globals';
import { leaseStatus, openOrderStatus } from './orderStatus.js';

test.each([
  [{ closed: false, ending: false, expired: false, bidCount: 0 }, 'PROVIDER_LOOKUP'],
  [{ closed: false, ending: false, expired: false, bidCount: 2 }, 'CREATE_BID'],
  [{ closed: false, ending: true, expired: false, bidCount: 2 }, 'ORDER_ENDING'],
  [{ closed: false, ending: false, expired: true, bidCount: 0 }, 'ORDER_ENDING'],
  [{ closed: true, ending: true, expired: true, bidCount: 0 }, 'ORDER_CLOSED'],
])('%j is %s', (order, status) => expect(openOrderStatus(order)).toBe(status));

test.each([
  [{ end: 'None', readyAtSeconds: null, confirmedAtSeconds: null, update: null }, 'CREATE_LEASE'],
  [{ end: 'None', readyAtSeconds: 1, confirmedAtSeconds: null, update: null }, 'PROVIDER_READY'],
  [{ end: 'None', readyAtSeconds: 1, confirmedAtSeconds: 2, update: null }, 'DEPLOYMENT_CONFIRMED'],
  [{ end: 'None', readyAtSeconds: 1, confirmedAtSeconds: 2, update: {} }, 'UPDATE_LEASE'],
  [{ end: 'ByTenant', readyAtSeconds: 1, confirmedAtSeconds: 2, update: {} }, 'LEASE_CLOSED'],
] as const)('%j is %s', (lease, status) => expect(leaseStatus(lease)).toBe(status));
