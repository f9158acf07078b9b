// Waits for what the kernel tells, without holding up anything else, and without looking again and again.

import { read } from 'node:fs';
import { decodeEvents, type Event, EVENT_SIZE, GROUPS, subscribe } from '../netlink/subscription.ts';

/** What is told of what has changed. */
export interface Listener {
	readonly onEvents: (events: readonly Event[]) => void;
	/** So much changed at once that some of it was lost. */
	readonly onLoss: () => void;
	/** Nothing will be told any more. */
	readonly onFailure: (error: unknown) => void;
}

/**
 * Tells what changes in the current network namespace. A thread of the runtime's pool waits in read(2), which both
 * editions can, while neither takes a netlink socket for one. Gives what ends it. Throws NetlinkError.
 */
export function listen({ onEvents, onLoss, onFailure }: Listener): () => void {
	const { descriptor, wake, close } = subscribe(Object.values(GROUPS));
	const buffer = Buffer.allocUnsafeSlow(EVENT_SIZE);
	let isOpen = true;
	const next = (): void => {
		read(descriptor, buffer, 0, EVENT_SIZE, null, (error, length) => {
			if (!isOpen) {
				close();
				return;
			}
			if (error === null) {
				onEvents(decodeEvents(buffer.subarray(0, length)));
			} else if (error.code === 'ENOBUFS') {
				onLoss();
			} else if (error.code !== 'EINTR' && error.code !== 'EAGAIN') {
				close();
				isOpen = false;
				onFailure(error);
				return;
			}
			next();
		});
	};
	next();
	return () => {
		if (!isOpen) return;
		isOpen = false;
		// The thread is in the kernel: a descriptor that is closed under it would keep it there.
		wake();
	};
}
