// Leases the addresses of an attachment, all or none.

import type { Attachment } from '../cni/request.ts';
import type { Address } from './address.ts';
import { takeAgain, takeNext, takeRequested, type Terms } from './allocation.ts';
import { claimAttachment } from './claim.ts';
import { messageOf } from './lease-error.ts';
import type { LeaseFile } from './lease-file.ts';
import type { Lease } from './lease.ts';
import { inSet, type RangeSet } from './range-set.ts';
import { releaseAttachment } from './release.ts';
import { openMemory, taskKey } from './sticky.ts';
import { createStore, type Store } from './store.ts';

/** An address that an attachment needs: any of a range set, or the one that was asked for. */
export interface Demand {
	readonly set: RangeSet;
	readonly requested: Address | undefined;
}

/** What a lease says of its holder, and the task by which its addresses are remembered, if they are. */
export type Holder = Attachment & Pick<Lease, 'netns' | 'namespace' | 'time' | 'quarantine' | 'task'>;

/**
 * Leases an address for each demand, and keeps the leases locked until this process ends. When one cannot be had, those
 * before it are released again. Throws LeaseError.
 */
export function leaseAddresses(store: Store, holder: Holder, demands: readonly Demand[], terms: Terms): Address[] {
	createStore(store);
	const { bootId, deadline } = terms;
	const addresses: Address[] = [];
	let claimed = false;
	try {
		for (const demand of demands) {
			const index = addresses.length;
			const task = holder.task === undefined ? {} : { task: taskKey(holder.task, holder, index) };
			const lease = { ...holder, ...task, address: '', index, network: store.network, bootId };
			const file = claimAttachment(store, lease, deadline);
			claimed = true;
			addresses.push(takeRemembered(store, file, lease, demand, terms));
		}
		return addresses;
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

/** Takes the address that is asked for, or the one that the task had last, or any; and remembers it. */
function takeRemembered(store: Store, file: LeaseFile, lease: Lease, demand: Demand, terms: Terms): Address {
	if (lease.task === undefined) return takeDemanded(store, file, lease, demand, terms);
	const memory = openMemory(store, lease.task);
	try {
		const { address } = memory;
		const mayReturn = demand.requested === undefined && address !== undefined && inSet(demand.set, address);
		const isBack = mayReturn && takeAgain(store, file, lease, address);
		const taken = isBack ? address : takeDemanded(store, file, lease, demand, terms);
		memory.remember(taken);
		return taken;
	} finally {
		memory.close();
	}
}

function takeDemanded(store: Store, file: LeaseFile, lease: Lease, demand: Demand, terms: Terms): Address {
	const { set, requested } = demand;
	if (requested !== undefined) return takeRequested(store, file, requested, terms);
	return takeNext(store, file, lease, set, terms);
}
