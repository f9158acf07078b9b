// Leases the addresses of an attachment, all or none.

import type { Attachment } from '../cni/request.ts';
import type { Address } from './address.ts';
import type { Range } from './agent-subnet.ts';
import { takeNext, takeRequested, type Terms } from './allocation.ts';
import { claimAttachment } from './claim.ts';
import { messageOf } from './lease-error.ts';
import type { Lease } from './lease.ts';
import { releaseAttachment } from './release.ts';
import { createStore, type Store } from './store.ts';

/** An address that an attachment needs: any of a range, or the one that was asked for. */
export interface Demand {
	readonly range: Range;
	readonly requested: Address | undefined;
}

/** What a lease says of its holder. */
export type Holder = Attachment & Pick<Lease, 'netns' | 'namespace' | 'time'>;

/**
 * Leases an address for each demand, and keeps the leases locked until this process ends. When one cannot be had, those
 * before it are released again. Throws LeaseError.
 */
export function leaseAddresses(store: Store, holder: Holder, demands: readonly Demand[], terms: Terms): Address[] {
	createStore(store);
	const { bootId, deadline } = terms;
	let index = 0;
	let claimed = false;
	try {
		return demands.map(({ range, requested }) => {
			const lease = { ...holder, address: '', index, network: store.network, bootId };
			const file = claimAttachment(store, lease, deadline);
			claimed = true;
			const at = index++;
			if (requested !== undefined) return takeRequested(store, file, requested, terms);
			return takeNext(store, file, at, range, terms);
		});
	} catch (error) {
		if (claimed) releaseAfter(error);
		throw error;
	}

	function releaseAfter(error: unknown): void {
		try {
			releaseAttachment(store, holder, deadline);
		} catch (another) {
			// The first error is the one to report; the DEL that follows a failed ADD tries again.
			if (another !== error) store.note(messageOf(another));
		}
	}
}
