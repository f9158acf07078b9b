// Makes leases of the addresses that an attachment got from another address manager.

import type { Attachment } from '../cni/request.ts';
import { parseAddress } from '../ipam/address.ts';
import { takeRequested } from '../ipam/allocation.ts';
import { claimAttachment } from '../ipam/claim.ts';
import { closeLease, keepLocked, openLocked, removeLease } from '../ipam/lease-file.ts';
import { attachmentPath, type Store } from '../ipam/store.ts';

/** An address, and since when it is held: milliseconds since the epoch. */
export interface Foreign {
	readonly address: string;
	readonly time: number;
}

/**
 * Leases addresses to an attachment that has `present` leases of this boot already, each for itself: gives those that
 * are leased now, and the errors of the others. Waits until `deadline` (ms of performance.now()) for a call of the attachment.
 */
export function takeOver(
	store: Store,
	attachment: Attachment,
	addresses: readonly Foreign[],
	{ present, bootId, deadline }: { readonly present: number; readonly bootId: string; readonly deadline: number },
): { taken: Foreign[]; failures: unknown[] } {
	const taken: Foreign[] = [];
	const failures: unknown[] = [];
	try {
		// Who works on an attachment holds the lock of its first lease.
		const path = attachmentPath(store, attachment, 0);
		const first = present === 0 ? undefined : openLocked(store, path, attachment, deadline);
		if (first !== undefined) keepLocked(store, first);
		let index = first === undefined ? 0 : present;
		for (const each of addresses) {
			try {
				lease(store, attachment, each, index, bootId, deadline);
				taken.push(each);
				index++;
			} catch (error) {
				failures.push(error);
			}
		}
	} catch (error) {
		failures.push(error);
	} finally {
		// An ADD keeps them until its process ends; here others follow.
		for (const { descriptor } of store.system.held.values()) store.system.closeFile(descriptor);
		store.system.held.clear();
	}
	return { taken, failures };
}

function lease(
	store: Store,
	{ containerId, ifname }: Attachment,
	{ address: text, time }: Foreign,
	index: number,
	bootId: string,
	deadline: number,
): void {
	const address = parseAddress(text);
	if (address === undefined) throw new TypeError(`"${text}" is no address`);
	const { network } = store;
	const file = claimAttachment(
		store,
		{ containerId, ifname, address: '', index, network, netns: '', bootId, time },
		deadline,
	);
	try {
		takeRequested(store, file, address, { bootId, deadline, now: Date.now() });
	} catch (error) {
		removeLease(store, file);
		closeLease(store, file);
		throw error;
	}
}
