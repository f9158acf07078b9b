// Ends the quarantine of an address before its time.

import { isDeepStrictEqual } from 'node:util';
import { parseAddress } from '../ipam/address.ts';
import type { Lease } from '../ipam/lease.ts';
import { reclaimAddress } from '../ipam/reclaim.ts';
import type { Store } from '../ipam/store.ts';

/**
 * Frees the address of a released lease, once that is locked and still says what it said when it was listed. Says
 * whether: its task may have it back by now, or another quarantine may have begun. Waits until `deadline` (ms of
 * performance.now()) for a call that works on it. Throws LeaseError.
 */
export function endQuarantine(store: Store, lease: Lease, deadline: number): boolean {
	const address = parseAddress(lease.address);
	const died = (now: Lease) => (isDeepStrictEqual(now, lease) ? 'has left it' : undefined);
	return address !== undefined && reclaimAddress(store, address, died, deadline);
}
